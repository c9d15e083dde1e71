"""A process on this host and all that it started: memory, processor time, whether it is stopped."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Vitals:
    """Of a process and its descendants together."""

    rss_mb: float
    cpu_s: float
    """User and system, of those that have ended, too."""
    is_stopped: bool
    """Whether a signal stopped any of them."""


def read_vitals(pid: int) -> Vitals:
    """Look at a process now; zeros where it is gone."""
    rss_mb, cpu_s, is_stopped = 0.0, 0.0, False
    for process in tree(pid):
        with suppress(psutil.Error), process.oneshot():
            rss_mb += process.memory_info().rss / 2**20
            cpu_s += sum(process.cpu_times()[:4])
            is_stopped |= process.status() in {psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP}
    return Vitals(rss_mb, cpu_s, is_stopped)


def tree(pid: int) -> Iterator[psutil.Process]:
    """The process, then its descendants."""
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        yield root
        yield from root.children(recursive=True)
