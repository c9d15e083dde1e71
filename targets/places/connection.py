"""One process that speaks `wire` on its standard streams, within bounds of time and memory.

Its death, a hang, a stop or too much memory is a `ChildDeath` that names the signal, the exit code or the bound; what
it prints goes to a log file. It has a session of its own, and what it started ends with it.
"""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from ghostface_edge.reports.errors import GhostfaceEdgeError, ToolError
from ghostface_edge.targets.places import wire
from ghostface_edge.targets.places.memory_limit import bound_memory, ran_out_of_memory
from ghostface_edge.targets.places.vitals import Vitals, read_vitals, tree

_POLL_S: Final = 0.5
_CHUNK: Final = 1 << 20
_MOST_UNREAD: Final = 1 << 26
"""Bytes of answers that come while requests are written."""
_FAREWELL_S: Final = 1.0
"""For a process to end by itself when nobody asks it any more."""
_WORK_S: Final = 0.05
"""Of processor time: what counts as progress. A heartbeat's own share takes minutes to come to that."""
_RAISE: Final = "raise the limit of this stage, `limits` in the recipe"
_LOG_END_BYTES: Final = 1 << 16


class ChildDeath(ToolError):  # noqa: N818 - the field's word for it
    """The process ended, or had to be ended, before it answered."""


class Connection:
    """A started process and its standard streams.

    Args:
        command: what to start.
        log: file that takes its standard error.
        memory_limit_mb: what it and its descendants may have in memory; the kernel refuses each of them more.
        patience_s: how long it may do nothing while it is asked something.
        largest_answer: bytes of the arrays of one.

    Raises:
        ToolError: it cannot be started.
    """

    def __init__(
        self, command: Sequence[str], *, log: Path, memory_limit_mb: int, patience_s: float, largest_answer: int
    ) -> None:
        self._log, self._memory_limit_mb, self._patience_s = log, memory_limit_mb, patience_s
        self._largest_answer = largest_answer
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as errors:
                self._log_start = errors.tell()
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    bufsize=0,
                    start_new_session=True,
                )
        except OSError as error:
            raise ToolError(
                f"{command[0]} cannot be started with its log at {log}: {error.strerror}",
                fix="check that it is installed, and the space and the rights where the log is",
            ) from error
        bound_memory(self._process.pid, memory_limit_mb)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        os.set_blocking(self._requests.fileno(), False)
        self._end = os.pidfd_open(self._process.pid)
        self._came = bytearray()
        self._asked = threading.Lock()
        self._what, self._deadline, self._timeout_s = "start", float("inf"), float("inf")
        self._told_s = self._seen_s = 0.0
        self._looked = self._worked = time.monotonic()

    @contextmanager
    def asking(self, what: str, timeout_s: float) -> Iterator[None]:
        """Start the clock for what is asked in the block."""
        with self._asked:
            now = time.monotonic()
            self._what, self._timeout_s, self._deadline = what, timeout_s, now + timeout_s
            self._looked = self._worked = now
            try:
                yield
            except GhostfaceEdgeError:
                raise
            except BaseException:  # nobody waits for the answer any more
                self._kill()
                raise

    def send(self, header: wire.Header, arrays: Iterable[wire.Array] = ()) -> None:
        """Write a message; that nobody reads it any more shows in `receive`, which knows why."""
        self.write(*wire.pack(header, arrays))

    def write(self, *parts: bytes | memoryview) -> None:
        """Write bytes as they are; see `send`."""
        with suppress(BrokenPipeError, EOFError):
            for part in parts:
                view = memoryview(part)
                while view:
                    self._wait(writing=True)
                    with suppress(BlockingIOError):
                        view = view[os.write(self._requests.fileno(), view[:_CHUNK]) :]
                        self._worked = time.monotonic()  # a slow line takes its time, and no processor's

    def receive(self) -> tuple[wire.Header, list[wire.Array]]:
        """The next message that is no heartbeat.

        Raises:
            ChildDeath: crash, hang, stop, too much memory.
            ToolError: what came is no message.
        """
        try:
            while True:
                header, arrays = wire.unpack(self._read, self._largest_answer)
                if "alive" not in header:
                    return header, arrays
                self._told_s = float(header["alive"])
        except EOFError:
            raise self._death() from None
        except (wire.WireError, ValueError, TypeError) as error:
            raise self.end(f"{self._what} was answered by {error}", "the program there is another one") from error

    def end(self, what: str, fix: str) -> ChildDeath:
        """Kill the process and all that it started; the error says why."""
        self._kill()
        return ChildDeath(what, fix=f"{fix}; see {self._log}")

    def needed_more_memory(self) -> ChildDeath:
        """Kill the process, which was refused memory."""
        what = f"{self._what} needed more than {self._memory_limit_mb} MB"
        return self.end(what, f"use fewer faces, or {_RAISE}")

    def close(self) -> None:
        """End the process; it may be in the middle of anything, and so may another thread that waits for it."""
        if self._asked.locked():
            self._kill()
        with self._asked:
            for stream in (self._requests, self._answers):
                with suppress(OSError):
                    stream.close()
            self._has_ended(_FAREWELL_S)
            self._kill()
            self._process.wait()
            os.close(self._end)

    def _read(self, size: int) -> bytearray:
        data = self._came[:size]
        del self._came[:size]
        while len(data) < size:
            self._wait(writing=False)
            part = os.read(self._answers.fileno(), min(size - len(data), _CHUNK))
            if not part:
                raise EOFError
            data += part
        return data

    def _wait(self, *, writing: bool) -> None:
        """Until the stream is ready, as long as the bounds are kept.

        Raises:
            EOFError: the process has ended, though something that it left may still hold the stream.
        """
        stream, event = (self._requests, select.POLLOUT) if writing else (self._answers, select.POLLIN)
        poller = select.poll()
        poller.register(stream, event)
        poller.register(self._end, select.POLLIN)
        if writing:  # what cannot get rid of its answers takes no requests
            poller.register(self._answers, select.POLLIN)
        while True:
            if time.monotonic() - self._looked >= _POLL_S:  # also of a process that never stops talking
                self._check_bounds()
            ready = dict(poller.poll(_POLL_S * 1e3))
            if stream.fileno() in ready:
                return
            if writing and self._answers.fileno() in ready and len(self._came) < _MOST_UNREAD:
                part = os.read(self._answers.fileno(), _CHUNK)
                if not part:
                    raise EOFError
                self._came += part
            elif ready:  # the process has ended; what it wrote before that comes first
                if stream.fileno() in dict(poller.poll(0)):
                    return
                raise EOFError

    def _check_bounds(self) -> None:
        now = time.monotonic()
        if now - self._looked > 10 * _POLL_S:  # this process was stopped itself, and its clocks went on
            self._deadline += now - self._looked
            self._worked += now - self._looked
        self._looked = now
        if now > self._deadline:
            raise self.end(f"{self._what} did not finish within {self._timeout_s:.0f} s", _RAISE)
        vitals = read_vitals(self._process.pid)
        if vitals.rss_mb > self._memory_limit_mb:
            raise self.needed_more_memory()
        worked_s = self._told_s + vitals.cpu_s
        if abs(worked_s - self._seen_s) > _WORK_S:
            self._seen_s, self._worked = worked_s, now
        if now - self._worked > self._patience_s:
            raise self.end(self._inactivity(vitals), "run it again")

    def _inactivity(self, vitals: Vitals) -> str:
        how = "was stopped by a signal" if vitals.is_stopped else "hung"
        return f"the process {how} during {self._what}: it did nothing for {self._patience_s:.0f} s"

    def _kill(self) -> None:
        """End the process and all that it started; before it is waited for, so that its number is nobody else's."""
        if self._process.returncode is not None:
            return
        for process in tree(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _has_ended(self, within_s: float) -> bool:
        poller = select.poll()
        poller.register(self._end, select.POLLIN)
        return bool(poller.poll(within_s * 1e3))

    def _death(self) -> ChildDeath:
        if not self._has_ended(_FAREWELL_S):
            return self.end(f"the process closed its streams during {self._what}", "the program there is another one")
        self._kill()
        code = self._process.wait()
        if ran_out_of_memory(self._last_words()):
            return self.needed_more_memory()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        if code == -signal.SIGKILL:
            how += " (often: out of memory)"
        return ChildDeath(f"the process {how} during {self._what}", fix=f"see {self._log}")

    def _last_words(self) -> str:
        with suppress(OSError), self._log.open("rb") as log:
            log.seek(max(self._log_start, log.seek(0, os.SEEK_END) - _LOG_END_BYTES))
            return log.read(_LOG_END_BYTES).decode(errors="replace")
        return ""
