import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostface_edge.calibration.image_file import BadImageError, Colour, decode, read_header


def png_claiming(width: int, height: int, bits: int = 8, colour: int = 2) -> bytes:
    """A PNG whose header promises much and whose pixels are not there."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def cmyk_jpeg(jpeg: bytes) -> bytes:
    """A JPEG whose frame header claims a fourth component."""
    frame = jpeg.index(b"\xff\xc0")
    length = struct.unpack_from(">H", jpeg, frame + 2)[0]
    body = jpeg[frame + 4 : frame + 2 + length]
    widened = body[:5] + b"\x04" + body[6:] + b"\x04\x11\x00"
    return jpeg[: frame + 2] + struct.pack(">H", length + 3) + widened + jpeg[frame + 2 + length :]


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_decodes_to_rgb(encode, suffix):
    red = np.zeros((40, 30, 3), np.uint8)
    red[..., 0] = 250
    data = encode(red, suffix)
    header = read_header(data)
    assert (header.width, header.height, header.bits, header.colour, header.complete) == (30, 40, 8, Colour.RGB, True)
    assert decode(data).shape == (40, 30, 3)
    assert decode(data)[20, 15, 0] > 240
    assert decode(data)[20, 15, 2] < 10


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"GIF89a and so on", "neither a JPEG nor a PNG"),
        (b"\xff\xd8\xff\xe0", "truncated inside its header"),
        (b"\x89PNG\r\n\x1a\n\0\0", "truncated inside its header"),
        (png_claiming(20_000, 20_000), "20000x20000 pixels, more than 64 megapixels"),
        (png_claiming(0, 10), "0x10 pixels"),
        (png_claiming(10, 10, bits=16), "16 bits per channel"),
        (png_claiming(10, 10, colour=0), "grayscale"),
        (png_claiming(10, 10), "cannot be decoded"),
    ],
)
def test_refuses_by_reason(data, reason):
    with pytest.raises(BadImageError, match=reason):
        decode(data)


def test_refuses_cmyk(picture, encode):
    with pytest.raises(BadImageError, match="CMYK"):
        decode(cmyk_jpeg(encode(picture(1))))


def test_grayscale_only_where_asked_for(picture, encode):
    data = encode(picture(1)[:, :, 0])
    with pytest.raises(BadImageError, match="grayscale"):
        decode(data)
    gray = decode(data, gray=True)
    assert gray.shape == (112, 112, 3)
    assert (gray[..., 0] == gray[..., 2]).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_refuses_a_truncated_image(picture, encode, suffix, kept):
    data = encode(picture(1), suffix)
    with pytest.raises(BadImageError, match="truncated"):
        decode(data[: int(len(data) * kept)])


def test_a_thumbnail_in_a_cut_jpeg_is_not_its_end(picture, encode):
    thumbnail = encode(picture(2, 16, 16))
    whole = encode(picture(1))
    with_thumbnail = whole[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + whole[2:]
    assert read_header(with_thumbnail).width == 112
    assert read_header(with_thumbnail).complete
    assert not read_header(with_thumbnail[:-2]).complete


@given(st.binary(max_size=60), st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"]))
def test_any_bytes_are_read_or_refused(data, start):
    try:
        header = read_header(start + data)
    except BadImageError:
        return
    assert header.width >= 0
