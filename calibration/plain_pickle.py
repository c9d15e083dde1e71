"""Pickles of plain data, read by a small machine of our own: nothing in the file is ever called or looked up.

In: a pickle of any protocol that holds lists, tuples, strings, integers, booleans and one-byte NumPy arrays. Out: that
content, arrays as `PlainArray`. A pickle is a program; of its 68 instructions this machine knows those that plain data
needs, and of all functions the few that stand for an array or a byte string, under stand-ins of its own.

What a file may cost is known beforehand. Every instruction takes its bytes from the file or refers to an object that is
there already, no instruction multiplies anything, and there are at most MAX_INSTRUCTIONS of them.
Source: Python's `Lib/pickletools.py`, which describes every instruction.
"""

import codecs
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import BinaryIO, Final

from ghostface_edge.calibration.plain_values import PlainPickleError, Text, build, call, find

MAX_INSTRUCTIONS: Final = 1 << 20
"""About 30 belong to a pair: two arrays as Python 2 wrote them, and a label."""

_LINE = 200
"""Longest line of an instruction that is written as text, strings apart."""


def load(file: BinaryIO, size: int) -> object:
    """Run a pickle.

    Args:
        file: from where it starts; nothing behind its end is read.
        size: bytes from there to the end of the file.

    Raises:
        PlainPickleError: cut, damaged, too long, or more than plain data needs.
    """
    machine = _Machine(file, size)
    for _ in range(MAX_INSTRUCTIONS):
        code = machine.take(1)
        if code == b".":
            return machine.pop()
        step = _STEPS.get(code)
        if step is None:
            raise PlainPickleError(f"it is no pickle of plain data: instruction {code!r} at byte {machine.at - 1:,}")
        step(machine)
    raise PlainPickleError(f"it has more than {MAX_INSTRUCTIONS:,} instructions")


class _Machine:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self.at = 0
        self._file, self._size = file, size
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[int, object] = {}

    # what instructions carry

    def take(self, count: int) -> bytes:
        """The next bytes; asked of the file only where it has them."""
        if not 0 <= count <= self._size - self.at:
            raise PlainPickleError(f"it is not a complete pickle ({self._size:,} bytes)")
        self.at += count
        return self._file.read(count)

    def skip(self, count: int) -> None:
        self.take(count)

    def number(self, count: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(count), "little", signed=signed)

    def line(self, limit: int | None = _LINE) -> bytes:
        left = self._size - self.at
        text = self._file.readline(left if limit is None else min(limit + 1, left))
        if not text.endswith(b"\n"):
            raise PlainPickleError(f"it has a line without an end at byte {self.at:,} of {self._size:,}")
        self.at += len(text)
        return text[:-1]

    def decimal(self) -> int:
        text = self.line().rstrip(b"L")
        if not text.removeprefix(b"-").isdigit() or len(text) > 20:
            raise PlainPickleError(f"it holds {text[:20]!r} as a number")
        return int(text)

    # the stack

    def push(self, value: object) -> None:
        self._stack.append(value)

    def pop(self) -> object:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise PlainPickleError(f"nothing is on its stack at byte {self.at:,}")
        return self._stack.pop()

    def pop_many(self, count: int) -> tuple[object, ...]:
        return tuple(reversed([self.pop() for _ in range(count)]))

    def mark(self) -> None:
        self._marks.append(len(self._stack))

    def pop_to_mark(self) -> list[object]:
        if not self._marks:
            raise PlainPickleError(f"no mark is on its stack at byte {self.at:,}")
        place = self._marks.pop()
        values = self._stack[place:]
        del self._stack[place:]
        return values

    def extend(self, values: list[object]) -> None:
        target = self.pop()
        if not isinstance(target, list):
            raise PlainPickleError("it appends to something that is no list")
        target.extend(values)
        self.push(target)

    # the memo: objects are shared, never copied

    def put(self, place: int | None = None) -> None:
        value = self.pop()
        self.push(value)
        self._memo[len(self._memo) if place is None else place] = value

    def get(self, place: int) -> None:
        if place not in self._memo:
            raise PlainPickleError(f"it refers to object {place:,}, which it never stored")
        self.push(self._memo[place])


def _sized(width: int, machine: _Machine, *, signed: bool = False) -> None:
    machine.push(machine.take(machine.number(width, signed=signed)))


def _unicode(width: int, machine: _Machine) -> None:
    try:
        machine.push(Text(machine.take(machine.number(width)).decode("utf-8", "surrogatepass")))
    except UnicodeDecodeError:
        raise PlainPickleError("it holds text that is not UTF-8") from None


def _quoted(machine: _Machine) -> None:
    line = machine.line(limit=None)
    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:
        raise PlainPickleError("it holds a string without quotes")
    try:
        machine.push(codecs.escape_decode(line[1:-1])[0])
    except ValueError as error:
        raise PlainPickleError(f"it holds a string that cannot be read: {error}") from None


def _escaped(machine: _Machine) -> None:
    try:
        machine.push(Text(machine.line(limit=None).decode("raw-unicode-escape")))
    except UnicodeDecodeError as error:
        raise PlainPickleError(f"it holds text that cannot be read: {error.reason}") from None


def _integer(machine: _Machine) -> None:
    if (width := machine.number(1)) > 8:
        raise PlainPickleError(f"it holds a number of {width} bytes")
    machine.push(machine.number(width, signed=True))


def _stack_global(machine: _Machine) -> None:
    machine.push(find(*machine.pop_many(2)))


def _call(machine: _Machine) -> None:
    machine.push(call(*machine.pop_many(2)))


def _build(machine: _Machine) -> None:
    machine.push(build(*machine.pop_many(2)))


_STEPS: Mapping[bytes, Callable[[_Machine], None]] = MappingProxyType(
    {
        b"\x80": lambda machine: machine.skip(1),  # protocol
        b"\x95": lambda machine: machine.skip(8),  # frame
        b"N": lambda machine: machine.push(None),
        b"\x88": lambda machine: machine.push(True),
        b"\x89": lambda machine: machine.push(False),
        b"I": lambda machine: machine.push(machine.decimal()),
        b"L": lambda machine: machine.push(machine.decimal()),
        b"K": lambda machine: machine.push(machine.number(1)),
        b"M": lambda machine: machine.push(machine.number(2)),
        b"J": lambda machine: machine.push(machine.number(4, signed=True)),
        b"\x8a": _integer,
        b"S": _quoted,
        b"V": _escaped,
        b"U": partial(_sized, 1),
        b"C": partial(_sized, 1),
        b"T": partial(_sized, 4, signed=True),
        b"B": partial(_sized, 4),
        b"\x8e": partial(_sized, 8),
        b"\x96": partial(_sized, 8),
        b"\x8c": partial(_unicode, 1),
        b"X": partial(_unicode, 4),
        b"\x8d": partial(_unicode, 8),
        b"(": _Machine.mark,
        b"]": lambda machine: machine.push([]),
        b")": lambda machine: machine.push(()),
        b"l": lambda machine: machine.push(machine.pop_to_mark()),
        b"t": lambda machine: machine.push(tuple(machine.pop_to_mark())),
        b"\x85": lambda machine: machine.push(machine.pop_many(1)),
        b"\x86": lambda machine: machine.push(machine.pop_many(2)),
        b"\x87": lambda machine: machine.push(machine.pop_many(3)),
        b"a": lambda machine: machine.extend([machine.pop()]),
        b"e": lambda machine: machine.extend(machine.pop_to_mark()),
        b"p": lambda machine: machine.put(machine.decimal()),
        b"q": lambda machine: machine.put(machine.number(1)),
        b"r": lambda machine: machine.put(machine.number(4)),
        b"\x94": _Machine.put,
        b"g": lambda machine: machine.get(machine.decimal()),
        b"h": lambda machine: machine.get(machine.number(1)),
        b"j": lambda machine: machine.get(machine.number(4)),
        b"c": lambda machine: machine.push(find(machine.line(), machine.line())),
        b"\x93": _stack_global,
        b"R": _call,
        b"b": _build,
    }
)
