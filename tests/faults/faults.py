"""What befalls a job: signals to its processes, and nothing left of disk or memory; all of it done from outside."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

import psutil

from .job import RunningJob

_PAUSE_S, _SUSPENDED_S = 3.0, 40.0
"""Of a child, within what a busy machine does; of all, longer than a child is waited for that shows no sign of life."""
_SPARE_DISK_BYTES = 300_000
"""At most so much is left on a disk that becomes full."""
_SPARE_MEMORY_BYTES = 64 << 20
_DISK_MB = 128


class Fault(StrEnum):
    """What happens."""

    KILL = "kill"
    PAUSE = "pause"
    """Stopped, and continued a little later, as with Ctrl-Z and `fg`."""
    STOP = "stop"
    """Stopped for good."""
    INTERRUPT = "interrupt"
    TERMINATE = "terminate"
    HANG_UP = "hang up"
    FULL_OUT = "full out"
    """The disk of --out is full."""
    FULL_CACHE = "full cache"
    FULL_TMP = "full tmp"
    NO_WRITES = "no writes"
    """Every write to a file fails, as with a quota."""
    NO_MEMORY = "no memory"


class Victim(StrEnum):
    """Whom."""

    PARENT = "parent"
    CHILD = "child"
    ALL = "all"


SIGNALS = {
    Fault.KILL: signal.SIGKILL,
    Fault.INTERRUPT: signal.SIGINT,
    Fault.TERMINATE: signal.SIGTERM,
    Fault.HANG_UP: signal.SIGHUP,
}
DISKS = {Fault.FULL_OUT: "out", Fault.FULL_CACHE: "cache", Fault.FULL_TMP: "tmp"}
"""Which folder is on the disk that becomes full."""


class Disk:
    """A small disk of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, spare_bytes: int) -> None:
        """Leave no more than so much."""
        state = os.statvfs(self.folder)
        free = state.f_bavail * state.f_frsize
        with self._ballast.open("wb") as file, suppress(OSError):
            os.posix_fallocate(file.fileno(), 0, max(free - spare_bytes, 1))

    def relieve(self) -> None:
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """Mount one; for root on Linux.

    Raises:
        PermissionError: it cannot be mounted here.
    """
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "none", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        raise PermissionError(mounted.stderr.strip())
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def can_mount(folder: Path) -> bool:
    """Whether small disks can be had here."""
    try:
        with small_disk(folder):
            return True
    except (OSError, subprocess.SubprocessError):
        return False


def victims(who: Victim, job: RunningJob, share: float) -> list[psutil.Process]:
    """Processes of a job, now; for a child, as soon as there is one, and none if the job ends without."""
    if who is Victim.PARENT:
        return [job.process]
    if who is Victim.ALL:
        return [job.process, *job.children()]
    found: list[psutil.Process] = []
    job.until(lambda: found.extend(job.children()) or found, timeout_s=60, pause_s=0.01)
    return [found[int(share * len(found))]] if found else []


def inflict(fault: Fault, processes: Sequence[psutil.Process], disk: Disk | None, share: float) -> bool:
    """Let a fault come over processes of a job; False if they were gone already."""
    if disk is not None:
        disk.fill(int(share * _SPARE_DISK_BYTES))
        return processes[0].is_running()
    try:
        if fault in SIGNALS:
            _send(SIGNALS[fault], processes)
        elif fault is Fault.NO_WRITES:
            for process in processes:
                process.rlimit(psutil.RLIMIT_FSIZE, (0, 0))
        elif fault is Fault.NO_MEMORY:
            for process in processes:
                limit = process.memory_info().vms + int(share * _SPARE_MEMORY_BYTES)
                process.rlimit(psutil.RLIMIT_AS, (limit, limit))
        else:
            _send(signal.SIGSTOP, processes)
            if fault is Fault.PAUSE:
                time.sleep(_SUSPENDED_S if len(processes) > 1 else _PAUSE_S)
                _send(signal.SIGCONT, processes)
    except psutil.NoSuchProcess:
        return False
    return True


def _send(number: signal.Signals, processes: Sequence[psutil.Process]) -> None:
    """To all of them at once, as far as that can be: nobody does anything between the first and the last."""
    if number is signal.SIGKILL and len(processes) > 1:
        _send(signal.SIGSTOP, processes)
    for process in processes:
        process.send_signal(number)
