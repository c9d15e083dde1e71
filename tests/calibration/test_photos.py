import io
import tarfile

import numpy as np
import pytest

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
