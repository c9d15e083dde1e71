import gzip
import io
import lzma
import os
import socket
import tarfile
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from ghostface_edge.calibration import photos as photos_module
from ghostface_edge.calibration.photos import open_photos
from ghostface_edge.reports.errors import InputError


def archive(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


MEMBERS = {"lfw/Bo/Bo_0001.jpg": b"two", "lfw/Ann/Ann_0001.jpg": b"one", "lfw/Ann/Ann_0002.jpg": b"three"}


@pytest.mark.parametrize(("name", "mode"), [("lfw.tgz", "w:gz"), ("lfw.tar", "w"), ("lfw-funneled.tar.xz", "w:xz")])
def test_streams_an_archive_in_place(tmp_path, name, mode):
    photos = open_photos(archive(tmp_path / name, MEMBERS, mode))
    assert photos.names() == ("Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Bo/Bo_0001.jpg")
    wanted = {"Ann/Ann_0002.jpg", "Bo/Bo_0001.jpg"}
    assert dict(photos.stream(wanted)) == {"Bo/Bo_0001.jpg": b"two", "Ann/Ann_0002.jpg": b"three"}
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_a_folder_and_its_archive_give_the_same_photographs(tmp_path):
    for name, content in MEMBERS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    folder = open_photos(tmp_path / "lfw")
    packed = open_photos(archive(tmp_path / "lfw.tgz", MEMBERS))
    assert folder.names() == packed.names()
    assert dict(folder.stream(folder.names())) == dict(packed.stream(packed.names()))


def test_hostile_members_are_passed_over(tmp_path):
    hostile = {
        "../../Eve/Eve_0001.jpg": b"x",
        "/lfw/Eve/Eve_0002.jpg": b"x",
        "lfw/../Eve/Eve_0003.jpg": b"x",
        "lfw/Eve/Eve_0004.jpg": None,
        "lfw/Eve/._Eve_0005.jpg": b"x",
        "lfw/Eve/run.sh": b"x",
        "a/b/c/Eve/Eve_0006.jpg": b"x",
    }
    photos = open_photos(archive(tmp_path / "lfw.tgz", hostile | MEMBERS))
    assert photos.names() == ("Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Bo/Bo_0001.jpg")


@pytest.mark.parametrize(("name", "mode"), [("lfw.tgz", "w:gz"), ("lfw.tar.xz", "w:xz"), ("lfw.tar.bz2", "w:bz2")])
@pytest.mark.parametrize("kept", [0, 10, 60])
def test_refuses_a_truncated_archive(tmp_path, name, mode, kept):
    noise = {member: np.random.default_rng(7).bytes(20_000) for member in MEMBERS}
    photos = open_photos(archive(tmp_path / name, noise, mode))
    wanted = photos.names()
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) * kept // 100])
    with pytest.raises(InputError, match="cannot be read to its end"):
        open_photos(tmp_path / name).names()
    with pytest.raises(InputError, match="cannot be read to its end"):
        list(photos.stream(wanted))


def test_refuses_a_damaged_archive(tmp_path):
    noise = {member: np.random.default_rng(7).bytes(20_000) for member in MEMBERS}
    path = archive(tmp_path / "lfw.tgz", noise)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 2000] = bytes(2000)
    path.write_bytes(bytes(whole))
    photos = open_photos(path)
    with pytest.raises(InputError, match="cannot be read to its end"):
        list(photos.stream(photos.names()))


def test_refuses_what_holds_no_photographs(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="neither a folder nor an archive"):
        open_photos(tmp_path / "notes.txt")
    with pytest.raises(InputError, match="holds no images"):
        open_photos(tmp_path)
    with pytest.raises(InputError, match="holds no images"):
        open_photos(archive(tmp_path / "x.tgz", {"readme": b"x"})).names()
    with pytest.raises(InputError, match="No such file"):
        open_photos(tmp_path / "none")


def test_fingerprint_follows_the_wanted_content(tmp_path):
    for name, content in MEMBERS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    photos = open_photos(tmp_path / "lfw")
    wanted = {"Ann/Ann_0001.jpg"}
    before = photos.fingerprint(wanted)
    (tmp_path / "lfw/Bo/Bo_0001.jpg").write_bytes(b"changed")
    assert photos.fingerprint(wanted) == before
    (tmp_path / "lfw/Ann/Ann_0001.jpg").write_bytes(b"changed")
    assert photos.fingerprint(wanted) != before


NAMES = "from ghostface_edge.calibration.photos import open_photos; open_photos(Path(sys.argv[1])).names()"
ZEROS = bytes(1 << 20)


def member(name: str, kind: bytes, size: int) -> bytes:
    """A header that claims a size, whatever follows."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def packed(path, parts):
    """Write parts of a tar, compressed as the name says."""
    compress = {".tgz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
    path.write_bytes(compress(b"".join(parts)))
    return path


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_headers_are_no_longer_than_names(tmp_path, refused_within, kind):
    """tarfile reads them whole: 9 MB of archive would be 6 GB of header."""
    path = packed(tmp_path / "lfw.tgz", [member("x", kind, 6 << 30), ZEROS])
    assert "a header of 6,442,450,944 bytes" in refused_within(NAMES, path, memory_mb=400)


def test_headers_of_one_member_are_bounded_together(tmp_path):
    long_name = member("x", tarfile.GNUTYPE_LONGNAME, 8192) + b"n" * 8192
    with pytest.raises(InputError, match="headers of a member are longer than any name"):
        open_photos(packed(tmp_path / "lfw.tgz", [long_name] * 500)).names()


@pytest.mark.parametrize(
    "headers",
    [
        {"GNU.sparse.map": "0,1,2,three", "GNU.sparse.size": "9"},
        {"GNU.sparse.map": "0,1", "GNU.sparse.size": "9"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"},
        {"size": "-1"},
        {"size": "9" * 5000},
        {"path": "lfw/Ann/\udcff.jpg"},
        {"hdrcharset": "BINARY", "path": "a\0b"},
    ],
)
def test_odd_extended_headers_are_refused_or_passed_over(tmp_path, headers):
    info = tarfile.TarInfo("lfw/Eve/Eve_0001.jpg")
    info.pax_headers = headers
    extended = info.create_pax_header(info.get_info(), "utf-8")
    path = packed(tmp_path / "lfw.tar", [extended, member("lfw/Ann/Ann_0001.jpg", tarfile.REGTYPE, 0), bytes(1024)])
    try:
        names = open_photos(path).names()
    except InputError:
        return
    assert "Ann/Ann_0001.jpg" in names


@pytest.mark.parametrize("digits", [11, 25])
def test_a_record_longer_than_its_header_is_refused(tmp_path, digits):
    record = (b"9" * digits + b" path=x\n").ljust(512, b"\0")
    path = packed(tmp_path / "lfw.tar", [member("x", tarfile.XHDTYPE, 512), record, bytes(1024)])
    with pytest.raises(InputError, match=r"lfw\.tar"):
        open_photos(path).names()


def test_sparse_members_are_refused(tmp_path):
    path = packed(tmp_path / "lfw.tar", [member("lfw/Ann/Ann_0001.jpg", tarfile.GNUTYPE_SPARSE, 512), bytes(2048)])
    with pytest.raises(InputError, match="sparse"):
        open_photos(path).names()


@pytest.mark.parametrize("name", ["lfw.tgz", "lfw.tar.xz"])
def test_what_unpacks_to_a_hundred_times_its_size_is_refused(tmp_path, monkeypatch, name):
    path = packed(
        tmp_path / name, [member("lfw/Ann/Ann_0001.jpg", tarfile.REGTYPE, 8 << 20), *[ZEROS] * 8, bytes(1024)]
    )
    assert open_photos(path).names() == ("Ann/Ann_0001.jpg",)
    monkeypatch.setattr(photos_module, "_MAX_SMALL_BYTES", 1 << 20)
    with pytest.raises(InputError, match="unpacks to more than 100 times its size"):
        open_photos(path).names()


def test_a_member_larger_than_any_archive_is_not_looked_for(tmp_path, refused_within):
    """tarfile would read on at the end of the file, a hundred thousand million times."""
    first = member("lfw/Ann/Ann_0001.jpg", tarfile.REGTYPE, 1 << 60)
    said = refused_within(NAMES, packed(tmp_path / "lfw.tar", [first, ZEROS]), memory_mb=400)
    assert "unpacks to more than 100 times its size" in said


def test_a_dictionary_of_gigabytes_is_refused(tmp_path, refused_within):
    path = packed(tmp_path / "lfw.tar.xz", [member("lfw/Ann/Ann_0001.jpg", tarfile.REGTYPE, 0), bytes(1024)])
    stream = bytearray(path.read_bytes())
    block = stream[12 : 12 + 4 * (stream[12] + 1)]
    block[block.index(b"\x21\x01") + 2] = 40
    block[-4:] = zlib.crc32(block[:-4]).to_bytes(4, "little")
    stream[12 : 12 + len(block)] = block
    path.write_bytes(stream)
    assert "needs more memory to unpack" in refused_within(NAMES, path, memory_mb=400)


def test_members_are_counted_and_not_kept(tmp_path, monkeypatch):
    path = packed(tmp_path / "lfw.tar", [member("lfw", tarfile.DIRTYPE, 0) * 5_000, bytes(1024)])
    tracemalloc.start()
    with pytest.raises(InputError, match="holds no images"):
        open_photos(path).names()
    assert tracemalloc.get_traced_memory()[1] < 2 << 20
    tracemalloc.stop()
    monkeypatch.setattr(photos_module, "MAX_MEMBERS", 4_999)
    with pytest.raises(InputError, match="more than 4,999 members"):
        open_photos(path).names()


def test_devices_pipes_and_links_are_passed_over(tmp_path):
    kinds = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)
    parts = [member(f"lfw/Eve/Eve_000{number}.jpg", kind, 0) for number, kind in enumerate(kinds)]
    good = member("lfw/Ann/Ann_0001.jpg", tarfile.REGTYPE, 0)
    assert open_photos(packed(tmp_path / "lfw.tar", [*parts, good, bytes(1024)])).names() == ("Ann/Ann_0001.jpg",)


@pytest.mark.parametrize("twin", ["lfw/Ann/Ann_0001.jpg", "other/Ann/Ann_0001.jpg", "Ann/./Ann_0001.jpg"])
def test_refuses_a_photograph_twice(tmp_path, twin):
    parts = [member(name, tarfile.REGTYPE, 0) for name in ("lfw/Ann/Ann_0001.jpg", twin)]
    with pytest.raises(InputError, match=r"holds Ann/Ann_0001\.jpg twice"):
        open_photos(packed(tmp_path / "lfw.tar", [*parts, bytes(1024)])).names()


def test_names_that_are_not_utf8_are_refused(tmp_path):
    header = bytearray(member("lfw/Ann/Ann_0001.jpg", tarfile.REGTYPE, 0))
    header[5] = 0xFF
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:512]))
    with pytest.raises(InputError, match="not UTF-8"):
        open_photos(packed(tmp_path / "lfw.tar", [bytes(header), bytes(1024)])).names()
    (tmp_path / "faces" / "Ann").mkdir(parents=True)
    Path(os.fsdecode(bytes(tmp_path) + b"/faces/Ann/Ann_\xff.jpg")).touch()
    with pytest.raises(InputError, match="not UTF-8"):
        open_photos(tmp_path / "faces")


def test_damage_between_members_is_no_end(tmp_path):
    good = [member(f"lfw/Ann/Ann_000{number}.jpg", tarfile.REGTYPE, 0) for number in range(3)]
    for damaged in (b"\x01" * 512, b""):
        parts = [good[0], damaged, *([*good[1:], bytes(1024)] if damaged else [])]
        with pytest.raises(InputError, match="damaged"):
            open_photos(packed(tmp_path / "lfw.tar", parts)).names()


def test_what_is_no_ordinary_file_is_refused_unread(tmp_path):
    os.mkfifo(tmp_path / "pipe.tgz")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless.tar").symlink_to("/dev/zero")
    for name, reason in {"pipe.tgz": "a pipe", "pipe": "neither", "endless.tar": "a device"}.items():
        with pytest.raises(InputError, match=reason):
            open_photos(tmp_path / name).names()


def test_a_folder_has_pipes_and_loops_beside_photographs(tmp_path):
    (tmp_path / "Ann").mkdir()
    (tmp_path / "Ann/Ann_0001.jpg").write_bytes(b"one")
    os.mkfifo(tmp_path / "Ann/Ann_0002.jpg")
    (tmp_path / "Ann/Ann_0003.jpg").symlink_to("Ann_0003.jpg")
    (tmp_path / "Ann/Ann_0004.jpg").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "Ann/Ann_0005.jpg"))
    (tmp_path / "Bo").symlink_to("Bo")
    photos = open_photos(tmp_path)
    assert photos.names() == ("Ann/Ann_0001.jpg",)
    (tmp_path / "Ann/Ann_0001.jpg").unlink()
    os.mkfifo(tmp_path / "Ann/Ann_0001.jpg")
    with pytest.raises(InputError, match="a pipe"):
        list(photos.stream(photos.names()))
