"""A place to run native code, and the objects that live there.

A place is whatever a command starts that speaks `wire` on its standard streams: this Python again, another one, `ssh`
to a board, a program in C. `Place.open` gives the methods of a class there as if it were here, typed alike.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from ghostface_edge.reports import errors
from ghostface_edge.reports.errors import GhostfaceEdgeError, ToolError
from ghostface_edge.reports.printable import shortened
from ghostface_edge.targets.places import codec
from ghostface_edge.targets.places.connection import ChildDeath, Connection
from ghostface_edge.targets.places.memory_limit import ran_out_of_memory
from ghostface_edge.targets.places.wire import MAX_ARRAY_BYTES, Header

Served = TypeVar("Served")
Value = TypeVar("Value")
Result = TypeVar("Result")

DEFAULT_TIMEOUT_S: Final = 1800.0
DEFAULT_MEMORY_LIMIT_MB: Final = 8192
DEFAULT_PATIENCE_S: Final = 30.0
_LONGEST_TEXT: Final = 2_000
"""Characters of an error from elsewhere."""
_BEATS: Final = 6
"""Signs of life within the time that nothing may happen."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where native code runs.

    Args:
        name: for reports.
        command: starts a far side there.
        preamble: what that command reads first, such as the far side's own program.
        largest_answer: bytes of the arrays of one.
    """

    name: str
    command: tuple[str, ...]
    preamble: bytes = b""
    largest_answer: int = MAX_ARRAY_BYTES

    @contextmanager
    def open(
        self,
        kind: Callable[..., Served],
        *arguments: object,
        log: Path,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        memory_limit_mb: int = DEFAULT_MEMORY_LIMIT_MB,
        patience_s: float = DEFAULT_PATIENCE_S,
        on_told: Callable[..., None] = lambda *_: None,
    ) -> Iterator[Served]:
        """An object of a class in a process of its own; it ends with the context.

        Its methods, called here, run there. They raise `ChildDeath` on a crash, a hang or too much memory, `ToolError`
        where the method raised something foreign, and else the very error of ours that the method raised. The thread
        that opens it has to last as long as the context.

        Args:
            kind: the class, importable by its module's name; its annotations say how arguments and results travel.
            arguments: what its constructor is given.
            log: file that takes what is printed there.
            timeout_s: after which a call is ended, and the process with it.
            memory_limit_mb: memory above which the process, or it with what it started, is ended.
            patience_s: after which a call is ended that uses no processor time: stopped, hung, or the line is cut.
            on_told: given what a method passes to `far_side.tell` on its way.
        """
        connection = Connection(
            self.command,
            log=log,
            memory_limit_mb=memory_limit_mb,
            patience_s=patience_s,
            largest_answer=self.largest_answer,
        )
        try:
            opening = {"path": sys.path, "beat_s": patience_s / _BEATS}
            with connection.asking("start", timeout_s):
                connection.write(self.preamble)
            yield cast("Served", _Remote(kind, arguments, connection, log, timeout_s, on_told, opening))
        finally:
            connection.close()


LOCAL: Final = Place("local", (sys.executable, "-P", "-m", "ghostface_edge.targets.places.far_side"))
"""A child process on this host."""


class _Remote:
    """Stands for an object elsewhere: every method of its class, as a request."""

    def __init__(
        self,
        kind: Any,
        arguments: tuple[object, ...],
        connection: Connection,
        log: Path,
        timeout_s: float,
        on_told: Callable[..., None],
        opening: Header,
    ) -> None:
        self._kind, self._connection, self._log = kind, connection, log
        self._timeout_s, self._on_told = timeout_s, on_told
        values, arrays = codec.encode_arguments(kind.__init__, (None, *arguments), {})
        del values["self"]
        where = f"{kind.__module__}:{kind.__qualname__}"
        with connection.asking("start", timeout_s):
            connection.send({**opening, "serve": where, "arguments": values}, arrays)

    def __getattr__(self, name: str) -> "_Method":
        return _Method(self, name)

    def call(self, name: str, requests: Iterable[tuple[tuple[object, ...], dict[str, object]]]) -> list[object]:
        """Results of a method; each request goes out before the answer to the one before comes."""
        method, waiting = getattr(self._kind, name), 0
        results: list[object] = []
        refused: list[GhostfaceEdgeError] = []

        def take() -> None:
            try:
                results.append(self._answer(name, method))
            except ChildDeath:
                raise
            except GhostfaceEdgeError as error:  # the next answer is on its way
                refused.append(error)

        with self._connection.asking(name, self._timeout_s):
            for arguments, named in requests:
                values, arrays = codec.encode_arguments(method, (None, *arguments), named)
                del values["self"]
                self._connection.send({"call": name, "arguments": values}, arrays)
                waiting += 1
                if waiting > 1:
                    take()
                    waiting -= 1
                if refused:
                    break
            if waiting:
                take()
        if refused:
            raise refused[0]
        return results

    def _answer(self, name: str, method: Callable[..., object]) -> object:
        while True:
            answer, arrays = self._connection.receive()
            told = answer.get("told")
            if isinstance(told, list):
                self._on_told(*told)
                continue
            try:
                if "done" in answer:
                    return codec.decode_result(method, answer["done"], arrays)
                error = _refusal(**answer["refused"]) if "refused" in answer else self._failure(name, answer["failed"])
            except (ValueError, TypeError, LookupError) as problem:
                raise ToolError(
                    f"{name} was answered by something else: {problem}", fix=f"see {self._log}"
                ) from problem
            raise error

    def _failure(self, name: str, text: str) -> ToolError:
        if ran_out_of_memory(text):
            return self._connection.needed_more_memory()
        return ToolError(f"{name} failed: {shortened(text, _LONGEST_TEXT)}", fix=f"see {self._log}")


class _Method:
    """A method of an object elsewhere."""

    def __init__(self, remote: _Remote, name: str) -> None:
        self._remote, self._name = remote, name

    def __call__(self, *arguments: object, **named: object) -> object:
        (result,) = self._remote.call(self._name, [(arguments, named)])
        return result

    def each(self, values: Iterable[object]) -> list[object]:
        """See the function `each`."""
        return self._remote.call(self._name, [((value,), {}) for value in values])


def each(method: Callable[[Value], Result], values: Iterable[Value]) -> list[Result]:
    """Results of a method for several values; each travels to where it runs while the one before is worked on."""
    if isinstance(method, _Method):
        return cast("list[Result]", method.each(values))
    return [method(value) for value in values]


def _refusal(error: str, message: str, fix: str) -> GhostfaceEdgeError:
    kind = getattr(errors, error, ToolError)
    if not (isinstance(kind, type) and issubclass(kind, GhostfaceEdgeError)):
        kind = ToolError
    return kind(shortened(message, _LONGEST_TEXT), fix=shortened(fix, _LONGEST_TEXT))
