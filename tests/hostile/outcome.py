"""What came of one case: whether code ran, a traceback showed, it hung, and what it cost."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .case import EXECUTED, MARK

LIMIT_S = float(os.environ.get("HOSTILE_LIMIT_S", "60"))
"""After which it counts as a hang; a machine with much else to do needs more."""
LIMIT_BYTES = 6 << 30
_INJECTED = re.compile(
    rf"^::[^:]*::{MARK}|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", re.MULTILINE
)
"""A workflow command of a stranger, a control character but tab and newline, or one that reorders or ends lines."""
_LIBRARIES = re.compile(r"torchinductor_\w+|\.ses")
"""What PyTorch and ONNX Runtime lay into TMPDIR by themselves."""
_GRACE_S = 3.0
"""In which multiprocessing's own helper notices that nobody needs it."""
_FAULT = re.compile(r"Traceback \(most recent call last\)|this is a fault of ghostface-edge")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case, run."""

    code: int
    cpu_s: float
    peak_mb: float
    seconds: float
    executed: bool
    traceback: bool
    hung: bool
    injected: bool
    left: tuple[str, ...]
    """What it should have taken away: temporary files, half-written files, processes."""
    said: str

    def faults(self, allowed: frozenset[int]) -> list[str]:
        """What is wrong with it, in a word each."""
        found = {
            "EXECUTED": self.executed,
            "TRACEBACK": self.traceback,
            "HANG": self.hung,
            "INJECTED": self.injected,
            "EXIT": not self.hung and self.code not in allowed,
            "LEFT": bool(self.left),
        }
        return [name for name, holds in found.items() if holds]


def run(arguments: list[str], home: Path, output: str, ours: set[str], limit_s: float = LIMIT_S) -> Outcome:
    """Run the tool in HOME/case, with TMPDIR, cache and home folder of its own beside it.

    Args:
        arguments: of the command line.
        home: the case's own place.
        output: what standard output is: `pipe`, `closed`, `full`.
        ours: names in HOME/case that were there before.
        limit_s: after which it counts as a hang.
    """
    folder = home / "case"
    for name in ("tmp", "home", "cache"):
        if not os.path.lexists(home / name):
            (home / name).mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")},
        "TMPDIR": str(home / "tmp"),
        "HOME": str(home / "home"),
        "GHOSTFACE_EDGE_CACHE": str(home / "cache"),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "160",
    }
    said, errors = home / "stdout", home / "stderr"
    with said.open("wb") as out, errors.open("wb") as err, Path("/dev/full").open("wb") as full:
        streams = {"pipe": out, "full": full, "closed": _closed_pipe() if output == "closed" else out}
        process = subprocess.Popen(
            [sys.executable, "-m", "ghostface_edge.pipeline", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=streams[output],
            stderr=err,
            start_new_session=True,
            preexec_fn=_limit,  # noqa: PLW1509 - nothing that it calls takes a lock
        )
        code, usage, seconds, hung = _wait(process.pid, limit_s)
        process.returncode = code
    survivors = _end_group(process.pid)
    text = said.read_text(errors="replace") + errors.read_text(errors="replace")
    left = [*_left(home, ours, refused=code == 2), *(["a process"] if survivors and not hung else [])]
    executed = any((place / EXECUTED).exists() for place in (folder, home, home / "tmp", home / "home"))
    return Outcome(
        code=code,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mb=usage.ru_maxrss / 1024,
        seconds=seconds,
        executed=executed,
        traceback=bool(_FAULT.search(text)),
        hung=hung,
        injected=bool(_INJECTED.search(text)),
        left=tuple(left),
        said=errors.read_text(errors="replace")[-3_000:],
    )


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _closed_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def _wait(process: int, limit_s: float) -> tuple[int, resource.struct_rusage, float, bool]:
    """Wait with the usage of the child and of all that it waited for; a hang is killed with its group."""
    started, late = time.monotonic(), threading.Event()

    def kill() -> None:
        late.set()
        os.killpg(process, signal.SIGKILL)

    timer = threading.Timer(limit_s, kill)
    timer.start()
    _, status, usage = os.wait4(process, 0)
    timer.cancel()
    return os.waitstatus_to_exitcode(status), usage, time.monotonic() - started, late.is_set()


def _end_group(group: int) -> bool:
    """Whether any process of the group outlived the first for long; it is ended."""
    try:
        for _ in range(round(_GRACE_S / 0.05)):
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _left(home: Path, ours: set[str], *, refused: bool) -> list[str]:
    """Temporary files, half-written ones, and anything new beside the inputs of a refused call but logs."""
    temporary = [f"tmp/{path.name}" for path in (home / "tmp").iterdir() if not _LIBRARIES.fullmatch(path.name)]
    found = [path for path in (home / "case").rglob("*") if path.name.endswith(".partial") or ".partial-" in path.name]
    halves = [str(path.relative_to(home)) for path in found]
    new = [path for path in (home / "case").iterdir() if refused and path.name not in ours and path.name != EXECUTED]
    written = [f"case/{path.name}" for path in new if not _only_logs(path)]
    return [*temporary, *halves, *written]


def _only_logs(path: Path) -> bool:
    return path.is_dir() and all(inner.name == "logs" for inner in path.iterdir())


def clear(home: Path) -> None:
    """Remove a case's place."""
    shutil.rmtree(home, ignore_errors=True)
