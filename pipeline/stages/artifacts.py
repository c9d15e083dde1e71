"""A runtime's own files, as stages hand them to each other."""

from dataclasses import dataclass
from pathlib import Path

from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.reports.digest import file_bytes, file_sha256
from ghostface_edge.targets.table import load_target

_SECONDS = "seconds.json"


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


def artifact_path(runtime: str, folder: Path) -> Path:
    """Where a stage writes the artifact that it makes."""
    return folder / f"model{load_target(runtime).extension}"


def write_seconds(folder: Path, seconds: float) -> None:
    """Say what making that artifact took."""
    write_value(folder / _SECONDS, seconds)


def read_artifact(runtime: str, folder: Path) -> Artifact:
    """The artifact that a stage made."""
    return artifact_of(runtime, artifact_path(runtime, folder), read_value(folder / _SECONDS, float))


def artifact_of(runtime: str, path: Path, seconds: float = 0.0) -> Artifact:
    """Describe an artifact that exists."""
    files = load_target(runtime).files(path)
    return Artifact(runtime, files, file_sha256(*files), seconds)


def size_of(runtime: str, path: Path) -> int:
    """Bytes of an artifact's files, which costs nothing.

    Raises:
        InputError: one is missing, unreadable, or no ordinary file.
    """
    return sum(map(file_bytes, load_target(runtime).files(path)))
