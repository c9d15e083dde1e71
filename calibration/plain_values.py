"""What a pickle of plain data may hold besides Python's own values, and the few calls that make it.

In: arguments as the pickle gives them, of any type. Out: text, byte strings, arrays. The stand-ins look at what they
are given and keep references to it; none of them allocates more than it was given.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

_MAX_RANK = 3
_MOST_ARGUMENTS = 8


class PlainPickleError(Exception):
    """Why a pickle is no plain data, or no pickle."""


class Text:
    """A unicode string; as Latin-1 it holds the bytes that pickles of protocols 0 to 2 have no type for."""

    __slots__ = ("_latin1", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._latin1: bytes | None = None

    @property
    def latin1(self) -> bytes:
        """The bytes; made once, however often the pickle asks."""
        if self._latin1 is None:
            self._latin1 = self.text.encode("latin-1")
        return self._latin1


class PlainArray:
    """Stands in for a NumPy array of uint8 or bool."""

    __slots__ = ("kind", "order", "raw", "shape")

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = (0,)
        self.kind = "u"
        """`u` or `b`, as NumPy's."""
        self.order: Literal["C", "F"] = "C"
        self.raw = b""

    def fill(self, raw: object, dtype: object, shape: object, order: Literal["C", "F"]) -> None:
        """Take bytes and shape, which must fit each other."""
        if not isinstance(raw, bytes) or not isinstance(dtype, _Dtype):
            raise PlainPickleError("it holds an array without bytes or dtype")
        if (
            not isinstance(shape, tuple)
            or len(shape) > _MAX_RANK
            or not all(isinstance(size, int) and size >= 0 for size in shape)
            or math.prod(shape) != len(raw)
        ):
            raise PlainPickleError(f"it holds an array whose {len(raw):,} bytes do not fit its shape")
        self.shape, self.kind, self.order, self.raw = shape, dtype.kind, order, raw


@dataclass(frozen=True, slots=True)
class _Dtype:
    kind: str


@dataclass(frozen=True, slots=True)
class Function:
    """Stands in for a function or class of that name."""

    name: str


def text_of(value: object) -> str:
    """A name, from a unicode string or from the byte string that Python 2 wrote."""
    if isinstance(value, Text):
        return value.text
    return value.decode("latin-1") if isinstance(value, bytes) else f"a value of type {type(value).__name__}"


def _dtype(code: object = None, *_: object) -> _Dtype:
    if (name := text_of(code)) not in ("u1", "b1"):
        raise PlainPickleError(f"it holds an array of dtype {name[:20]!r}, not of uint8 or bool")
    return _Dtype(name[0])


def _frombuffer(raw: object, dtype: object = None, shape: object = None, order: object = None, *_: object) -> object:
    array = PlainArray()
    is_fortran = order == b"F" or (isinstance(order, Text) and order.text == "F")
    array.fill(raw, dtype, shape, "F" if is_fortran else "C")
    return array


def _scalar(dtype: object = None, raw: object = None, *_: object) -> object:
    if not isinstance(dtype, _Dtype) or not isinstance(raw, bytes) or len(raw) != 1:
        raise PlainPickleError("it holds a number that is neither uint8 nor bool")
    return raw[0]


def _encode(text: object = None, encoding: object = None, *_: object) -> bytes:
    if not isinstance(text, Text) or (encoding is not None and text_of(encoding) != "latin1"):
        raise PlainPickleError("it encodes something else than text as Latin-1")
    try:
        return text.latin1
    except UnicodeEncodeError:
        raise PlainPickleError("it encodes text as Latin-1 that is not") from None


def _bytes(*arguments: object) -> bytes:
    if arguments:
        raise PlainPickleError("it calls bytes() with arguments")
    return b""


_CALLS: Mapping[str, Callable[..., object]] = MappingProxyType(
    {
        "_codecs.encode": _encode,
        "builtins.bytes": _bytes,
        "__builtin__.bytes": _bytes,
        "numpy.dtype": _dtype,
        "numpy.ndarray": lambda *_: PlainArray(),
        **{f"numpy.{core}.multiarray._reconstruct": lambda *_: PlainArray() for core in ("core", "_core")},
        **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("core", "_core")},
        **{f"numpy.{core}.numeric._frombuffer": _frombuffer for core in ("core", "_core")},
    }
)


def find(module: object, name: object) -> Function:
    """The stand-in of a function or class.

    Raises:
        PlainPickleError: plain data needs none of that name.
    """
    wanted = f"{text_of(module)}.{text_of(name)}"
    if wanted not in _CALLS:
        raise PlainPickleError(f"it asks for {wanted[:200]}, which plain images and labels never need")
    return Function(wanted)


def call(function: object, arguments: object) -> object:
    """What a stand-in makes of its arguments."""
    if not isinstance(function, Function) or not isinstance(arguments, tuple):
        raise PlainPickleError("it calls something that is no function")
    return _CALLS[function.name](*arguments[:_MOST_ARGUMENTS])


def build(target: object, state: object) -> object:
    """An object with its state."""
    if isinstance(target, PlainArray):
        if not isinstance(state, tuple) or len(state) != 5:
            raise PlainPickleError("it holds an array of an unknown kind")
        _, shape, dtype, fortran, raw = state
        target.fill(raw, dtype, shape, "F" if fortran is True or fortran == 1 else "C")
    elif not isinstance(target, _Dtype):  # byte order and alignment mean nothing for one-byte items
        raise PlainPickleError("it fills something that is no array")
    return target
