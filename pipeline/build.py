"""The stages that make files: checkpoint to ONNX, ONNX to a runtime's artifact, artifact and faces to embeddings.

Every stage asks the store first and does its native work in a child process.
"""

import dataclasses
import functools
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from ghostface_edge.calibration.aligned import FACE_SIZE, iterate_faces
from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.checkpoints.checkpoint import load_checkpoint
from ghostface_edge.pipeline.host import describe_host
from ghostface_edge.pipeline.latency import (
    ROUNDS,
    RUNS_PER_ROUND,
    Timing,
    read_timings,
    save_timings,
    time_interleaved,
)
from ghostface_edge.pipeline.progress import Narrator
from ghostface_edge.pipeline.store import Store, file_sha256
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.child import Child
from ghostface_edge.targets.protocol import ArtifactInfo, Embeddings, Faces, Precision
from ghostface_edge.targets.table import VariantId, load_target, versions
from ghostface_edge.targets.worker import Worker

PARITY_FACES = 32
STOCK_FACES = 300
_EMBED_BATCH = 32
_EMBED_STEP = 512
_EXPORT_PACKAGES = ("torch", "onnx", "onnxscript", "onnx-ir", "onnxruntime", "numpy")


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """The checkpoint as float32 ONNX."""

    path: Path
    sha256: str
    name: str
    version: int
    width: float
    stride: int
    activation: str
    embedding_size: int
    parameters: int
    macs: int
    parity: float
    """Largest absolute difference from PyTorch on real faces."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A runtime's own file or files."""

    runtime: str
    files: tuple[Path, ...]
    sha256: str
    seconds: float
    """What converting and quantizing took, when it was done."""

    @property
    def path(self) -> Path:
        """The file that the runtime is given."""
        return self.files[0]

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.stat().st_size for file in self.files)


class _NotKeptError(Exception):
    """Ends a stage whose outcome must not be reused."""


class Exporter:
    """Far side of the export's child process."""

    def export(self, checkpoint: Path, model: Path, faces: Faces, batch: int | None) -> dict[str, object]:
        """Write the ONNX file and say what it is: the fields of `ExportedModel` but for the file's own."""
        from ghostface_edge.pipeline.graph.export import export_onnx, network_of
        from ghostface_edge.pipeline.network import count_parameters
        from ghostface_edge.targets import onnx_graph

        loaded = load_checkpoint(checkpoint)
        plan = loaded.architecture
        parity = export_onnx(loaded, model, faces=faces, batch=batch)
        return {
            "name": plan.name,
            "version": plan.version,
            "width": plan.width,
            "stride": plan.stride,
            "activation": str(plan.activation),
            "embedding_size": plan.embedding_size,
            "parameters": count_parameters(network_of(loaded)),
            "macs": sum(onnx_graph.macs_by_precision(onnx_graph.load(model)).values()),
            "parity": parity,
        }


class Workshop:
    """Where stages find what they share: the store, the log folder, the narrator, the number of threads."""

    def __init__(self, store: Store, logs: Path, narrator: Narrator, threads: int) -> None:
        self.store, self.logs, self.narrator, self.threads = store, logs, narrator, threads

    def export(self, checkpoint: Path, calibration: CalibrationSet) -> ExportedModel:
        """Checkpoint to ONNX, compared with PyTorch on the first calibration faces."""

        def build(folder: Path) -> None:
            with (
                self.narrator.stage("export to ONNX"),
                Child(Exporter, log=self.logs / "export.log") as child,
            ):
                faces = calibration.load()[:PARITY_FACES]
                facts = child.call("export", checkpoint, folder / "model.onnx", faces, None)
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
            with self._child(variant.runtime, str(variant)) as child, self.narrator.stage(f"{variant}: convert"):
                if variant.precision is Precision.INT8:
                    seconds = child.call("quantize_stock", model, calibration.load()[:STOCK_FACES], folder / name)
                else:
                    seconds = child.call("convert", model, variant.precision, folder / name)
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

    def embed(self, artifact: Artifact, faces: "DecodedFaces", label: str) -> Embeddings:
        """Embeddings (N, E) of every distinct face of the pairs, each embedded once."""
        target = load_target(artifact.runtime)

        def build(folder: Path) -> None:
            path, count = faces.path, len(faces)
            with (
                self._child(artifact.runtime, label) as child,
                self.narrator.stage(f"{label}: embed {count} faces", count) as advance,
            ):
                child.call("load", artifact.path, self.threads, _EMBED_BATCH)
                parts = []
                for at in range(0, count, _EMBED_STEP):
                    parts.append(child.call("embed_file", path, at, at + _EMBED_STEP))
                    advance(len(parts[-1]))
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
            with self._child(artifact.runtime, label) as child:
                info = child.call("inspect", artifact.path)
            (folder / "info.json").write_text(json.dumps(dataclasses.asdict(info)))

        inputs = {"artifact": artifact.sha256, "runtime": artifact.runtime, "versions": versions(target.packages)}
        return ArtifactInfo(**json.loads((self.store.make("inspect", inputs, build).folder / "info.json").read_text()))

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

    def _child(self, runtime: str, label: str) -> Child:
        return Child(functools.partial(Worker, runtime), log=self.logs / f"{label}.log")


class DecodedFaces:
    """Faces as one `.npy` of uint8 (N, 112, 112, 3), written when first needed; a context that removes the file."""

    def __init__(self, sha256: str, count: int, batches: Callable[[], Iterator[Faces]]) -> None:
        self.sha256 = sha256
        self._count, self._batches = count, batches
        self._folder = tempfile.TemporaryDirectory(prefix="ghostface-edge-")

    @classmethod
    def of_pairs(cls, pairs: VerificationSet) -> Self:
        """The distinct faces of a verification set."""
        digest = hashlib.sha256(b"".join(hashlib.sha256(image).digest() for image in pairs.images)).hexdigest()
        return cls(digest, len(pairs.images), lambda: iterate_faces(pairs.images, _EMBED_STEP))

    @classmethod
    def of_calibration(cls, calibration: CalibrationSet) -> Self:
        """The faces of a calibration set, in its order."""
        return cls(calibration.sha256, len(calibration.files), lambda: iter([calibration.load()]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def __len__(self) -> int:
        return self._count

    @property
    def path(self) -> Path:
        """The file; child processes map it into memory."""
        path = Path(self._folder.name) / "faces.npy"
        if not path.exists():
            partial = path.with_suffix(".partial")
            shape = (len(self), FACE_SIZE, FACE_SIZE, 3)
            faces: np.memmap[Any, np.dtype[np.uint8]] = np.lib.format.open_memmap(
                partial, mode="w+", dtype=np.uint8, shape=shape
            )
            at = 0
            for batch in self._batches():
                faces[at : at + len(batch)] = batch
                at += len(batch)
            faces.flush()
            partial.rename(path)
        return path


def export_file(checkpoint: Path, model: Path, faces: CalibrationSet, batch: int | None) -> ExportedModel:
    """Export to a file of the user's choice, which appears whole or not at all.

    Raises:
        InputError: the checkpoint cannot be used or the file cannot be written.
        ParityError: ONNX and PyTorch differ.
    """
    with tempfile.TemporaryDirectory() as folder, Child(Exporter, log=Path(folder) / "export.log") as child:
        partial = Path(folder) / "model.onnx"
        facts = child.call("export", checkpoint, partial, faces.load(), batch)
        try:
            shutil.copyfile(partial, model)
        except OSError as error:
            raise InputError(f"{model}: cannot be written ({error.strerror})", fix="choose another file") from error
    return ExportedModel(path=model, sha256=file_sha256(model), **facts)


def artifact_of(runtime: str, path: Path, seconds: float = 0.0) -> Artifact:
    """Describe an artifact that exists."""
    files = load_target(runtime).files(path)
    return Artifact(runtime, files, file_sha256(*files), seconds)
