"""A runtime's own files, as stages hand them to each other."""

from dataclasses import dataclass
from pathlib import Path

from ghostface_edge.pipeline.support.store import file_sha256
from ghostface_edge.targets.table import load_target


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


def artifact_of(runtime: str, path: Path, seconds: float = 0.0) -> Artifact:
    """Describe an artifact that exists."""
    files = load_target(runtime).files(path)
    return Artifact(runtime, files, file_sha256(*files), seconds)
