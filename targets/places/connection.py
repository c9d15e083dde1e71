"""One process that speaks `wire` on its standard streams, within bounds of time and memory.

Its death, a hang or too much memory is a `ChildDeath` that names the signal, the exit code or the bound; what it
prints goes to a log file.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.places import wire

_POLL_S = 0.2
_CHUNK = 1 << 20


class ChildDeath(ToolError):  # noqa: N818 - the field's word for it
    """The process ended, or had to be ended, before it answered."""


class Connection:
    """A started process and its standard streams.

    Args:
        command: what to start.
        log: file that takes its standard error.
        memory_limit_mb: resident memory above which it is killed.
    """

    def __init__(self, command: Sequence[str], *, log: Path, memory_limit_mb: int) -> None:
        self._log, self._memory_limit_mb = log, memory_limit_mb
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, bufsize=0
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        os.set_blocking(self._requests.fileno(), False)
        self._what, self._deadline, self._timeout_s = "start", float("inf"), float("inf")

    def begin(self, what: str, timeout_s: float) -> None:
        """Start the clock for what is asked next."""
        self._what, self._timeout_s, self._deadline = what, timeout_s, time.monotonic() + timeout_s

    def send(self, header: wire.Header, arrays: Iterable[wire.Array] = ()) -> None:
        """Write a message; that nobody reads it any more shows in `receive`, which knows why."""
        with suppress(BrokenPipeError):
            for part in wire.pack(header, arrays):
                view = memoryview(part)
                while view:
                    self._wait(writing=True)
                    with suppress(BlockingIOError):
                        view = view[os.write(self._requests.fileno(), view[:_CHUNK]) :]

    def receive(self) -> tuple[wire.Header, list[wire.Array]]:
        """The next message.

        Raises:
            ChildDeath: crash, hang, too much memory.
            ToolError: what came is no message.
        """
        try:
            return wire.unpack(self._read)
        except EOFError:
            raise self._death() from None
        except wire.WireError as error:
            raise self._kill(f"{self._what} was answered by {error}", "the program there is another one") from error

    def close(self) -> None:
        """End the process; it may be in the middle of anything."""
        for stream in (self._requests, self._answers):
            with suppress(OSError):
                stream.close()
        try:
            self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self, size: int) -> bytearray:
        data = bytearray()
        while len(data) < size:
            self._wait(writing=False)
            part = os.read(self._answers.fileno(), min(size - len(data), _CHUNK))
            if not part:
                raise EOFError
            data += part
        return data

    def _wait(self, *, writing: bool) -> None:
        """Until the stream is ready, as long as the bounds are kept."""
        stream = self._requests if writing else self._answers
        while not any(select.select([] if writing else [stream], [stream] if writing else [], [], _POLL_S)):
            if time.monotonic() > self._deadline:
                raise self._kill(f"{self._what} did not finish within {self._timeout_s:.0f} s", "raise the time limit")
            if (used := self._memory_mb()) > self._memory_limit_mb:
                raise self._kill(
                    f"{self._what} used {used:.0f} MB, more than the limit of {self._memory_limit_mb} MB",
                    "use fewer calibration faces or a machine with more memory",
                )

    def _memory_mb(self) -> float:
        with suppress(psutil.Error):
            return float(psutil.Process(self._process.pid).memory_info().rss) / 2**20
        return 0.0

    def _kill(self, what: str, fix: str) -> ChildDeath:
        self._process.kill()
        self._process.wait()
        return ChildDeath(what, fix=f"{fix}; see {self._log}")

    def _death(self) -> ChildDeath:
        code = self._process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        if code == -signal.SIGKILL:
            how += " (often: out of memory)"
        return ChildDeath(f"the process {how} during {self._what}", fix=f"see {self._log}")
