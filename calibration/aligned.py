"""Aligned faces: encoded images in, uint8 batches out, never more than one batch in memory."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.image_file import BadImageError, check, decode, read_header
from ghostface_edge.reports.errors import InputError

FACE_SIZE = 112
"""Side of an aligned face in pixels; the ArcFace template is made for it."""

_FIX = "replace the image, or align the photographs anew"


def check_aligned(data: bytes, *, gray: bool = False) -> None:
    """Check that an encoded image is an aligned face, and whole.

    Raises:
        BadImageError: another size, or what `image_file.check` refuses.
    """
    _check_size(data)
    check(data, gray=gray)


def iterate_faces(images: Sequence[bytes], batch: int) -> Iterator[NDArray[np.uint8]]:
    """Decode aligned faces batch by batch.

    A grayscale face is spread over three channels, as InsightFace's own loader does with its `.bin` files.

    Yields:
        RGB uint8 (B, 112, 112, 3); B is `batch` but for the last one.

    Raises:
        InputError: names the first image that is no readable 112x112 face.
    """
    for start in range(0, len(images), batch):
        chunk = images[start : start + batch]
        faces = np.empty((len(chunk), FACE_SIZE, FACE_SIZE, 3), np.uint8)
        for offset, data in enumerate(chunk):
            try:
                _check_size(data)
                faces[offset] = decode(data, gray=True)
            except BadImageError as error:
                where = f"image {start + offset} of {len(images)}"
                raise InputError(f"{where} cannot be used: {error}", fix=_FIX) from None
        yield faces


def _check_size(data: bytes) -> None:
    header = read_header(data)
    if (header.width, header.height) != (FACE_SIZE, FACE_SIZE):
        raise BadImageError(f"{header.width}x{header.height} pixels instead of {FACE_SIZE}x{FACE_SIZE}")
