"""Native code in a child process, with a time and a memory bound.

In: a factory that builds an object in the child, then calls of its methods. Out: their results, or a `ChildDeath`
that names the signal, the exit code or the bound that was broken. What native code prints goes to a log file.
"""

import faulthandler
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from ghostface_edge.reports.errors import GhostfaceEdgeError, ToolError

DEFAULT_TIMEOUT_S = 1800.0
DEFAULT_MEMORY_LIMIT_MB = 8192
_POLL_S = 0.2


class ChildDeath(ToolError):  # noqa: N818 - the field's word for it
    """The child process ended, or had to be ended, before it answered."""


class Child:
    """One child process that holds one object.

    Args:
        factory: picklable, builds the object inside the child.
        log: file that takes the child's standard output and error.
        memory_limit_mb: resident memory above which the child is killed.
    """

    def __init__(
        self, factory: Callable[[], object], *, log: Path, memory_limit_mb: int = DEFAULT_MEMORY_LIMIT_MB
    ) -> None:
        self._connection, theirs = Pipe()
        self._memory_limit_mb = memory_limit_mb
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        theirs.close()
        with suppress(BrokenPipeError):  # a child that did not even start tells why in `_receive`
            self._connection.send(sys.path)
            self._connection.send(factory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(
        self,
        method: str,
        *arguments: object,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        on_told: Callable[..., None] | None = None,
    ) -> Any:
        """Call a method of the child's object and wait for its result.

        Args:
            method: its name.
            arguments: picklable.
            timeout_s: after which the child is killed.
            on_told: given what the method passes to `tell_parent` on its way.

        Raises:
            ChildDeath: crash, hang or too much memory.
            ToolError: the method raised.
            GhostfaceEdgeError: the method raised this very error.
        """
        with suppress(BrokenPipeError):  # likewise
            self._connection.send((method, arguments))
        deadline = time.monotonic() + timeout_s
        while True:
            status, *answer = self._receive(method, timeout_s, deadline)
            if status != "told":
                break
            if on_told is not None:
                on_told(*answer)
        if status == "done":
            return answer[0]
        if status == "refused":
            kind, message, fix = answer
            raise kind(message, fix=fix)
        raise ToolError(f"{method} failed: {answer[0]}", fix=f"see {self._log}")

    def close(self) -> None:
        """End the child; it may be in the middle of anything."""
        self._connection.close()
        try:
            self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _receive(self, method: str, timeout_s: float, deadline: float) -> Any:
        while not self._connection.poll(_POLL_S):
            if self._process.poll() is not None and not self._connection.poll():
                raise self._death(method)
            if time.monotonic() > deadline:
                raise self._kill(f"{method} did not finish within {timeout_s:.0f} s", "raise the time limit")
            if (used := self._memory_mb()) > self._memory_limit_mb:
                raise self._kill(
                    f"{method} used {used:.0f} MB, more than the limit of {self._memory_limit_mb} MB",
                    "use fewer calibration faces or a machine with more memory",
                )
        try:
            return self._connection.recv()
        except (EOFError, ConnectionResetError):
            raise self._death(method) from None

    def _memory_mb(self) -> float:
        with suppress(psutil.Error):
            return float(psutil.Process(self._process.pid).memory_info().rss) / 2**20
        return 0.0

    def _kill(self, what: str, fix: str) -> ChildDeath:
        self._process.kill()
        self._process.wait()
        return ChildDeath(what, fix=f"{fix}; see {self._log}")

    def _death(self, method: str) -> ChildDeath:
        code = self._process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        if code == -signal.SIGKILL:
            how += " (often: out of memory)"
        return ChildDeath(f"the process {how} during {method}", fix=f"see {self._log}")


def peak_rss_mb() -> float:
    """Peak resident memory of the calling process, MB; unlike getrusage's it starts anew after exec."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float(psutil.Process().memory_info().rss) / 2**20


def tell_parent(*values: object) -> None:
    """From inside a called method: hand values to the caller's `on_told`; outside a child, nothing happens."""
    for connection in _to_parent:
        connection.send(("told", *values))


_to_parent: list[Connection] = []


def _serve(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    faulthandler.enable()
    sys.path[:] = connection.recv()
    factory = connection.recv()
    served: object = None
    while True:
        try:
            method, arguments = connection.recv()
        except (EOFError, OSError):
            return
        try:
            if served is None:
                served = factory()
            answer: tuple[object, ...] = ("done", getattr(served, method)(*arguments))
        except GhostfaceEdgeError as error:
            answer = ("refused", type(error), error.message, error.fix)
        except Exception as error:
            traceback.print_exc()
            answer = ("failed", f"{type(error).__name__}: {error}")
        try:
            connection.send(answer)
        except (BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    from ghostface_edge.targets import child  # the module that methods import, not this `__main__`

    connection = Connection(int(sys.argv[1]))
    child._to_parent.append(connection)
    child._serve(connection)
