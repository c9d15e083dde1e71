"""InsightFace `.bin` files, read without running what a pickle may carry.

In: a pickle of (list of 2N encoded images, list of N booleans). Out: the images as bytes, the labels as an array.
A pickle is a program; this reader knows only lists, tuples, strings, integers, booleans and uint8 or bool arrays,
and builds even those arrays itself, so that no shape in the file decides how much memory is taken.
"""

import io
import math
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import FACE_SIZE
from ghostface_edge.reports.errors import InputError

_FIX = "use an InsightFace verification file such as lfw.bin, downloaded whole"


def read_bin(path: Path) -> tuple[list[bytes], NDArray[np.bool_]]:
    """Read a verification set.

    Returns:
        2N encoded images, of which pair i is 2i and 2i + 1, and N labels, true for the same person.

    Raises:
        InputError: unreadable, truncated, another structure, or asking for anything but plain data.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", fix="name an existing .bin file") from None
    try:
        _check_program(data)
        content = _PlainUnpickler(io.BytesIO(data), encoding="bytes").load()
    except InputError as error:
        raise InputError(f"{path}: {error.message}", fix=error.fix) from None
    except Exception as error:  # a broken pickle may raise nearly anything
        raise InputError(f"{path} is not a complete pickle ({len(data):,} bytes): {error}", fix=_FIX) from None
    return _images_and_labels(path, content)


def write_bin(path: Path, images: list[bytes], same: list[bool]) -> None:
    """Write a verification set that InsightFace's own loader reads too."""
    path.write_bytes(pickle.dumps((images, same), protocol=4))


def _images_and_labels(path: Path, content: object) -> tuple[list[bytes], NDArray[np.bool_]]:
    if not isinstance(content, (tuple, list)) or len(content) != 2:
        raise InputError(f"{path} holds no (images, labels) pair", fix=_FIX)
    images, labels = (part.items() if isinstance(part, _Array) else part for part in content)
    if not isinstance(images, (tuple, list)) or not isinstance(labels, (tuple, list)):
        raise InputError(f"{path} holds no lists of images and labels", fix=_FIX)
    if len(images) % 2 or len(images) != 2 * len(labels) or not labels:
        raise InputError(
            f"{path} holds {len(images):,} images and {len(labels):,} labels; {len(labels):,} pairs need "
            f"{2 * len(labels):,} images",
            fix=_FIX,
        )
    for number, label in enumerate(labels):
        if not isinstance(label, int) or label not in (0, 1):
            raise InputError(f"{path}: label {number} is {str(label)[:40]!r}, not true or false", fix=_FIX)
    return [_encoded(path, number, image) for number, image in enumerate(images)], np.array(labels, np.bool_)


def _encoded(path: Path, number: int, image: object) -> bytes:
    if isinstance(image, bytes):
        return image
    if isinstance(image, _Array) and image.kind == "u" and len(image.shape) == 1:
        return image.raw
    if isinstance(image, _Array) and image.kind == "u" and image.shape == (FACE_SIZE, FACE_SIZE, 3):
        return _png(np.frombuffer(image.raw, np.uint8).reshape(image.shape, order=image.order))
    found = f"an array of shape {image.shape}" if isinstance(image, _Array) else f"of type {type(image).__name__}"
    raise InputError(f"{path}: image {number} is {found}, neither encoded bytes nor a 112x112 RGB array", fix=_FIX)


def _png(face: NDArray[np.uint8]) -> bytes:
    import cv2

    return cv2.imencode(".png", face[:, :, ::-1])[1].tobytes()


def _check_program(data: bytes) -> None:
    """Refuse a memo index beyond the instructions so far: the unpickler would allocate up to it."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if "PUT" in opcode.name and isinstance(argument, int) and argument > count:
            raise InputError(f"its instruction {count} stores at index {argument:,}", fix=_FIX)


class _Dtype:
    """Stands in for numpy.dtype."""

    def __init__(self, code: object, *_: object) -> None:
        self.kind = _text(code)[0]
        if _text(code) not in ("u1", "b1"):
            raise InputError(f"it holds an array of dtype {_text(code)[:20]!r}, not of uint8 or bool", fix=_FIX)

    def __setstate__(self, state: object) -> None:
        """Byte order and alignment mean nothing for one-byte items."""


class _Array:
    """Stands in for numpy.ndarray: keeps the bytes and checks that the shape fits them."""

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = (0,)
        self.kind = "u"
        self.order: Any = "C"
        self.raw = b""

    def __setstate__(self, state: tuple[int, tuple[int, ...], _Dtype, bool, bytes]) -> None:
        _, shape, dtype, fortran, raw = state
        self._fill(raw, dtype, shape, "F" if fortran else "C")

    def _fill(self, raw: bytes, dtype: _Dtype, shape: tuple[int, ...], order: str) -> None:
        if not isinstance(dtype, _Dtype) or math.prod(shape) != len(raw) or min(shape, default=0) < 0:
            raise InputError(f"it holds an array of shape {shape} in {len(raw):,} bytes", fix=_FIX)
        self.shape, self.kind, self.order, self.raw = tuple(shape), dtype.kind, order, bytes(raw)

    def items(self) -> list[bool]:
        """Give the labels of a one-dimensional array."""
        return [bool(byte) for byte in self.raw] if len(self.shape) == 1 else []


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _frombuffer(raw: bytes, dtype: _Dtype, shape: tuple[int, ...], order: object, *_: object) -> _Array:
    array = _Array()
    array._fill(raw, dtype, shape, _text(order))
    return array


def _scalar(_: _Dtype, raw: bytes) -> bool | int:
    return raw[0]


def _encode(text: str, encoding: object = "latin1") -> bytes:
    if _text(encoding) != "latin1":
        raise InputError(f"it encodes text as {_text(encoding)[:20]!r}", fix=_FIX)
    return text.encode("latin1")


def _bytes(*arguments: object) -> bytes:
    if arguments:
        raise InputError("it calls bytes() with arguments", fix=_FIX)
    return b""


def _text(value: object) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


_ALLOWED: dict[str, Callable[..., object] | type] = {
    "_codecs.encode": _encode,
    "builtins.bytes": _bytes,
    "__builtin__.bytes": _bytes,
    "numpy.ndarray": _Array,
    "numpy.dtype": _Dtype,
    **{f"numpy.{core}.multiarray._reconstruct": _reconstruct for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _frombuffer for core in ("core", "_core")},
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Hand out stand-ins for the few names that plain data needs."""
        wanted = f"{module}.{name}"
        if wanted not in _ALLOWED:
            raise InputError(f"it asks for {wanted}, which plain images and labels never need", fix=_FIX)
        return _ALLOWED[wanted]
