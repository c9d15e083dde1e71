"""Hostile verification sets, pair lists, landmarks, images, archives, folders, training records and detectors."""

import bz2
import functools
import gzip
import io
import lzma
import os
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from . import good
from .case import PLACES, Case, Content, Door, Payload, case_folder, cut, flipped, later, link, sparse, tree

_PHOTOS = tree(good.photographs())
_FACES = tree(good.photographs())
BIN = Door("faces.bin", ("evaluate", "net.onnx", "--pairs", "faces.bin"), {"net.onnx": later(good.onnx_model)})
PAIRS = Door(
    "pairs.txt",
    ("evaluate", "net.onnx", "--pairs", "pairs.txt", "--faces", "faces"),
    {"net.onnx": later(good.onnx_model), "faces": _FACES},
)
PEOPLE = Door(
    "people.csv",
    (*PAIRS.arguments, "--reference", "net.onnx", "--groups", "people.csv"),
    {**PAIRS.around, "pairs.txt": good.pairs()},
)
LANDMARKS = Door("marks.csv", ("align", "photos", "-o", "out", "--landmarks", "marks.csv"), {"photos": _PHOTOS})
PHOTOS = Door("photos", ("align", "photos", "-o", "out", "--landmarks", "marks.csv"), {"marks.csv": good.landmarks()})
IMAGE = Door(
    f"photos/{good.PEOPLE[0]}/{good.PEOPLE[0]}_0001.png", PHOTOS.arguments, {**PHOTOS.around, "photos": _PHOTOS}
)
FACE = Door(
    f"faces/{good.PEOPLE[0]}/{good.PEOPLE[0]}_0001.png", PAIRS.arguments, {**PAIRS.around, "pairs.txt": good.pairs()}
)
CALIBRATION = Door(
    f"faces/{good.PEOPLE[0]}/{good.PEOPLE[0]}_0001.png",
    ("quantize", "net.onnx", "--target", "onnxruntime-int8", "--calibration", "faces", "-o", "out"),
    PAIRS.around,
)
DETECTOR = Door("detector.onnx", ("align", "photos", "-o", "out", "--detector", "detector.onnx"), {"photos": _PHOTOS})
RECORDS = Door("data/train.rec", ("train", "--data", "data", "--out", "out", "--epochs", "1"), {})
SHEET = Door("sheet.jpg", (*PHOTOS.arguments, "--sheet", "sheet.jpg"), {**PHOTOS.around, "photos": _PHOTOS})


def cases() -> Iterator[Case]:
    """All of this part."""
    yield from _bins()
    yield from _pair_lists()
    yield from _tables()
    yield from _people()
    yield from _images()
    yield from _archives()
    yield from _folders()
    yield from _records()
    yield from _detectors()


def _pickled(make: Callable[[Path], object], protocol: int = 4) -> Content:
    return lambda path: path.write_bytes(pickle.dumps(make(case_folder(path)), protocol))


def _bins() -> Iterator[Case]:
    whole = good.faces_bin()
    for name, content in (cut(whole) | flipped(whole, 2, 200)).items():
        # a byte of a picture may decode to another picture, and only its end shows that it is cut
        yield BIN.case(f"bin/{name}", content)
    images, labels = [good.image(number) for number in range(20)], [True, False] * 5
    code = {
        "reduce-exec": _pickled(lambda folder: (images, [Payload(folder), *labels[1:]])),
        "reduce-in-images": _pickled(lambda folder: ([Payload(folder), *images[1:]], labels), 2),
        "reduce-at-the-top": _pickled(Payload, 0),
    }
    for name, content in code.items():
        yield BIN.case(f"bin/{name}", content, runs_code=True)
    run = f"open('{'EXECUTED'}','w')".encode()
    programs = {
        "global-os-system": b"cos\nsystem\n(S'touch EXECUTED'\ntR.",
        "stack-global-subprocess": b"\x80\x04\x8c\nsubprocess\x8c\x05Popen\x93]\x8c\x05touchaR.",
        "inst-builtins-exec": b'(S"' + run + b'"\nibuiltins\nexec\n.',
        "obj-builtins-eval": b'(cbuiltins\neval\nS"' + run + b'"\no.',
        "newobj": b'\x80\x02cbuiltins\neval\n(S"' + run + b'"\nt\x81.',
        "build-setstate": b"cnumpy\nndarray\n)\x81(cos\nsystem\nS'touch EXECUTED'\ntb.",
        "getattr-chain": b"cbuiltins\ngetattr\n(cos\nenviron\nS'get'\ntR.",
        "dotted-name": b"\x80\x04\x8c\tnumpy.lib\x8c\x10npyio.os.system\x93(\x8c\x0etouch EXECUTEDtR.",
        "extension-registry": b"\x80\x02\x82\x01.",
        "persistent-id": b"Ptouch EXECUTED\n.",
        "numpy-load": b"cnumpy\nload\n(S'faces.bin'\nI00\nI01\ntR.",
        "codecs-encode-of-uu": b"c_codecs\nencode\n(S'x'\nS'uu'\ntR.",
    }
    for name, content in programs.items():
        yield BIN.case(f"bin/{name}", content, runs_code=True, quick=True)
    yield from _bin_bombs(images)
    labels_of = {
        "label-of-5000-digits": [10**5000, *labels[1:]],
        "label-two": [2, *labels[1:]],
        "label-nan": [float("nan"), *labels[1:]],
        "label-none": [None, *labels[1:]],
        "labels-missing": labels[:-1],
        "no-labels": [],
        "label-holds-itself": _cycle(),
        "label-text-with-newline": ["\n::error::PWNED", *labels[1:]],
    }
    for name, given in labels_of.items():
        yield BIN.case(f"bin/{name}", good.bin_of(images, given), quick=True)
    for name, given in {
        "images-are-text": ["a picture"] * 20,
        "images-holding-themselves": _cycle(20),
        "images-are-numbers": list(range(20)),
        "an-array-of-float": [np.zeros((112, 112, 3), np.float32)] * 20,
        "an-array-of-another-size": [np.zeros((64, 64, 3), np.uint8)] * 20,
        "an-object-array": np.array([[1], "x"] * 10, object),
        "an-odd-number-of-images": images[:19],
        "empty-images": [b""] * 20,
        "images-are-jpeg-headers": [b"\xff\xd8\xff\xe0"] * 20,
    }.items():
        yield BIN.case(f"bin/{name}", good.bin_of(given, labels), quick=True)
    yield BIN.case("bin/not-a-pair", pickle.dumps({"images": images}), quick=True)
    yield BIN.case("bin/nine-pairs", good.faces_bin(9), quick=True)
    for name, content in PLACES.items():
        yield BIN.case(f"bin/{name}", content, quick=name in {"pipe", "folder", "socket", "endless-device"})
    names = b"10\t1\n" + b"A\t1\t2\nA\t1\tB\t1\n" * 10
    for name, content in {
        "pipe": os.mkfifo,
        "endless-device": link("/dev/zero"),
        "wrong": names,
        "noise": b"\xff" * 99,
    }.items():
        door = Door(BIN.file, BIN.arguments, {**BIN.around, "pairs.txt": content})
        yield door.case(
            f"bin/beside-a-pairs-txt-that-is-{name}",
            whole,
            allowed=frozenset({0, 2}),
            why="a list beside a .bin that is not its own is passed over",
        )


def _cycle(length: int = 1) -> list[object]:
    holder: list[object] = [None] * length
    holder[0] = holder
    return holder


def _bin_bombs(images: list[bytes]) -> Iterator[Case]:
    """Little in the file, much in memory."""
    encode = b"c_codecs\nencode\nq\x00" + b"X" + struct.pack("<I", 50_000) + b"x" * 50_000 + b"q\x01" + b"0" * 2
    repeat = encode + b"](" + b"h\x00h\x01X\x06\0\0\0latin1\x86R" * 12_000 + b"e."
    array = pickle.dumps([np.zeros(1 << 15, np.uint8)] * 2, 2)[:-1]
    bombs = {
        "codecs-encode-repeated": b"\x80\x02" + repeat,
        "one-array-60000-times": later(lambda: good.bin_of([np.zeros((112, 112, 3), np.uint8)] * 60_000, [1] * 30_000, 2)),
        "one-image-4-million-times": later(lambda: good.bin_of([images[0]] * 4_000_000, [1] * 2_000_000)),
        "array-shape-of-terabytes": array.replace(b"M\x00\x80", b"J\xff\xff\xff\x7f") + b".",
        "memo-index-of-2-to-the-31": b"\x80\x02]r\xff\xff\xff\x7f.",
        "long-of-2-to-the-31-bytes": b"\x80\x02\x8b\xff\xff\xff\x7f.",
        "bytes-of-an-exabyte": b"\x80\x04\x8e" + (1 << 60).to_bytes(8, "little") + b"x.",
        "frame-of-an-exabyte": b"\x80\x04\x95" + (1 << 60).to_bytes(8, "little") + b"].",
        "bytearray-of-an-exabyte": b"\x80\x05\x96" + (1 << 60).to_bytes(8, "little") + b"x.",
        "a-million-brackets": b"\x80\x02" + b"(" * 1_000_000 + b".",
        "a-million-nested-tuples": b"\x80\x02N" + b"\x85" * 1_000_000 + b".",
        "doubling-lists": b"\x80\x02]" + b"".join(b"q" + bytes([k]) + b"](h" + bytes([k]) + b"h" + bytes([k]) + b"e" for k in range(40)) + b".",
        "doubling-tuples": b"\x80\x02N" + b"2\x86" * 60 + b"N\x86.",
        "an-integer-of-a-million-digits": b"I" + b"9" * 1_000_000 + b"\n.",
        "a-long-of-a-megabyte": b"\x80\x02\x8b" + (1 << 20).to_bytes(4, "little") + b"\x7f" * (1 << 20) + b".",
        "dup-million": b"\x80\x02(X\x05\0\0\0abcde" + b"2" * 1_000_000 + b"l.",
    }  # fmt: skip
    for name, content in bombs.items():
        yield BIN.case(f"bin/{name}", content)


def _pair_lists() -> Iterator[Case]:
    whole = good.pairs()
    first, second = good.PEOPLE[:2]
    lists = {
        "header-of-5000-digits": b"1" * 5000 + b"\t1\n" + whole.split(b"\n", 1)[1],
        "header-promises-a-billion": b"1000000000\t1\n" + whole.split(b"\n", 1)[1],
        "header-zero": b"0\t0\n",
        "header-negative": b"-2\t-1\n",
        "header-superscript": "²\t1\n".encode() + whole.split(b"\n", 1)[1],
        "header-arabic-digits": "٢\t١\n".encode() + whole.split(b"\n", 1)[1],
        "number-of-5000-digits": b"1\n" + f"{first}\t1\t{'9' * 5000}\n{first}\t1\t{second}\t1\n".encode(),
        "a-name-that-climbs": f"1\n../{first}\t1\t2\n{first}\t1\t{second}\t1\n".encode(),
        "a-name-that-is-dots": f"1\n..\t1\t2\n{first}\t1\t{second}\t1\n".encode(),
        "a-name-with-a-zero-byte": f"1\n{first}\0\t1\t2\n{first}\t1\t{second}\t1\n".encode(),
        "a-name-with-escapes": f"1\n{first}\x1b[2J\t1\t2\n{first}\t1\t{second}\t1\n".encode(),
        "a-name-that-turns-direction": f"1\n{first}\u202e\t1\t2\n{first}\t1\t{second}\t1\n".encode(),
        "a-name-with-a-line-separator": f"1\n{first}\u2028::error::PWNED\t1\t2\n".encode(),
        "a-carriage-return": f"1\n{first}\r::error::PWNED\t1\t2\n{first}\t1\t{second}\t1\n".encode(),
        "one-image-twice": f"1\n{first}\t1\t1\n{first}\t1\t{second}\t1\n".encode(),
        "one-person-as-two": f"1\n{first}\t1\t2\n{first}\t1\t{first}\t2\n".encode(),
        "latin-1": b"1\nJos\xe9\t1\t2\nJos\xe9\t1\tB\t1\n",
        "utf-16": whole.decode().encode("utf-16"),
        "a-line-of-10-megabytes": b"1\n" + b"x" * 10_000_000 + b"\n",
        "a-million-tabs": b"1\n" + b"\t" * 1_000_000 + b"\nA\t1\tB\t1\n",
        "half-a-million-bad-lines": b"1\t250000\n" + b"\t\n" * 500_000,
        "nobody-there": b"1\nZed\t1\t2\nZed\t1\tYan\t1\n",
        "nothing-but-newlines": b"\n" * 1000,
        "a-mark-and-nothing": b"\xef\xbb\xbf",
        "a-pickle": good.faces_bin(1),
    }
    for name, content in (lists | cut(whole, (0.5,))).items():
        yield PAIRS.case(f"pairs/{name}", content, quick=True)
    for name, content in PLACES.items():
        yield PAIRS.case(f"pairs/{name}", content, quick=name in {"pipe", "endless-device", "8-gib"})


def _tables() -> Iterator[Case]:
    whole = good.landmarks()
    header, row, rest = whole.split(b"\n", 2)
    name = row.split(b",")[0]
    tables = {
        "no-header": row + b"\n" + rest,
        "a-column-too-few": header + b"\n" + row.rsplit(b",", 1)[0] + b"\n",
        "nan": header + b"\n" + name + b",nan" * 10 + b"\n",
        "infinite": header + b"\n" + name + b",1e999" * 10 + b"\n",
        "equal-points": header + b"\n" + name + b",5" * 10 + b"\n" + rest,
        "points-far-away": header + b"\n" + name + b",1e300" * 10 + b"\n" + rest,
        "a-number-of-a-million-digits": header + b"\n" + name + b",1" * 9 + b"," + b"9" * 1_000_000 + b"\n" + rest,
        "a-field-of-10-megabytes": header + b"\n" + b"x" * 10_000_000 + b",1" * 10 + b"\n",
        "an-open-quote": header + b'\n"' + row + b"\n" + rest,
        "a-zero-byte": header + b"\n\0" + row + b"\n",
        "the-same-twice": whole + row + b"\n",
        "a-name-that-climbs": header + b"\n../../x.png" + b",1" * 10 + b"\n",
        "a-name-with-a-newline": header
        + b'\n"x\n::error::PWNED"'
        + b",1" * 10
        + b'\n"x\n::error::PWNED"'
        + b",1" * 10
        + b"\n",
        "a-name-with-escapes": header + b"\n\x1b[31mx" + b",1" * 10 + b"\n\x1b[31mx" + b",1" * 10 + b"\n",
        "a-million-columns": b"image" + b",x" * 1_000_000 + b"\n",
        "underscored-numbers": header + b"\n" + name + b",1_0" * 10 + b"\n",
        "utf-16": whole.decode().encode("utf-16"),
        "of-other-people": header + b"\nZed/Zed_0001.png" + b",1,2,3,4,5,6,7,8,9,0\n",
    }
    for given, content in (tables | cut(whole, (0.02,))).items():
        yield LANDMARKS.case(f"landmarks/{given}", content)
    for given, content in PLACES.items():
        yield LANDMARKS.case(f"landmarks/{given}", content)


def _people() -> Iterator[Case]:
    whole, first = good.people(), good.PEOPLE[0].encode()
    header = b"person,sex\n"
    tables = {
        "no-header": whole.split(b"\n", 1)[1],
        "no-attribute": b"person\n" + first + b"\n",
        "a-column-too-few": header + first + b"\n",
        "a-column-too-many": header + first + b",f,m\n",
        "the-same-twice": whole + whole.split(b"\n")[1] + b"\n",
        "a-field-of-10-megabytes": header + first + b"," + b"x" * 10_000_000 + b"\n",
        "a-million-columns": b"person" + b",x" * 1_000_000 + b"\n",
        "a-value-each": b"person,id\n" + b"".join(b"p%d,%d\n" % (n, n) for n in range(100_000)),
        "an-open-quote": header + b'"' + first + b",f\n",
        "a-zero-byte": header + first + b",\0\n",
        "a-value-with-a-newline": header + first + b',"f\n::error::PWNED"\n',
        "a-value-with-escapes": header + first + b",\x1b[31mf\n",
        "an-attribute-with-escapes": b"person,\x1b[31msex\n" + first + b",f\n",
        "utf-16": whole.decode().encode("utf-16"),
        "of-other-people": header + b"Zed,f\n",
    }
    for given, content in (tables | cut(whole, (0.02,))).items():
        yield PEOPLE.case(f"people/{given}", content, quick=given in {"a-value-each", "a-value-with-escapes"})
    for given, content in PLACES.items():
        yield PEOPLE.case(f"people/{given}", content)


def png(
    width: int, height: int, *, bits: int = 8, colour: int = 2, data: bytes | None = None, more: bytes = b""
) -> bytes:
    """A PNG that says this of itself."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = bytes(1 + 3 * min(width, 200)) * min(height, 200) if data is None else data
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _images() -> Iterator[Case]:
    jpeg, whole = good.image(3, 112, ".jpg"), good.image(3)
    scan = jpeg.index(b"\xff\xda")
    middle = (scan + len(jpeg)) // 2
    images = {
        "jpeg-with-zeros-in-its-scan": jpeg[:middle] + bytes(200) + jpeg[middle + 200 :],
        "jpeg-with-a-scan-cut-out": jpeg[: scan + 20] + b"\xff\xd9",
        "jpeg-with-half-its-scan": jpeg[:middle] + b"\xff\xd9",
        "jpeg-cut": jpeg[:middle],
        "jpeg-without-tables": b"\xff\xd8" + jpeg[jpeg.index(b"\xff\xc0") :],
        "jpeg-of-65535-squared": jpeg.replace(struct.pack(">HH", 112, 112), b"\xff\xff\xff\xff", 1),
        "jpeg-of-no-height": jpeg.replace(struct.pack(">HH", 112, 112), b"\x00\x00\x00\x70", 1),
        "jpeg-marker-for-ever": b"\xff\xd8" + b"\xff" * 100_000,
        "jpeg-of-empty-segments": b"\xff\xd8" + b"\xff\xe0\x00\x00" * 50_000,
        "jpeg-of-two-frames": jpeg[:2] + jpeg[jpeg.index(b"\xff\xc0") : scan] + jpeg[2:],
        "png-of-4-gigapixels": png(65_535, 65_535),
        "png-of-2-to-the-31": png(2**31 - 1, 2**31 - 1),
        "png-of-no-width": png(0, 112),
        "png-of-16-bits": png(112, 112, bits=16),
        "png-of-unknown-colour": png(112, 112, colour=7),
        "png-with-a-wrong-checksum": whole[:29] + b"\0\0\0\0" + whole[33:],
        "png-with-data-of-a-gigabyte": later(lambda: png(112, 112, data=bytes(1 << 30))),
        "png-with-too-little-data": png(112, 112, data=bytes(100)),
        "png-with-broken-data": whole[:60] + bytes(100) + whole[160:],
        "png-with-a-text-bomb": later(lambda: png(112, 112, more=_text_bomb())),
        "gif": b"GIF89a" + bytes(500),
        "webp": b"RIFF\x00\x10\0\0WEBPVP8 " + bytes(500),
        "tiff": b"II*\0" + bytes(500),
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "html": b"<script>alert(1)</script>",
    }  # fmt: skip
    for name, content in (images | cut(whole, (0.3,))).items():
        # a text chunk is legal, and so is more data than rows need
        allowed = (
            frozenset({0, 2}) if name in {"png-with-a-text-bomb", "png-with-data-of-a-gigabyte"} else frozenset({2})
        )
        why = "what is too much is passed over by the decoder" if 0 in allowed else ""
        yield IMAGE.case(f"image/{name}", content, allowed=allowed, why=why)
        if name.startswith(("jpeg-with", "png-with-b", "png-with-too")):
            yield FACE.case(f"face/{name}", content)
            yield CALIBRATION.case(f"calibration/{name}", content)
    for name in ("pipe", "endless-device", "dangling-link", "empty", "8-gib", "socket"):
        # what is no file is not there: the list or the CSV then names what is missing
        yield IMAGE.case(
            f"image/{name}", PLACES[name], allowed=frozenset({0, 2}), why="what is no file may be passed over"
        )
        yield FACE.case(f"face/{name}", PLACES[name])
        if name in {"empty", "8-gib"}:
            yield CALIBRATION.case(f"calibration/{name}", PLACES[name])


def _text_bomb() -> bytes:
    body = b"Comment\0\0" + zlib.compress(bytes(1 << 28))
    return struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))


def _tar(build: Callable[[tarfile.TarFile], None], **options: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", **options) as tar:
        build(tar)
    return buffer.getvalue()


def _header(name: bytes, size: int, kind: bytes, prefix: bytes = b"") -> bytes:
    """A raw tar header with a right checksum."""
    number = f"{size:011o}\0".encode() if size < 8**11 else b"\x80" + size.to_bytes(11, "big")
    block = name[:100].ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + number + b"00000000000\0"
    block += b" " * 8 + kind + bytes(100) + b"ustar\x0000" + bytes(80) + prefix[:155].ljust(155, b"\0") + bytes(12)
    checksum = f"{sum(block):06o}\0 ".encode()
    return block[:148] + checksum + block[156:]


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def _archives() -> Iterator[Case]:
    whole, plain = good.archive(), good.archive(mode="w")
    first = f"lfw/{good.PEOPLE[0]}/{good.PEOPLE[0]}_0001.png"
    picture = good.image(1)
    end = bytes(1024)
    huge = 2 << 30
    record = f"{huge} comment=".encode()
    tars: dict[str, Content] = {
        "pax-header-of-2-gib.tgz": _gzip_of_zeros(_header(b"x", huge, b"x") + record, huge, b"\n" + plain),
        "pax-global-header-of-2-gib.tgz": _gzip_of_zeros(_header(b"g", huge, b"g") + record, huge, b"\n" + plain),
        "gnu-long-name-of-2-gib.tgz": _gzip_of_zeros(_header(b"././@LongLink", huge, b"L"), huge, plain),
        "gnu-long-link-of-2-gib.tgz": _gzip_of_zeros(_header(b"././@LongLink", huge, b"K"), huge, plain),
        "pax-headers-200000-times.tgz": later(lambda: gzip.compress(_header(b"x", 15, b"x") + _padded(b"15 comment=abc\n")) * 200_000 + gzip.compress(plain)),
        "pax-header-nonsense.tar": _header(b"x", 512, b"x") + b"99999999999 path=x\n".ljust(512, b"\0") + plain,
        "pax-header-of-25-digits.tar": _header(b"x", 512, b"x") + (b"9" * 25 + b" path=x\n").ljust(512, b"\0") + plain,
        "pax-header-length-zero.tar": _header(b"x", 512, b"x") + b"0 path=x\n".ljust(512, b"\0") + plain,
        "pax-size-negative.tar": _with_pax({"size": "-5"}),
        "pax-size-of-5000-digits.tar": _with_pax({"size": "9" * 5000}),
        "pax-path-with-newline.tar": _with_pax({"path": "lfw/A/\n::error::PWNED.png"}),
        "pax-path-with-zero.tar": _with_pax({"path": "lfw/A/A\0.png"}),
        "pax-path-climbing.tar": _with_pax({"path": "../../EXECUTED/EXECUTED.png"}),
        "gnu-sparse-map.tar": _with_pax({"GNU.sparse.map": "a,b,c", "GNU.sparse.size": "x", "GNU.sparse.major": "0"}),
        "gnu-sparse-1.0.tar": _with_pax({"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9" * 20}),
        "gnu-sparse-numblocks.tar": _with_pax({"GNU.sparse.numblocks": "x", "GNU.sparse.map": "0," + "9" * 400}),
        "gnu-sparse-old.tar": _header(first.encode(), 512, b"S")[:386] + b"\xff" * 126 + bytes(512) + end,
        "member-of-an-exabyte.tar": _header(first.encode(), 1 << 60, b"0") + picture + end,
        "member-of-negative-size.tar": _header(first.encode(), 5, b"0").replace(b"00000000005\0", b"\xff" * 12) + end,
        "member-of-8-gib-of-zeros.tgz": _gzip_of_zeros(_header(first.encode(), 1 << 33, b"0"), 1 << 33, end),
        "a-device.tar": _tar(lambda tar: _add(tar, first, type=tarfile.CHRTYPE, devmajor=1, devminor=5)),
        "a-pipe.tar": _tar(lambda tar: _add(tar, first, type=tarfile.FIFOTYPE)),
        "a-link-out.tar": _tar(lambda tar: _add(tar, first, type=tarfile.SYMTYPE, linkname="/etc/passwd")),
        "a-hard-link-out.tar": _tar(lambda tar: _add(tar, first, type=tarfile.LNKTYPE, linkname="../../../etc/passwd")),
        "links-in-a-ring.tar": _tar(lambda tar: [_add(tar, f"lfw/A/A_{k:04d}.png", type=tarfile.LNKTYPE, linkname=f"lfw/A/A_{3 - k:04d}.png") for k in (1, 2)]),
        "absolute-paths.tar": _tar(lambda tar: _add(tar, f"/{first}", data=picture)),
        "climbing-paths.tar": _tar(lambda tar: _add(tar, f"../{first}", data=picture)),
        "an-unknown-kind.tar": _header(first.encode(), 5, b"Z") + _padded(b"12345") + end,
        "a-wrong-checksum.tar": plain[:148] + b"0000000\0" + plain[156:],
        "two-hundred-thousand-names.tgz": later(lambda: gzip.compress(b"".join(_header(f"lfw/A/A_{k:06d}.png".encode(), 0, b"0") for k in range(200_000)) + end, 1)),
        "no-images.tar": _tar(lambda tar: _add(tar, "lfw/README", data=b"hello")),
        "nothing.tar": end,
        "zip-in-disguise.tar": _zipped(),
        "gzip-trailer-wrong.tgz": whole[:-8] + bytes(8),
        "gzip-of-noise.tgz": gzip.compress(os.urandom(5000)),
        "gzip-header-only.tgz": whole[:10],
        "gzip-of-gzip.tgz": gzip.compress(whole),
        "gzip-ten-gib-of-zeros.tgz": _gzip_of_zeros(b"", 10 << 30, b""),
        "xz-of-noise.tar.xz": lzma.compress(bytes(range(256)) * 20),
        "xz-cut.tar.xz": lzma.compress(plain)[:-40],
        "xz-with-a-dictionary-of-4-gib.tar.xz": _xz_with_a_big_dictionary(),
        "xz-bomb.tar.xz": later(lambda: lzma.compress(bytes(1 << 28), preset=0) * 30),
        "bz2-cut.tar.bz2": bz2.compress(plain)[:-40],
        "bz2-broken.tar.bz2": bz2.compress(plain)[:20] + bytes(400),
        "not-a-tar.tar": b"hello" * 1000,
    }  # fmt: skip
    passed_over = {
        "pax-header-nonsense.tar",
        "gnu-sparse-1.0.tar",
        "pax-path-with-zero.tar",
        "pax-headers-200000-times.tgz",
    }
    for name, content in tars.items():
        # the members behind may be whole: then the archive is read and they are aligned
        readable = name in passed_over
        suffix = name.partition(".")[2] if not name.startswith("gnu-sparse-1.0") else "tar"
        yield PHOTOS.renamed(f"photos.{suffix}").case(
            f"archive/{name}",
            content,
            allowed=frozenset({0, 2}) if readable else frozenset({2}),
            why="whatever is odd of it may be passed over, the photographs behind are whole" if readable else "",
        )
    for name, content in (cut(whole) | flipped(whole, 3, 3000)).items():
        yield PHOTOS.renamed("photos.tgz").case(f"archive/{name}", content)
    for name, content in PLACES.items():
        yield PHOTOS.renamed("photos.tgz").case(f"archive/{name}", content)
    for name, data in {"zip": _zipped(), "7z": b"7z\xbc\xaf'\x1c" + bytes(100)}.items():
        yield PHOTOS.renamed(f"photos.{name}").case(f"archive/a-{name}", data)


def _with_pax(fields: dict[str, str]) -> bytes:
    """A member with these pax fields, written as they are."""
    body = b""
    for key, text in fields.items():
        rest = f" {key}={text}\n".encode()
        length = len(rest) + 1
        while len(str(length)) + len(rest) != length:
            length = len(str(length)) + len(rest)
        body += str(length).encode() + rest
    name = f"lfw/{good.PEOPLE[0]}/{good.PEOPLE[0]}_0001.png".encode()
    member = _header(name, len(good.image(1)), b"0") + _padded(good.image(1))
    return _header(b"x", len(body), b"x") + _padded(body) + member + bytes(1024)


def _add(tar: tarfile.TarFile, name: str, *, data: bytes = b"", **fields: object) -> None:
    entry = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(entry, field, value)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


def _gzip_of_zeros(start: bytes, size: int, end: bytes) -> Content:
    """A gzip of `start`, so many zeros and `end`, as members of one stream of which most are alike."""

    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.write(gzip.compress(start))
            for _ in range(size >> 26):
                file.write(_zeros())
            file.write(gzip.compress(end))

    return make


@functools.cache
def _zeros() -> bytes:
    return gzip.compress(bytes(1 << 26), 9)


def _xz_with_a_big_dictionary() -> bytes:
    """A stream whose header asks the decoder for 4 GiB before the first byte."""
    data = bytearray(lzma.compress(good.archive(mode="w"), lzma.FORMAT_XZ))
    at = data.index(b"\x21\x01", 12)
    data[at + 2] = 40
    size = 4 * (data[12] + 1)
    data[12 + size - 4 : 12 + size] = zlib.crc32(bytes(data[12 : 12 + size - 4])).to_bytes(4, "little")
    return bytes(data)


def _zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in good.photographs().items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _folders() -> Iterator[Case]:
    people, photographs = good.PEOPLE, good.photographs()
    stranger = {f"{people[0]}/x.png": good.image(50)}
    odd = {
        "a-name-with-a-newline": "x\n::error::PWNED",
        "a-name-with-escapes": "x\x1b[31m",
        "a-name-that-is-not-utf-8": os.fsdecode(b"x\xff\xfe"),
        "a-name-that-turns-direction": "x\u202egnp",
        "a-name-of-250-bytes": "x" * 250,
        "a-name-that-looks-like-an-option": "--help",
        "a-name-that-is-markup": "[red]x[bold]",
    }
    for name, person in odd.items():
        for where, door in {"photos": PHOTOS, "calibration": CALIBRATION}.items():
            files = {**photographs, f"{person}/{person[:200]}_0001.png": b"no picture"}
            file = "photos" if where == "photos" else "faces"
            around = {key: value for key, value in door.around.items() if key != file}
            yield Door(file, door.arguments, around).case(f"{where}/{name}", tree(files))
        if not name.startswith("a-name-that-looks"):
            renamed = BIN.renamed(f"{person}.bin")
            yield renamed.case(f"bin/{name}", b"no pickle")
    contents: dict[str, Content] = {
        "empty": tree({}),
        "of-text-files": tree({"A/a.txt": b"hello"}),
        "of-folders-named-png": tree({"A/x.png/y.txt": b"hello"}),
        "of-links-in-a-ring": tree({"A": link("B"), "B": link("A")}),
        "a-link-to-itself-inside": lambda path: (tree(photographs)(path), (path / "loop").symlink_to(".")),
        "deep": tree({"/".join(["A"] * 200) + "/x.png": good.image(1)}),
        "of-pipes": tree({f"{people[0]}/{people[0]}_0001.png": os.mkfifo, f"{people[0]}/{people[0]}_0002.png": os.mkfifo}),
        "of-50000-empty-files": tree({f"A/A_{number:05d}.png": b"" for number in range(50_000)}),
        "with-a-photograph-that-no-row-names": tree({**photographs, **stranger}),
    }  # fmt: skip
    for name, content in contents.items():
        allowed = frozenset({0, 2}) if name == "a-link-to-itself-inside" else frozenset({2})
        why = "its photographs are whole; the link shows them again" if 0 in allowed else ""
        yield PHOTOS.case(f"photos/{name}", content, allowed=allowed, why=why)
    for name in ("pipe", "endless-device", "socket", "dangling-link", "link-to-itself", "noise"):
        yield PHOTOS.case(f"photos/{name}", PLACES[name])
    manifest = b'{"key": "x", "files": [{"file": "../../EXECUTED", "name": "x"}], "skipped": []}'
    outs: dict[str, Content] = {
        "a-file": b"mine",
        "a-folder-with-other-things": tree({"mine.txt": b"mine"}),
        "a-link-to-a-folder-with-other-things": lambda path: (tree({"mine.txt": b"mine"})(path.with_name("mine")), path.symlink_to("mine")),
        "a-pipe": os.mkfifo,
        "a-folder-with-a-manifest-that-is-a-pipe": tree({"aligned.json": os.mkfifo, "mine.txt": b"mine"}),
        "a-folder-with-a-manifest-that-climbs": tree({"aligned.json": manifest, "mine.txt": b"mine"}),
    }  # fmt: skip
    whole = {**PHOTOS.around, "photos": tree(photographs)}
    for name, content in outs.items():
        # a folder with a manifest was written by `align`, whoever changed it since
        ours = "manifest" in name
        yield Door("out", PHOTOS.arguments, whole).case(
            f"out/align-into-{name}",
            content,
            allowed=frozenset({0, 2}) if ours else frozenset({2}),
            why="a folder with align's own manifest is align's to write anew" if ours else "",
        )


def _records() -> Iterator[Case]:
    rec, idx = good.records()
    frame = struct.Struct("<II")
    files: dict[str, tuple[Content, Content]] = {
        "rec-cut": (rec[: len(rec) // 2], idx),
        "rec-of-noise": (bytes(range(256)) * 40, idx),
        "rec-of-zeros": (bytes(len(rec)), idx),
        "a-record-of-512-mb": (frame.pack(good.RECORD_MAGIC, (1 << 29) - 4) + rec[8:], idx),
        "a-record-of-4-billion-labels": (rec[:8] + b"\xff\xff\xff\xff" + rec[12:], idx),
        "a-header-of-nan": (good.record(b"", float("nan"), float("nan")) + rec[len(good.record(b"", 5.0, 7.0)) :], idx),
        "a-header-of-infinity": (good.record(b"", float("inf"), 1e38) + rec[len(good.record(b"", 5.0, 7.0)) :], idx),
        "a-billion-people": (good.record(b"", 5.0, 1e9) + rec[len(good.record(b"", 5.0, 7.0)) :], idx),
        "no-people": (good.record(b"", 5.0, 5.0) + rec[len(good.record(b"", 5.0, 7.0)) :], idx),
        "an-index-beyond-the-file": (rec, idx.replace(b"1\t", b"1\t9999999999")),
        "an-index-of-5000-digits": (rec, b"0\t0\n1\t" + b"9" * 5000 + b"\n"),
        "an-index-of-an-exabyte": (rec, b"0\t0\n1\t" + str(1 << 62).encode() + b"\n"),
        "an-index-of-negative-offsets": (rec, b"0\t0\n1\t-5\n"),
        "an-index-without-a-header": (rec, idx.split(b"\n", 1)[1]),
        "an-index-of-noise": (rec, b"\xff\xfe" * 100),
        "an-index-of-one-line-of-10-mb": (rec, b"1" * 10_000_000),
        "an-index-pipe": (rec, os.mkfifo),
        "an-index-device": (rec, link("/dev/zero")),
        "an-index-folder": (rec, tree({})),
        "rec-pipe": (os.mkfifo, idx),
        "rec-device": (link("/dev/zero"), idx),
        "rec-folder": (tree({}), idx),
        "rec-8-gib": (sparse(8 << 30), idx),
        "a-picture-of-other-size": (*_with_picture(good.image(1, 64)),),
        "a-picture-of-noise": (*_with_picture(b"no picture"),),
        "a-label-of-nan": (*_with_picture(good.image(1), float("nan")),),
        "a-label-of-a-stranger": (*_with_picture(good.image(1), 99.0),),
    }
    for name, (records, index) in files.items():
        yield Case(f"records/{name}", RECORDS.arguments, {"data/train.rec": records, "data/train.idx": index})


def _with_picture(picture: bytes, label: float = 0.0) -> tuple[bytes, bytes]:
    parts = [
        good.record(b"", 3.0, 5.0),
        good.record(picture, label),
        good.record(picture, label),
        *[good.record(b"", 1.0, 2.0)] * 2,
    ]
    offsets = [sum(map(len, parts[:number])) for number in range(len(parts))]
    return b"".join(parts), "".join(f"{key}\t{offset}\n" for key, offset in enumerate(offsets)).encode()


def _detectors() -> Iterator[Case]:
    detectors = {
        "another-network": later(good.onnx_model),
        "tiny-network": later(good.tiny_onnx),
        "text": b"hello",
        "protobuf-of-noise": b"\x08\x07\x12\xff\xff\xff\xff\x0f" + bytes(1000),
    }
    for name, content in (detectors | PLACES).items():
        yield DETECTOR.case(f"detector/{name}", content)
