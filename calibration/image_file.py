"""One encoded image in, RGB pixels out; a hostile file is refused by its header, before any pixel is allocated.

Only JPEG and PNG are read: face sets hold nothing else, and every further decoder is native code fed by strangers. What
a file may cost beyond its pixels is bounded too: scans of a progressive JPEG, chunks of a PNG that are no picture. A
damaged file is refused as far as its format can tell: every damaged PNG, and the JPEGs whose decoder complains.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 64_000_000
"""192 MB of RGB: above a 50-megapixel camera, far below what a decompression bomb asks for."""

MAX_SCANS = 64
"""Of a JPEG, each of which passes over all its pixels; encoders write about 10."""

_MAX_PARTS = 1 << 16
"""Segments of a JPEG, chunks of a PNG."""
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_COLOURS = {0: "gray", 2: "rgb", 3: "rgb", 4: "gray", 6: "rgb"}
_PNG_PICTURE = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_PNG_ANIMATION = b"acTL"
_JPEG_COLOURS = {1: "gray", 3: "rgb", 4: "cmyk"}
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_FRAMES_READ = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive; lossless and arithmetic ones are hardly ever written."""
_JPEG_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_JPEG_MARKER = re.compile(rb"\xff+[^\xff]", re.DOTALL)
_JPEG_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""The first marker that is no part of a scan's data."""


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
    scans: int = 1
    """Of a JPEG."""


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
        BadImageError: not such an image, truncated, damaged, or above MAX_PIXELS.
    """
    check(data, gray=gray)
    return _pixels(data)


def check(data: bytes, *, gray: bool = False) -> None:
    """Refuse what `decode` would, without keeping the pixels.

    A flipped bit in a JPEG's scan may give another valid scan, so some damage cannot be told from a picture; whatever
    leaves bytes over, runs out of them or breaks a code is found.

    Raises:
        BadImageError: as `decode`.
    """
    check_header(read_header(data), gray=gray)
    if data.startswith(_PNG_SIGNATURE):
        _pixels(data)
        return
    from simplejpeg import decode_jpeg

    try:
        decode_jpeg(data, "GRAY", min_factor=8, strict=True)
    except ValueError as error:
        raise BadImageError(f"damaged: {error}") from None


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
    if header.scans > MAX_SCANS:
        raise BadImageError(f"{header.scans:,} scans, more than {MAX_SCANS}")
    if not header.complete:
        raise BadImageError("truncated: its end is missing")


def _pixels(data: bytes) -> NDArray[np.uint8]:
    import cv2

    if data.startswith(_PNG_SIGNATURE):  # texts and profiles may be bombs of their own: 165 s for 7 MB of zTXt
        picture = [data[start:end] for kind, start, end in _png_chunks(data) if kind in _PNG_PICTURE]
        data = b"".join([_PNG_SIGNATURE, *picture])
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise BadImageError("damaged: it cannot be decoded")
    return np.asarray(image, np.uint8)


def _png_header(data: bytes) -> ImageHeader:
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    if data[12:16] != b"IHDR" or colour not in _PNG_COLOURS:
        raise BadImageError("corrupt PNG header")
    kind = b""
    for kind, _, _ in _png_chunks(data):
        if kind == _PNG_ANIMATION:
            raise BadImageError("an animation instead of one picture")
    return ImageHeader(width, height, bits, Colour(_PNG_COLOURS[colour]), complete=kind == b"IEND")


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of every whole chunk up to the last. Source: ISO/IEC 15948, section 5."""
    position = len(_PNG_SIGNATURE)
    for _ in range(_MAX_PARTS):
        if position + 12 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, position)
        if (end := position + 12 + length) > len(data):
            return
        yield kind, position, end
        if kind == b"IEND":
            return
        position = end
    raise BadImageError(f"more than {_MAX_PARTS:,} chunks")


def _jpeg_header(data: bytes) -> ImageHeader:
    frame, scans, marker = None, 0, 0
    for marker, position in _jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            if frame is not None or marker not in _JPEG_FRAMES_READ:
                raise BadImageError("an unusual JPEG: lossless, arithmetic or of several frames")
            frame = struct.unpack_from(">BHHB", data, position + 2)
        scans += marker == _JPEG_SCAN
    if frame is None or frame[3] not in _JPEG_COLOURS or not scans:
        raise BadImageError("corrupt JPEG header")
    bits, height, width, channels = frame
    return ImageHeader(width, height, bits, Colour(_JPEG_COLOURS[channels]), marker == _JPEG_END, scans)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Marker and start of what follows it, up to the end marker or the cut. Source: ITU-T T.81, annex B."""
    position = 2
    for _ in range(_MAX_PARTS):
        found = _JPEG_MARKER.match(data, position)
        if found is None:
            raise BadImageError("corrupt JPEG header" if position + 1 < len(data) else "truncated inside its header")
        marker, position = data[found.end() - 1], found.end()
        if marker in _JPEG_BARE_MARKERS:
            continue
        yield marker, position
        if marker == _JPEG_END:
            return
        (length,) = struct.unpack_from(">H", data, position)
        position += max(length, 2)
        if marker == _JPEG_SCAN:
            after = _JPEG_AFTER_SCAN.search(data, position)
            if after is None:
                return
            position = after.start()
    raise BadImageError(f"more than {_MAX_PARTS:,} segments")
