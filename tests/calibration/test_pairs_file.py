import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostface_edge.calibration.pairs_file import ImageName, read_pairs_file
from ghostface_edge.reports.errors import InputError

GOOD = ["2\t1", "Ann\t1\t2", "Ann\t1\tBo\t3", "Cy Do\t1\t4", "Bo\t3\tCy Do\t4"]


@pytest.fixture
def listed(tmp_path):
    def write(lines):
        path = tmp_path / "pairs.txt"
        path.write_bytes(lines if isinstance(lines, bytes) else "\n".join([*lines, ""]).encode())
        return path

    return write


def test_reads_folds_labels_and_lines(listed):
    parsed = read_pairs_file(listed(GOOD))
    assert parsed.folds == 2
    assert [pair.same for pair in parsed.pairs] == [True, False, True, False]
    assert [pair.line for pair in parsed.pairs] == [2, 3, 4, 5]
    assert parsed.pairs[3].left == ImageName("Bo", 3)
    assert parsed.pairs[3].right.file == "Cy Do/Cy Do_0004.jpg"


def test_reads_a_view_1_list(listed):
    parsed = read_pairs_file(listed(["1", "Ann\t1\t2", "Ann\t1\tBo\t3"]))
    assert (parsed.folds, len(parsed.pairs)) == (1, 2)


def test_reads_spaces_and_windows_line_ends(listed):
    assert len(read_pairs_file(listed(b"1 1\r\nAnn 1 2\r\nAnn 1 Bo 2\r\n\r\n")).pairs) == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Ann\t1", "line 2: 2 fields instead of 3 or 4"),
        ("Ann\t1\tBo\t2\t3", "line 2: 5 fields"),
        ("Ann\t1\tBo\t2", "line 2: 4 fields where a pair of one person is due"),
        ("../etc\t1\t2", "line 2: '../etc' is no person's name"),
        ("..\t1\t2", "line 2: '..' is no person's name"),
        ("a\\b\t1\t2", "is no person's name"),
        ("A\0nn\t1\t2", "is no person's name"),
        ("\t1\t2", "line 2: '' is no person's name"),
        ("Ann\t0\t2", "line 2: '0' is no image number"),
        ("Ann\t-1\t2", "'-1' is no image number"),
        ("Ann\t1\t99999", "'99999' is no image number"),
        ("Ann\t1\t²", "is no image number"),
        ("Ann\t2\t2", "line 2: one image twice"),
    ],
)
def test_refuses_a_line(listed, line, reason):
    with pytest.raises(InputError, match="1 of 4 pairs of ") as caught:
        read_pairs_file(listed([GOOD[0], line, *GOOD[2:]]))
    assert reason in str(caught.value)


def test_lists_the_first_offenders_and_counts_the_rest(listed):
    with pytest.raises(InputError, match="12 of 12 pairs") as caught:
        read_pairs_file(listed(["1\t6", *["x"] * 12]))
    assert "line 6: 1 fields" in str(caught.value)
    assert "line 7" not in str(caught.value)
    assert "and 7 more" in str(caught.value)


def test_refuses_one_person_twice_among_different(listed):
    with pytest.raises(InputError, match="line 3: one person twice"):
        read_pairs_file(listed(["1\t1", "Ann\t1\t2", "Ann\t1\tAnn\t3"]))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "line 1: '' is no header"),
        (b"ten\t300\n", "is no header"),
        (b"0\t300\n", "is no header"),
        (b"1\t2\t3\n", "is no header"),
        (b"10\t300\nAnn\t1\t2\n", "holds 1 pairs, its header promises 6,000"),
        (b"1\t1\nAnn\t1\t2\nAnn\t1\tBo\t2\nAnn\t1\tBo\t2\n", "holds 3 pairs, its header promises 2"),
        (b"1\t1\nAnn\t1\t2\nAnn\t1\t\xff\t2\n", "line 3: not UTF-8"),
        (b"9" * 5000, "is no header"),
        (b"1\t" + b"9" * 5000 + b"\n", "is no header"),
        (b"99999\t99999\n", "19,999,600,002 pairs are promised, more than 200,000"),
        (b"1\t1\n" + b"x" * (1 << 20), "holds 1 pairs, its header promises 2"),
        (b"\n" * (1 << 20), "is no header"),
        (b"\0" * (17 << 20), "more than the 16,777,216"),
    ],
)
def test_refuses_a_file(listed, content, reason):
    with pytest.raises(InputError, match=reason):
        read_pairs_file(listed(content))


def test_reads_line_ends_of_old_macs(listed):
    assert len(read_pairs_file(listed(b"1 1\rAnn 1 2\rAnn 1 Bo 2\r")).pairs) == 2


def test_what_is_no_ordinary_file_is_refused_unread(tmp_path):
    os.mkfifo(tmp_path / "pairs.txt")
    (tmp_path / "endless.txt").symlink_to("/dev/zero")
    for name, reason in {"pairs.txt": "a pipe", "endless.txt": "a device", ".": "a folder"}.items():
        with pytest.raises(InputError, match=reason):
            read_pairs_file(tmp_path / name)


def test_missing(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_pairs_file(tmp_path / "pairs.txt")


@given(content=st.text(alphabet="A1\t \n/.\0é²", max_size=60))
def test_any_text_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("pairs") / "pairs.txt"
    path.write_text("1\t1\n" + content)
    try:
        parsed = read_pairs_file(path)
    except InputError:
        return
    assert all("/" not in side.person for pair in parsed.pairs for side in (pair.left, pair.right))


def test_the_real_lists(assets):
    parsed = read_pairs_file(assets / "lfw/pairs.txt")
    assert (parsed.folds, len(parsed.pairs)) == (10, 6000)
    assert sum(pair.same for pair in parsed.pairs) == 3000
    assert len({side for pair in parsed.pairs for side in (pair.left, pair.right)}) == 7701
