import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostface_edge.calibration.image_file import BadImageError, Colour, check, decode, read_header


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width: int, height: int, bits: int = 8, colour: int = 2) -> bytes:
    """A PNG whose header promises much and whose pixels are not there."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(b"\0"))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + pixels + png_chunk(b"IEND", b"")


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


def jpeg_scan(jpeg: bytes) -> tuple[int, int]:
    """Where a baseline JPEG's scan begins and ends."""
    start = jpeg.rindex(b"\xff\xda")
    return start + 2 + struct.unpack_from(">H", jpeg, start + 2)[0], jpeg.rindex(b"\xff\xd9")


def test_refuses_a_jpeg_whose_scan_runs_out(picture, encode):
    data = encode(picture(1))
    start, end = jpeg_scan(data)
    for kept in (0.1, 0.5, 0.99):
        with pytest.raises(BadImageError, match=r"damaged: .*premature end"):
            decode(data[: start + int((end - start) * kept)] + data[end:])


def test_refuses_a_jpeg_with_bytes_over_or_broken_codes(picture, encode):
    data = encode(picture(1))
    start, end = jpeg_scan(data)
    with pytest.raises(BadImageError, match=r"damaged: .*extraneous bytes"):
        decode(data[:end] + bytes(50) + data[end:])
    noise = np.random.default_rng(1).integers(0, 255, end - start, np.uint8).tobytes()
    with pytest.raises(BadImageError, match="damaged"):
        decode(data[:start] + noise + data[end:])


def test_refuses_every_png_with_a_changed_byte(picture, encode):
    data = encode(picture(1, 16, 16), ".png")
    end = data.index(b"IEND") - 4
    for place in range(data.index(b"IDAT") + 4, end, 7):
        with pytest.raises(BadImageError, match="damaged"):
            decode(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC9, 0xCA])
def test_refuses_unusual_jpegs(picture, encode, marker):
    data = encode(picture(1))
    frame = data.index(b"\xff\xc0")
    with pytest.raises(BadImageError, match="an unusual JPEG"):
        decode(data[: frame + 1] + bytes([marker]) + data[frame + 2 :])
    twice = data[frame : frame + 2 + struct.unpack_from(">H", data, frame + 2)[0]]
    with pytest.raises(BadImageError, match="an unusual JPEG"):
        decode(data[:frame] + twice + data[frame:])


def test_refuses_a_height_that_follows_the_scan(picture, encode):
    data = encode(picture(1))
    frame = data.index(b"\xff\xc0")
    with pytest.raises(BadImageError, match="112x0 pixels"):
        decode(data[: frame + 5] + b"\0\0" + data[frame + 7 :])


def test_scans_are_counted(picture):
    data = cv2.imencode(".jpg", picture(1), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert read_header(data).scans == 10
    assert decode(data).shape == (112, 112, 3)
    start, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    with pytest.raises(BadImageError, match="74 scans, more than 64"):
        decode(data[:end] + data[start:end] * 64 + data[end:])


def test_refuses_more_parts_than_any_picture_has(picture, encode):
    jpeg, png = encode(picture(1)), encode(picture(1), ".png")
    with pytest.raises(BadImageError, match="more than 65,536 segments"):
        decode(jpeg[:2] + b"\xff\xfe\0\2" * 70_000 + jpeg[2:])
    with pytest.raises(BadImageError, match="more than 65,536 chunks"):
        decode(png[:33] + png_chunk(b"tEXt", b"") * 70_000 + png[33:])
    assert decode(jpeg[:2] + b"\xff" * 1_000_000 + jpeg[2:]).shape == (112, 112, 3)


def test_texts_of_a_png_never_reach_the_decoder(picture, encode):
    """900 of them, 8 kB each, keep libpng busy for minutes; here a broken one shows whether it is looked at."""
    png = encode(picture(1), ".png")
    broken = png_chunk(b"zTXt", b"a\0\0" + b"no deflate")[:-1] + b"x"
    assert (decode(png[:33] + broken * 99 + png[33:]) == decode(png)).all()


def test_refuses_an_animation(picture, encode):
    png = encode(picture(1), ".png")
    with pytest.raises(BadImageError, match="an animation"):
        decode(png[:33] + png_chunk(b"acTL", bytes(8)) + png[33:])


def test_no_real_face_is_refused(assets):
    paths = [*(assets / "lfw/calibration").rglob("*.jpg"), *(assets / "lfw/raw").rglob("*.jpg")]
    for path in paths[::8]:
        check(path.read_bytes())
