"""What lies in the cache: artifacts by stage, and what else this tool keeps beside them.

Nothing is changed by looking; a cache that was never used is an empty one.
"""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ghostface_edge.pipeline.support.cache_limit import cache_limit, size_text
from ghostface_edge.pipeline.support.store import FOLDER, KEY, is_artifact, size_on_disk
from ghostface_edge.reports.write import remove

_UNFINISHED: Final = "(unfinished)"
_FOREIGN: Final = "not of this tool, which leaves it alone"
_DIGITS: Final = 33
"""Of an artifact's name behind its stage, with the hyphen."""
BESIDE: Final = MappingProxyType(
    {
        "downloads": "what `fetch` brought",
        "userlands": "emulated CPUs of `devices install qemu`",
        "environments": "packages that `reproduce` and `targets install` brought",
        KEY: "this user's key, by which own artifacts are known",
    }
)
"""What else this tool keeps under the root; `clear` leaves it unless everything is to go."""


@dataclass(frozen=True, slots=True)
class StageShare:
    """Artifacts of one stage."""

    stage: str
    artifacts: int
    size_bytes: int
    last_used: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Something else under the root."""

    name: str
    what: str | None
    """None where it is not this tool's."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class CacheContents:
    """The whole of a cache."""

    root: Path
    limit_bytes: int
    free_bytes: int
    stages: tuple[StageShare, ...]
    beside: tuple[Beside, ...]

    @property
    def artifacts(self) -> int:
        """How many there are."""
        return sum(stage.artifacts for stage in self.stages)

    @property
    def size_bytes(self) -> int:
        """Of artifacts, which the limit is for."""
        return sum(stage.size_bytes for stage in self.stages)

    @property
    def total_bytes(self) -> int:
        """Of all that lies under the root."""
        return self.size_bytes + sum(each.size_bytes for each in self.beside)

    def headline(self) -> str:
        """All of it in a line."""
        size, limit, free = map(size_text, (self.size_bytes, self.limit_bytes, self.free_bytes))
        return f"{self.artifacts} artifacts, {size} of at most {limit} in {self.root}; {free} are free there"

    def stage_rows(self) -> list[tuple[str, str, str, str]]:
        """A row per stage: its name, how many, how large, used when."""
        return [
            (each.stage, str(each.artifacts), size_text(each.size_bytes), _moment(each.last_used))
            for each in self.stages
        ]

    def beside_rows(self) -> list[tuple[str, str, str]]:
        """A row for each of the rest: its name, how large, what it is."""
        return [(each.name, size_text(each.size_bytes), each.what or _FOREIGN) for each in self.beside]

    def as_json(self) -> dict[str, object]:
        """For programs; moments in ISO 8601."""
        return {
            "root": str(self.root),
            "artifacts": self.artifacts,
            "size_bytes": self.size_bytes,
            "limit_bytes": self.limit_bytes,
            "free_bytes": self.free_bytes,
            "stages": [{**asdict(each), "last_used": _moment(each.last_used)} for each in self.stages],
            "beside": [asdict(each) for each in self.beside],
        }


def look(root: Path) -> CacheContents:
    """See what lies under a root.

    Raises:
        InputError: the limit is no size.
    """
    limit = cache_limit()
    there = next(each for each in (root.absolute(), *root.absolute().parents) if each.is_dir())
    return CacheContents(root, limit, shutil.disk_usage(there).free, tuple(_stages(root)), tuple(_beside(root)))


def remove_beside(root: Path) -> None:
    """Remove all that this tool keeps beside the artifacts; what is not its own stays."""
    for name in BESIDE:
        remove(root / name)


def _stages(root: Path) -> Iterator[StageShare]:
    found: dict[str, list[tuple[int, float]]] = {}
    for path in _entries(root / FOLDER):
        with contextlib.suppress(FileNotFoundError):  # another process may be at work
            if path.is_dir() and not path.is_symlink():
                stage = path.name[:-_DIGITS] if is_artifact(path) else _UNFINISHED
                found.setdefault(stage, []).append((size_on_disk(path), path.lstat().st_mtime))
    for stage, artifacts in sorted(found.items()):
        sizes, used = zip(*artifacts, strict=True)
        yield StageShare(stage, len(artifacts), sum(sizes), max(used))


def _beside(root: Path) -> Iterator[Beside]:
    for path in _entries(root):
        if path.name != FOLDER:
            with contextlib.suppress(FileNotFoundError):
                size = size_on_disk(path) if path.is_dir() and not path.is_symlink() else path.lstat().st_size
                yield Beside(path.name, BESIDE.get(path.name), size)


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
