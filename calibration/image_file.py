"""One encoded image in, RGB pixels out; a hostile file is refused by its header, before any pixel is allocated.

Only JPEG and PNG are read: face sets hold nothing else, and every further decoder is native code fed by strangers.
"""

import struct
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 64_000_000
"""192 MB of RGB: above a 50-megapixel camera, far below what a decompression bomb asks for."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_COLOURS = {0: "gray", 2: "rgb", 3: "rgb", 4: "gray", 6: "rgb"}
_JPEG_COLOURS = {1: "gray", 3: "rgb", 4: "cmyk"}
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_SCAN = 0xDA
_JPEG_END = b"\xff\xd9"


class Colour(StrEnum):
    """How an image stores colour; palettes and alpha channels count as RGB, which they decode to."""

    RGB = "rgb"
    GRAY = "gray"
    CMYK = "cmyk"


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What a file says about itself before its pixels."""

    width: int
    height: int
    bits: int
    """Per channel."""
    colour: Colour
    complete: bool
    """Whether the end marker is there; decoders fill what is missing of a cut JPEG with gray."""


class BadImageError(Exception):
    """Why one image cannot be used; callers collect these and raise one InputError for all."""


def read_header(data: bytes) -> ImageHeader:
    """Parse a JPEG's or PNG's header.

    Raises:
        BadImageError: empty, another format, or cut before its header ends.
    """
    if not data:
        raise BadImageError("empty file")
    try:
        if data.startswith(_PNG_SIGNATURE):
            return _png_header(data)
        if data.startswith(b"\xff\xd8"):
            return _jpeg_header(data)
    except (struct.error, IndexError):
        raise BadImageError("truncated inside its header") from None
    raise BadImageError("neither a JPEG nor a PNG")


def decode(data: bytes, *, gray: bool = False) -> NDArray[np.uint8]:
    """RGB uint8 (H, W, 3) of an encoded image.

    Args:
        data: a JPEG or PNG, 8 bits per channel.
        gray: whether a one-channel image is spread over three; otherwise it is refused.

    Raises:
        BadImageError: not such an image, truncated, corrupt, or above MAX_PIXELS.
    """
    import cv2

    check_header(read_header(data), gray=gray)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise BadImageError("corrupt: it cannot be decoded")
    return np.asarray(image, np.uint8)


def check_header(header: ImageHeader, *, gray: bool = False) -> None:
    """Refuse an image that decodes to something other than what was photographed, or to too much of it.

    Raises:
        BadImageError: says which property is wrong.
    """
    if header.width * header.height > MAX_PIXELS:
        raise BadImageError(f"{header.width}x{header.height} pixels, more than {MAX_PIXELS // 1_000_000} megapixels")
    if header.width == 0 or header.height == 0:
        raise BadImageError(f"{header.width}x{header.height} pixels")
    if header.bits > 8:
        raise BadImageError(f"{header.bits} bits per channel instead of 8")
    if header.colour is Colour.CMYK or (header.colour is Colour.GRAY and not gray):
        raise BadImageError(f"{'CMYK' if header.colour is Colour.CMYK else 'grayscale'} instead of RGB")
    if not header.complete:
        raise BadImageError("truncated: its end is missing")


def _png_header(data: bytes) -> ImageHeader:
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    if data[12:16] != b"IHDR" or colour not in _PNG_COLOURS:
        raise BadImageError("corrupt PNG header")
    return ImageHeader(width, height, bits, Colour(_PNG_COLOURS[colour]), complete=b"IEND" in data[-64:])


def _jpeg_header(data: bytes) -> ImageHeader:
    """Walk the marker segments up to the first scan. Source: ITU-T T.81, annex B."""
    position, frame = 2, None
    while True:
        if data[position] != 0xFF:
            raise BadImageError("corrupt JPEG header")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in _JPEG_BARE_MARKERS:
            position += 2
        elif marker == _JPEG_SCAN:
            break
        else:
            (length,) = struct.unpack_from(">H", data, position + 2)
            if marker in _JPEG_FRAMES:
                frame = struct.unpack_from(">BHHB", data, position + 4)
            position += 2 + max(length, 2)
    if frame is None or frame[3] not in _JPEG_COLOURS:
        raise BadImageError("corrupt JPEG header")
    bits, height, width, channels = frame
    complete = data.find(_JPEG_END, position) >= 0
    return ImageHeader(width, height, bits, Colour(_JPEG_COLOURS[channels]), complete)
