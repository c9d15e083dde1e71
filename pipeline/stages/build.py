"""The stages that make files: checkpoint to ONNX, ONNX to a runtime's artifact, artifact and faces to embeddings.

Every stage asks the store first and does its native work in a child process.
"""

import dataclasses
import json
import pickle
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.pipeline.stages.artifacts import Artifact, Carrier, ExportedModel, artifact_of
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.firmware import FirmwareMaker, FirmwareSet, read_firmware
from ghostface_edge.pipeline.stages.latency import (
    ROUNDS,
    RUNS_PER_ROUND,
    Timing,
    read_timings,
    save_timings,
    time_interleaved,
)
from ghostface_edge.pipeline.stages.services import Exporter, Quantizer
from ghostface_edge.pipeline.support.host import describe_host
from ghostface_edge.pipeline.support.progress import Narrator
from ghostface_edge.pipeline.support.store import Store, file_sha256
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import ArtifactInfo, Embeddings, InputType, Precision
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import VariantId, load_target

T = TypeVar("T")

PARITY_FACES = 32
STOCK_FACES = 300
_QUANTIZE_TIMEOUT_S = 4 * 3600.0
_FIRMWARE_TIMEOUT_S = 2 * 3600.0
_EMBED_BATCH = 32
_EMBED_STEP = 512
_EXPORT_PACKAGES = ("torch", "onnx", "onnx-ir", "onnxruntime", "numpy")


class _NotKeptError(Exception):
    """Ends a stage whose outcome must not be reused."""


class Workshop:
    """Where stages find what they share: the store, the log folder, the narrator, the number of threads."""

    def __init__(self, store: Store, logs: Path, narrator: Narrator, threads: int) -> None:
        self.store, self.logs, self.narrator, self.threads = store, logs, narrator, threads

    def export(self, checkpoint: Path, calibration: CalibrationSet) -> ExportedModel:
        """Checkpoint to ONNX, compared with PyTorch on the first calibration faces."""

        def build(folder: Path) -> None:
            with (
                self.narrator.stage("export to ONNX"),
                LOCAL.open(Exporter, log=self.logs / "export.log") as exporter,
            ):
                faces = calibration.load()[:PARITY_FACES]
                facts = exporter.export(checkpoint, folder / "model.onnx", faces, None)
            (folder / "model.json").write_text(json.dumps(facts))

        inputs = {
            "checkpoint": file_sha256(checkpoint),
            "faces": calibration.sha256,
            "versions": versions(_EXPORT_PACKAGES),
        }
        folder = self.store.make("export", inputs, build).folder
        path = folder / "model.onnx"
        return ExportedModel(path=path, sha256=file_sha256(path), **json.loads((folder / "model.json").read_text()))

    def convert(self, variant: VariantId, model: Path, calibration: CalibrationSet) -> Artifact:
        """ONNX to the variant's artifact, by the runtime's own converter or quantizer."""
        target = load_target(variant.runtime)
        name = f"model{target.extension}"

        def build(folder: Path) -> None:
            with self._open(variant.runtime, str(variant)) as worker, self.narrator.stage(f"{variant}: convert"):
                if variant.precision is Precision.INT8:
                    seconds = worker.quantize_stock(model, calibration.load()[:STOCK_FACES], folder / name)
                else:
                    seconds = worker.convert(model, variant.precision, folder / name)
            (folder / "seconds.json").write_text(json.dumps(seconds))

        inputs: dict[str, object] = {
            "variant": str(variant),
            "model": file_sha256(model),
            "versions": versions(target.packages),
        }
        if variant.precision is Precision.INT8:
            inputs["calibration"] = calibration.sha256
        folder = self.store.make("convert", inputs, build).folder
        return artifact_of(variant.runtime, folder / name, json.loads((folder / "seconds.json").read_text()))

    def quantize(self, model: Path, calibration: CalibrationSet, recipe: Recipe, seed: int) -> Carrier:
        """Prepare and quantize once, for all targets."""

        def build(folder: Path) -> None:
            with (
                self.narrator.steps(f"quantize ({recipe.name})") as steps,
                LOCAL.open(
                    Quantizer, log=self.logs / "quantize.log", timeout_s=_QUANTIZE_TIMEOUT_S, on_told=steps
                ) as quantizer,
            ):
                reports = quantizer.quantize(model, calibration.load(), recipe, seed, folder)
            (folder / "reports.pickle").write_bytes(pickle.dumps(reports))

        inputs = {
            "model": file_sha256(model),
            "calibration": calibration.sha256,
            "recipe": recipe.model_dump(mode="json"),
            "seed": seed,
            "versions": versions(_EXPORT_PACKAGES),
        }
        folder = self.store.make("quantize", inputs, build).folder
        preparation, report = pickle.loads((folder / "reports.pickle").read_bytes())  # noqa: S301 - our own, hashed
        return Carrier(folder / "carrier.onnx", file_sha256(folder / "carrier.onnx"), report, preparation)

    def lower(self, variant: VariantId, carrier: Carrier, input_type: InputType = InputType.INT8) -> Artifact:
        """Carrier to the variant's artifact, with the input asked for where the runtime has a choice."""
        target = load_target(variant.runtime)
        taken = input_type if input_type in target.input_types else target.input_types[0]
        carrier = carrier.suited_to(target)
        name = f"model{target.extension}"

        def build(folder: Path) -> None:
            with self._open(variant.runtime, str(variant)) as worker, self.narrator.stage(f"{variant}: lower"):
                seconds = worker.lower_quantized(carrier.path, folder / name, taken)
            (folder / "seconds.json").write_text(json.dumps(seconds))

        inputs = {
            "variant": str(variant),
            "carrier": carrier.sha256,
            "input": taken,
            "versions": versions(target.packages),
        }
        folder = self.store.make("lower", inputs, build).folder
        return artifact_of(variant.runtime, folder / name, json.loads((folder / "seconds.json").read_text()))

    def embed(self, artifact: Artifact, faces: DecodedFaces, label: str) -> Embeddings:
        """Embeddings (N, E) of every distinct face of the pairs, each embedded once."""
        target = load_target(artifact.runtime)

        def build(folder: Path) -> None:
            path, count = faces.path, len(faces)
            processes = 1 if target.uses_threads else self.threads
            starts = range(0, count, _EMBED_STEP)
            with ExitStack() as stack:
                workers = [stack.enter_context(self._open(artifact.runtime, label)) for _ in starts[:processes]]
                advance = stack.enter_context(self.narrator.stage(f"{label}: embed {count} faces", count))

                def embed_share(share: int) -> list[Embeddings]:
                    """Every `processes`-th step, in a process of its own."""
                    parts = []
                    workers[share].load(artifact.path, self.threads, _EMBED_BATCH)
                    for at in starts[share::processes]:
                        parts.append(workers[share].embed_file(path, at, at + _EMBED_STEP))
                        advance(len(parts[-1]))
                    return parts

                with ThreadPoolExecutor(processes) as pool:
                    shares = list(pool.map(embed_share, range(len(workers))))
            parts = [shares[step % processes][step // processes] for step in range(len(starts))]
            np.save(folder / "embeddings.npy", np.concatenate(parts))

        inputs = {
            "artifact": artifact.sha256,
            "runtime": artifact.runtime,
            "faces": faces.sha256,
            "threads": self.threads,
            "versions": versions([*target.packages, "numpy", "opencv-python-headless"]),
        }
        embeddings: Embeddings = np.load(self.store.make("embed", inputs, build).folder / "embeddings.npy")
        return embeddings

    def inspect(self, artifact: Artifact, label: str) -> ArtifactInfo:
        """Interface, operators and MACs by precision, read off the artifact."""
        target = load_target(artifact.runtime)

        def build(folder: Path) -> None:
            with self._open(artifact.runtime, label) as worker:
                info = worker.inspect(artifact.path)
            (folder / "info.json").write_text(json.dumps(dataclasses.asdict(info)))

        inputs = {"artifact": artifact.sha256, "runtime": artifact.runtime, "versions": versions(target.packages)}
        return ArtifactInfo(**json.loads((self.store.make("inspect", inputs, build).folder / "info.json").read_text()))

    def remember(self, stage: str, inputs: dict[str, object], compute: Callable[[], T]) -> T:
        """What `compute` gives, kept by its inputs; for values that take seconds and no child process."""

        def build(folder: Path) -> None:
            (folder / "value.pickle").write_bytes(pickle.dumps(compute()))

        stored = (self.store.make(stage, inputs, build).folder / "value.pickle").read_bytes()
        value: T = pickle.loads(stored)  # noqa: S301 - written above, hashed
        return value

    def profile(self, artifact: Artifact, label: str, threads: int) -> list[dict[str, Any]]:
        """Where the artifact's time goes on this host: rows of kind, role, calls and ms, the slowest first."""
        target = load_target(artifact.runtime)

        def build(folder: Path) -> None:
            with self._open(artifact.runtime, label) as worker, self.narrator.stage(f"{label}: profile"):
                rows = worker.profile(artifact.path, threads)
            (folder / "profile.json").write_text(json.dumps([dataclasses.asdict(row) for row in rows]))

        inputs = {
            "artifact": artifact.sha256,
            "threads": threads,
            "host": describe_host().model_dump(mode="json"),
            "versions": versions([*target.packages, "numpy"]),
        }
        rows: list[dict[str, Any]] = json.loads(
            (self.store.make("profile", inputs, build).folder / "profile.json").read_text()
        )
        return rows

    def time(self, artifacts: Mapping[str, Artifact], threads: int) -> dict[str, Timing | ToolError]:
        """Latency of one runtime's artifacts, taken in turns; kept for this host if none of them failed."""
        (runtime,) = {artifact.runtime for artifact in artifacts.values()}
        failures: dict[str, Timing | ToolError] = {}

        def build(folder: Path) -> None:
            total = ROUNDS * RUNS_PER_ROUND * len(artifacts)
            paths = {label: (runtime, artifact.path) for label, artifact in artifacts.items()}
            with self.narrator.stage(f"{runtime}: time {len(artifacts)} models in turns", total) as advance:
                taken = time_interleaved(paths, threads=threads, logs=self.logs, advance=advance)
            good = {label: timing for label, timing in taken.items() if isinstance(timing, Timing)}
            if len(good) < len(taken):
                failures.update(taken)
                raise _NotKeptError
            save_timings(good, folder)

        inputs = {
            "artifacts": {label: artifact.sha256 for label, artifact in artifacts.items()},
            "threads": threads,
            "host": describe_host().model_dump(mode="json"),
            "versions": versions([*load_target(runtime).packages, "numpy"]),
        }
        try:
            return dict(read_timings(self.store.make("latency", inputs, build).folder))
        except _NotKeptError:
            return failures

    def firmware(self, artifact: Artifact, model: str, label: str) -> FirmwareSet:
        """What goes into a microcontroller's program beside an artifact; see `targets.tflite_micro.firmware`."""

        def build(folder: Path) -> None:
            with (
                LOCAL.open(FirmwareMaker, log=self.logs / f"{label}.log", timeout_s=_FIRMWARE_TIMEOUT_S) as maker,
                self.narrator.stage(f"{label}: arena, C array, Ethos-U"),
            ):
                maker.make(artifact.path, model, label, folder)

        inputs = {
            "artifact": artifact.sha256,
            "names": [model, label],
            "versions": versions([*load_target(artifact.runtime).packages, "ethos-u-vela"]),
        }
        made = read_firmware(self.store.make("firmware", inputs, build).folder)
        for warning in made.warnings:
            self.narrator.say(f"{label}: {warning}")
        return made

    def _open(self, runtime: str, label: str) -> AbstractContextManager[RuntimeWorker]:
        return LOCAL.open(RuntimeWorker, runtime, log=self.logs / f"{label}.log")


def export_file(checkpoint: Path, model: Path, faces: CalibrationSet, batch: int | None) -> ExportedModel:
    """Export to a file of the user's choice, which appears whole or not at all.

    Raises:
        InputError: the checkpoint cannot be used or the file cannot be written.
        ParityError: ONNX and PyTorch differ.
    """
    with tempfile.TemporaryDirectory() as folder, LOCAL.open(Exporter, log=Path(folder) / "export.log") as exporter:
        partial = Path(folder) / "model.onnx"
        facts = exporter.export(checkpoint, partial, faces.load(), batch)
        try:
            shutil.copyfile(partial, model)
        except OSError as error:
            raise InputError(f"{model}: cannot be written ({error.strerror})", fix="choose another file") from error
    return ExportedModel(path=model, sha256=file_sha256(model), **facts)
