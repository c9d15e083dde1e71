"""InsightFace `.bin` files, read without running what a pickle may carry.

In: a pickle of (list of 2N encoded images, list of N booleans). Out: the images as bytes, the labels as an array. An
object that the file uses many times stays one object.
"""

import os
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import FACE_SIZE
from ghostface_edge.calibration.first_look import MAX_BYTES
from ghostface_edge.calibration.plain_pickle import load
from ghostface_edge.calibration.plain_values import PlainArray, PlainPickleError, Text
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file

_FIX = "use an InsightFace verification file such as lfw.bin, downloaded whole"


def read_bin(path: Path) -> tuple[list[bytes], NDArray[np.bool_]]:
    """Read a verification set.

    Returns:
        2N encoded images, of which pair i is 2i and 2i + 1, and N labels, true for the same person.

    Raises:
        InputError: unreadable, truncated, another structure, or asking for anything but plain data.
    """
    with open_file(path, fix=_FIX, at_most=MAX_BYTES) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            content = load(file, size)
        except PlainPickleError as error:
            raise InputError(f"{path}: {error}", fix=_FIX) from None
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", fix=_FIX) from None
    return _images_and_labels(path, content)


def write_bin(path: Path, images: list[bytes], same: list[bool]) -> None:
    """Write a verification set that InsightFace's own loader reads too."""
    path.write_bytes(pickle.dumps((images, same), protocol=4))


def _images_and_labels(path: Path, content: object) -> tuple[list[bytes], NDArray[np.bool_]]:
    if not isinstance(content, (tuple, list)) or len(content) != 2:
        raise InputError(f"{path} holds no (images, labels) pair", fix=_FIX)
    images, labels = content
    if isinstance(labels, PlainArray) and len(labels.shape) == 1:
        labels = list(labels.raw)
    if not isinstance(images, (tuple, list)) or not isinstance(labels, (tuple, list)):
        raise InputError(f"{path} holds no lists of images and labels", fix=_FIX)
    if len(images) != 2 * len(labels) or not labels:
        raise InputError(
            f"{path} holds {len(images):,} images and {len(labels):,} labels; {len(labels):,} pairs need "
            f"{2 * len(labels):,} images",
            fix=_FIX,
        )
    for number, label in enumerate(labels):
        if label not in (0, 1):
            raise InputError(f"{path}: label {number} is {_shown(label)}, not true or false", fix=_FIX)
    return _encoded(path, images), np.array(labels, np.bool_)


def _encoded(path: Path, images: Sequence[object]) -> list[bytes]:
    """The images as bytes; pixels become a PNG each, however many arrays share them."""
    encoded: dict[tuple[int, str], bytes] = {}
    found = []
    for number, image in enumerate(images):
        if isinstance(image, bytes):
            found.append(image)
        elif isinstance(image, PlainArray) and image.kind == "u" and len(image.shape) == 1:
            found.append(image.raw)
        elif isinstance(image, PlainArray) and image.kind == "u" and image.shape == (FACE_SIZE, FACE_SIZE, 3):
            pixels = id(image.raw), image.order
            if pixels not in encoded:
                encoded[pixels] = _png(np.frombuffer(image.raw, np.uint8).reshape(image.shape, order=image.order))
            found.append(encoded[pixels])
        else:
            raise InputError(
                f"{path}: image {number} is {_shown(image)}, neither encoded bytes nor a 112x112 RGB array", fix=_FIX
            )
    return found


def _shown(value: object) -> str:
    if isinstance(value, PlainArray):
        return f"an array of shape {value.shape}"
    if isinstance(value, int):
        return f"'{value}'"
    return f"of type {'str' if isinstance(value, Text) else type(value).__name__}"


def _png(face: NDArray[np.uint8]) -> bytes:
    import cv2

    return cv2.imencode(".png", face[:, :, ::-1])[1].tobytes()
