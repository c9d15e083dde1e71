import os
from pathlib import Path

import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file, read_bytes, read_text

FIX = "give another"


def test_a_file_and_a_link_to_one_are_read(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    link = tmp_path / "link"
    link.symlink_to(file)
    assert read_bytes(file, fix=FIX) == read_bytes(link, fix=FIX) == b"abc"
    with open_file(file, fix=FIX) as opened:
        assert opened.read() == b"abc"


@pytest.mark.parametrize(
    "kind", ["missing", "folder", "pipe", "device", "link to an endless device", "NUL in its name"]
)
def test_what_is_no_file_is_refused_without_waiting(tmp_path, kind):
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path(os.devnull)
    elif kind.startswith("link"):
        path.symlink_to("/dev/zero")
    elif kind.startswith("NUL"):
        path = tmp_path / "a\0b"
    with pytest.raises(InputError, match=r"cannot be read|not a file") as refused:
        read_bytes(path, fix=FIX)
    assert refused.value.fix == FIX


def test_a_file_above_its_limit_is_refused_by_its_size(tmp_path):
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(InputError, match="1,099,511,627,776 bytes"):
        read_bytes(sparse, fix=FIX)
    exact = tmp_path / "exact"
    exact.write_bytes(b"1234")
    assert read_bytes(exact, fix=FIX, at_most=4) == b"1234"
    with pytest.raises(InputError, match="more than the 3"):
        read_bytes(exact, fix=FIX, at_most=3)


def test_a_file_that_says_nothing_of_its_size_is_bounded_all_the_same():
    """Files of /proc have size 0 until they are read."""
    with pytest.raises(InputError, match="more than the 10 bytes"):
        read_bytes(Path("/proc/self/status"), fix=FIX, at_most=10)


def test_a_file_that_fails_while_it_is_read():
    """The first page of a process is never mapped."""
    with pytest.raises(InputError) as refused:
        read_bytes(Path("/proc/self/mem"), fix=FIX)
    assert refused.value.message == "/proc/self/mem cannot be read: Input/output error"


def test_a_missing_file_is_said_in_words(tmp_path):
    with pytest.raises(InputError) as refused:
        read_bytes(tmp_path / "none", fix=FIX)
    assert refused.value.message.endswith("none cannot be read: No such file or directory")


def test_text_is_utf8_with_or_without_its_mark(tmp_path):
    file = tmp_path / "text"
    file.write_bytes(b"\xef\xbb\xbfna\xc3\xafve")
    assert read_text(file, fix=FIX) == "naïve"
    file.write_bytes(b"ab\xff")
    with pytest.raises(InputError, match=r"not UTF-8 text \(byte 2\)"):
        read_text(file, fix=FIX)


def test_a_small_file_takes_no_more_than_itself(tmp_path):
    """Whatever it might have been."""
    small = tmp_path / "small"
    small.write_bytes(b"abc")
    assert read_bytes(small, fix=FIX, at_most=2**50) == b"abc"
