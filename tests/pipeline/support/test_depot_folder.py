"""Objects in a folder that others may write to as well."""

import errno
import io
import os

import pytest

from ghostface_edge.pipeline.support.depot import NoObjectError
from ghostface_edge.pipeline.support.depot_folder import DepotFolder

DAY_S = 24 * 60 * 60


@pytest.fixture
def depot(tmp_path):
    (tmp_path / "shared").mkdir()
    return DepotFolder(tmp_path / "shared")


def put(depot, key, data, *, replace=False):
    depot.put(key, io.BytesIO(data), replace=replace)


def raw(depot, key):
    with depot.open(key) as source:
        return source.read()


def test_an_object_is_written_once_unless_it_is_bad(depot, tmp_path):
    put(depot, "blobs/x", b"one")
    put(depot, "blobs/x", b"two")
    assert raw(depot, "blobs/x") == b"one"
    put(depot, "blobs/x", b"three", replace=True)
    assert raw(depot, "blobs/x") == b"three"
    assert depot.size("blobs/x") == 5
    assert depot.size("blobs/y") is None
    assert depot.size("bindings/x") is None
    assert not list((tmp_path / "shared/partial").iterdir())


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe", "socket"])
def test_nothing_but_files_is_read_and_no_link_is_followed(depot, tmp_path, kind):
    put(depot, "blobs/x", b"one")
    place = tmp_path / "shared/blobs/y"
    (tmp_path / "secret").write_text("secret")
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "socket":
        os.mknod(place, 0o140600)
    else:
        place.symlink_to(tmp_path / ("secret" if kind == "link" else "nowhere"))
    with pytest.raises(NoObjectError):
        depot.open("blobs/y")
    assert depot.size("blobs/y") is None
    if kind == "folder":
        with pytest.raises(IsADirectoryError):
            put(depot, "blobs/y", b"two", replace=True)
    else:
        put(depot, "blobs/y", b"two", replace=True)
        assert raw(depot, "blobs/y") == b"two"
    assert (tmp_path / "secret").read_text() == "secret"
    assert not (tmp_path / "nowhere").exists()


def test_a_link_in_the_place_of_a_folder_is_not_followed(depot, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "shared/blobs").symlink_to(tmp_path / "elsewhere")
    for attempt in (lambda: put(depot, "blobs/x", b"one"), lambda: depot.open("blobs/x")):
        with pytest.raises(NotADirectoryError):
            attempt()
    assert not list((tmp_path / "elsewhere").iterdir())


def test_folders_are_for_whoever_may_write_to_the_store(depot, tmp_path):
    (tmp_path / "shared").chmod(0o2770)
    before = os.umask(0o077)
    try:
        put(depot, "blobs/x", b"one")
    finally:
        os.umask(before)
    assert {oct(path.stat().st_mode & 0o7777) for path in (tmp_path / "shared").iterdir()} == {"0o2770"}


def test_a_writer_that_fails_leaves_nothing(depot, tmp_path):
    class Broken(io.BytesIO):
        def read(self, _size=-1):
            raise OSError(errno.EIO, "the disk")

    with pytest.raises(OSError, match="the disk"):
        depot.put("blobs/x", Broken(), replace=False)
    assert depot.size("blobs/x") is None
    assert not list((tmp_path / "shared/partial").iterdir())


def test_what_killed_writers_left_goes_after_a_day(depot, tmp_path):
    put(depot, "blobs/x", b"one")
    for name, age_s in {"dead": DAY_S + 60, "alive": DAY_S - 60}.items():
        path = tmp_path / "shared/partial" / name
        path.write_text("half")
        os.utime(path, (path.stat().st_mtime - age_s,) * 2)
    put(depot, "blobs/y", b"one")
    assert len(list((tmp_path / "shared/partial").iterdir())) == 2, "a process looks once"
    put(DepotFolder(tmp_path / "shared"), "blobs/z", b"one")
    assert [path.name for path in (tmp_path / "shared/partial").iterdir()] == ["alive"]


def test_a_file_system_without_hard_links_is_written_to_by_renaming(depot, monkeypatch):
    def no_links(*_places, **_options):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    put(depot, "blobs/x", b"one")
    assert raw(depot, "blobs/x") == b"one"


def test_a_full_disk_is_an_error(depot, monkeypatch):
    def full(*_places, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space"):
        put(depot, "blobs/x", b"one")
    assert depot.size("blobs/x") is None


def test_a_missing_folder_is_a_mount_that_is_away(tmp_path):
    with pytest.raises(ConnectionError, match="there is no folder"):
        DepotFolder(tmp_path / "away").open("blobs/x")
    with pytest.raises(ConnectionError, match="there is no folder"):
        put(DepotFolder(tmp_path / "away"), "blobs/x", b"one")
    assert not (tmp_path / "away").exists()
