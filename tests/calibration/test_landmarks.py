import pytest

from ghostface_edge.calibration.landmarks import COLUMNS, read_landmarks
from ghostface_edge.reports.errors import InputError

HEADER = ",".join(COLUMNS)
ROW = "Ann/Ann_0001.jpg,1,2,3,4,5,6,7,8,9,10.5"


@pytest.fixture
def table(tmp_path):
    def write(*lines):
        path = tmp_path / "landmarks.csv"
        path.write_text("\n".join([*lines, ""]))
        return path

    return write


def test_reads_points(table):
    landmarks = read_landmarks(table(HEADER, ROW))
    assert landmarks.points["Ann/Ann_0001.jpg"].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10.5]]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.jpg,1,2", "line 3: 3 fields instead of 11"),
        (ROW, "line 3: Ann/Ann_0001.jpg stands there twice"),
        ("a.jpg,x,2,3,4,5,6,7,8,9,10", "line 3: could not convert"),
        ("a.jpg,nan,2,3,4,5,6,7,8,9,10", "line 3: a coordinate is not finite"),
        ("a.jpg,1,2,3,4,5,6,7,8,9,inf", "line 3: a coordinate is not finite"),
        ("a.jpg,1,2,3,4,5,6,7,8,9,-1e300", "line 3: a coordinate lies outside of any photograph"),
        ("a.jpg,1,2,3,4,5,6,7,8,9," + "9" * 5000, "line 3: a coordinate is not finite"),
        ("a.jpg,1,2,3,4,5,6,7,8,9," + "x" * 5000, "line 3: could not convert string to float: 'xxx"),
    ],
)
def test_refuses_a_row(table, row, reason):
    with pytest.raises(InputError, match="1 of 2 rows") as caught:
        read_landmarks(table(HEADER, ROW, row))
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 600


def test_refuses_other_files(table, tmp_path):
    with pytest.raises(InputError, match="line 1: the columns are"):
        read_landmarks(table("image,x,y", "a,1,2"))
    with pytest.raises(InputError, match="line 1"):
        read_landmarks(table(""))
    with pytest.raises(InputError, match="No such file"):
        read_landmarks(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\0\0")
    with pytest.raises(InputError, match="not UTF-8"):
        read_landmarks(tmp_path / "binary.csv")
    (tmp_path / "endless.csv").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="a device"):
        read_landmarks(tmp_path / "endless.csv")
    with pytest.raises(InputError, match=r"line 1: the columns are|field larger than field limit"):
        read_landmarks(table("x" * 1_000_000))
