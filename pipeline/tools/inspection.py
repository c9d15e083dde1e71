"""Facts of a file, in words for a reader: checkpoint or artifact."""

import contextlib
import dataclasses
import tempfile
from pathlib import Path

from ghostface_edge.pipeline.checkpoints.formats import READERS, judge_checkpoint
from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.targets.judge import judge_artifact

_CHECKPOINTS = tuple(suffix for suffix in READERS if suffix != ".onnx")


def runtime_of(artifact: Path) -> str:
    """The runtime that an artifact is for, by its file name: its ending, and `-tflite-micro-` within.

    Raises:
        InputError: no such file, or no runtime takes it.
    """
    if not artifact.exists():
        raise InputError(f"{artifact}: no such file", fix="give the path of a model file")
    from ghostface_edge.targets.table import load_target, runtimes

    endings: dict[str, str] = {}
    for runtime in runtimes():
        ending = load_target(runtime).extension
        if ending not in endings or (ending == artifact.suffix and f"-{runtime}-" in artifact.name):
            endings[ending] = runtime
    if artifact.suffix not in endings:
        raise InputError(
            f"{artifact}: no runtime takes '{artifact.suffix}' files", fix=f"give one of {', '.join(endings)}"
        )
    return endings[artifact.suffix]


def describe(path: Path) -> dict[str, object]:
    """Facts of a checkpoint (architecture, parameters, MACs) or of an artifact (interface, operators, precision).

    Raises:
        InputError: the file is missing or of no known kind.
    """
    with tempfile.TemporaryDirectory() as logs:
        return _describe(path, Path(logs) / "inspect.log")


def _describe(path: Path, log: Path) -> dict[str, object]:
    runtime = None
    if path.suffix.lower() in _CHECKPOINTS:
        judge_checkpoint(path)
    else:
        judge_artifact(path)
        runtime = runtime_of(path)
    from ghostface_edge.targets.places.place import LOCAL  # its imports cost more than a refusal
    from ghostface_edge.targets.places.worker import RuntimeWorker

    if runtime is None:
        with LOCAL.open(Inspector, log=log) as inspector:
            return inspector.checkpoint(path)
    network: dict[str, object] = {}
    if path.suffix == ".onnx":
        # An ONNX need not be a GhostFaceNet that could be read back, and its interface needs no PyTorch.
        with contextlib.suppress(InputError, RuntimeMissingError), LOCAL.open(Inspector, log=log) as inspector:
            network = inspector.checkpoint(path)
    with LOCAL.open(RuntimeWorker, runtime, log=log) as worker:
        info = worker.inspect(path)
    total = sum(info.macs_by_precision.values())
    shares = {name: f"{macs / total:.1%}" for name, macs in info.macs_by_precision.items()} if total else {}
    interface = dataclasses.asdict(info)
    del interface["macs_by_precision"]
    return {**network, "runtime": runtime, **interface, "mmacs": round(total / 1e6, 2), "share_of_macs": shares}


class Inspector:
    """Far side of the child process that opens checkpoints."""

    def __init__(self) -> None:
        from ghostface_edge.targets.requirements import require_modules

        require_modules("torch", "torch")

    def checkpoint(self, path: Path) -> dict[str, object]:
        """Facts of a trained network."""
        from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
        from ghostface_edge.pipeline.network.checkpoint import network_of
        from ghostface_edge.pipeline.network.ghostfacenet import count_macs, count_parameters

        loaded = load_checkpoint(path)
        network = network_of(loaded)
        fields = dataclasses.asdict(loaded.architecture)
        return {
            "name": loaded.architecture.name,
            **{name: str(value) if name == "activation" else value for name, value in fields.items()},
            "parameters": count_parameters(network),
            "mmacs": round(count_macs(loaded.architecture) / 1e6, 2),
            "preprocessing": str(loaded.preprocessing),
            "sha256": loaded.sha256,
        }
