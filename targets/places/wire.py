"""Messages to and from a place: a JSON header and raw arrays, nothing that can be executed.

    uint32 header length | header, UTF-8 JSON | arrays, one after the other

All integers are little endian. The header's `arrays` lists NumPy's dtype string and the shape of each array, in order;
elsewhere in the header an array is written as `{"array": its place in that list}`. A request is once `{"serve": ...}`,
then `{"call": method, "arguments": {...}}`; the answers to it are any number of `{"told": [...]}` and one of
`{"done": value}`, `{"refused": {"error", "message", "fix"}}` and `{"failed": text}`. As often as `beat_s` of the first
request asks for, a far side that works says `{"alive": seconds}`: the processor time that it has used so far. One that
makes no progress is ended.

Boards run this file as it is: Python 3.9 and NumPy 1.21 are enough.
"""

import json
import math
import os
import re
import struct
import threading
from typing import Any, BinaryIO, Callable, Dict, Iterable, List, Tuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Header = Dict[str, Any]

MAX_HEADER_BYTES = 1 << 26
MAX_ARRAY_BYTES = 1 << 31
"""Of all arrays of a message."""
MAX_DIMENSIONS = 32
"""What every NumPy takes."""
_LENGTH = struct.Struct("<I")
_KINDS = "biuf"
_NUMBERS = re.compile("[<>|=]?([biu]1|[iuf]2|[iuf]4|[iuf]8)")


class WireError(Exception):
    """What came is no message of this protocol."""


def pack(header: Header, arrays: Iterable[Array] = ()) -> List[Any]:
    """Bytes of a message, as buffers to write one after the other.

    Raises:
        WireError: an array of something else than numbers.
    """
    dense = [np.asarray(array, order="C") for array in arrays]
    if foreign := [array.dtype for array in dense if array.dtype.kind not in _KINDS]:
        raise WireError(f"an array of {foreign[0]}")
    described = [(array.dtype.str, array.shape) for array in dense]
    text = json.dumps({**header, "arrays": described}).encode()
    return [_LENGTH.pack(len(text)) + text, *(array.reshape(-1).view(np.uint8).data for array in dense if array.size)]


def unpack(read: Callable[[int], bytearray], at_most: int = MAX_ARRAY_BYTES) -> Tuple[Header, List[Array]]:
    """Read one message.

    Args:
        read: gives exactly as many bytes as it is asked for, or raises EOFError.
        at_most: bytes of all its arrays.

    Raises:
        EOFError: the other side is gone.
        WireError: no message, or a larger one than is allowed.
    """
    (length,) = _LENGTH.unpack(read(_LENGTH.size))
    if length > MAX_HEADER_BYTES:
        raise WireError(f"a header of {length} bytes")
    try:
        header = json.loads(bytes(read(length)))
        described = [(_dtype(kind), [int(size) for size in shape]) for kind, shape in header.pop("arrays")]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise WireError(f"no header: {error}") from error
    arrays, left = [], at_most
    for dtype, shape in described:
        length = math.prod(shape) * dtype.itemsize
        left -= length
        sizes_fit = all(0 <= size <= at_most for size in shape)
        if len(shape) > MAX_DIMENSIONS or not sizes_fit or left < 0:
            raise WireError(f"an array of {dtype} {shape}")
        arrays.append(np.frombuffer(read(length), dtype).reshape(shape))
    return header, arrays


def _dtype(kind: Any) -> "np.dtype[Any]":
    """Of numbers only: NumPy reads far more than that out of a text."""
    if not _NUMBERS.fullmatch(str(kind)):
        raise ValueError(f"an array of {str(kind)[:20]!r}")
    return np.dtype(str(kind))


class StandardStreams:
    """This process's standard input and output as a connection; whatever prints goes to standard error from then on."""

    def __init__(self) -> None:
        self._requests: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._answers: BinaryIO = os.fdopen(os.dup(1), "wb")
        self._sending = threading.Lock()
        os.dup2(2, 1)
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - as short as it gets
            os.dup2(nothing.fileno(), 0)

    def receive(self) -> Tuple[Header, List[Array]]:
        """The next message; see `unpack`."""
        return unpack(self._read)

    def send(self, header: Header, arrays: Iterable[Array] = ()) -> None:
        """Write a message, whole, from whichever thread."""
        parts = pack(header, arrays)
        with self._sending:
            for part in parts:
                self._answers.write(part)
            self._answers.flush()

    def _read(self, size: int) -> bytearray:
        data = bytearray(size)
        view, at = memoryview(data), 0
        while at < size:
            count = self._requests.readinto(view[at:])  # type: ignore[attr-defined]
            if not count:
                raise EOFError
            at += count
        return data
