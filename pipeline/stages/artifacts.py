"""What stages hand to each other."""

from dataclasses import dataclass
from pathlib import Path

from ghostface_edge.pipeline.prepare.prepare import PreparationReport
from ghostface_edge.pipeline.quantize.report import FULL_INTEGER, QuantizationReport
from ghostface_edge.pipeline.support.store import file_sha256
from ghostface_edge.targets.protocol import Target
from ghostface_edge.targets.table import load_target


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
    preprocessing: str
    """What the checkpoint declares; the ONNX itself always takes RGB, (x - 127.5) / 128."""
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


@dataclass(frozen=True, slots=True)
class Carrier:
    """A quantized ONNX model that every target lowers, and how it came about."""

    path: Path
    sha256: str
    report: QuantizationReport
    preparation: PreparationReport

    def suited_to(self, target: Target) -> "Carrier":
        """The full-integer form, if that is all a target takes and this one keeps tensors in higher precision."""
        if target.float_fallback is not None or self.report.full_integer is None:
            return self
        path = self.path.with_name(FULL_INTEGER)
        return Carrier(path, file_sha256(path), self.report.full_integer, self.preparation)


def artifact_of(runtime: str, path: Path, seconds: float = 0.0) -> Artifact:
    """Describe an artifact that exists."""
    files = load_target(runtime).files(path)
    return Artifact(runtime, files, file_sha256(*files), seconds)
