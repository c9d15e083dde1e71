"""What a process holds, and by how much that grew after it was warm."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

LIMIT = 0.05
"""Growth that is allowed."""
_LEAST = 20


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds at one moment."""

    rss_mb: float
    anonymous_mb: float
    """Without files that are mapped into memory, which the system takes back when it needs room."""
    files: int
    threads: int
    children: int


def held(process: psutil.Process) -> Held:
    """By a living process, now."""
    with process.oneshot():
        return Held(
            rss_mb=process.memory_info().rss / 2**20,
            anonymous_mb=_anonymous_mb(process.pid),
            files=process.num_fds(),
            threads=process.num_threads(),
            children=len(process.children(recursive=True)),
        )


def growth(values: Sequence[float]) -> float:
    """By what share the median of the last tenth is above that of the second tenth; the first is the warm-up.

    Raises:
        ValueError: too few values to tell.
    """
    tenth = len(values) // 10
    if len(values) < _LEAST:
        raise ValueError(f"{len(values)} values are too few, {_LEAST} are the least")
    early, late = statistics.median(values[tenth : 2 * tenth]), statistics.median(values[-tenth:])
    return 0.0 if late == early else late / early - 1 if early else float("inf")


def entries(folder: Path) -> int:
    """Files and folders in a folder, however deep."""
    return sum(1 for _ in folder.rglob("*"))


def _anonymous_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise psutil.NoSuchProcess(pid)
