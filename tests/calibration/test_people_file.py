from types import SimpleNamespace

import pytest

from ghostface_edge.calibration.people_file import people_of, read_people
from ghostface_edge.reports.errors import InputError


@pytest.fixture
def table(tmp_path):
    def write(*lines):
        path = tmp_path / "people.csv"
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return path

    return write


def test_reads_what_is_told(table):
    people = read_people(table("\ufeffperson,sex,region", "Ann_Lee, f ,north", '"Lee, Bo",m,', "", "Jörg,,south"))
    assert people.names == {"Ann_Lee", "Lee, Bo", "Jörg"}
    assert people.attributes == {
        "sex": {"Ann_Lee": "f", "Lee, Bo": "m"},
        "region": {"Ann_Lee": "north", "Jörg": "south"},
    }


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Bo", "line 3: 1 fields instead of 2"),
        ("Bo,m,north", "line 3: 3 fields instead of 2"),
        ("Ann,m", "line 3: 'Ann' stands there twice"),
        (" ,m", "line 3: nobody is named"),
        ("Bo,m\u202ef", "line 3: 'm\\u202ef' is no name of a person or a group"),
        ('"B\n::error::o",m', "line 4: 'B\\n::error::o' is no name"),
        (f"Bo,{'m' * 201}", "line 3: "),
    ],
)
def test_refuses_a_row(table, row, reason):
    with pytest.raises(InputError, match="1 of 2 rows") as caught:
        read_people(table("person,sex", "Ann,f", row))
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "line 1: the columns are"),
        ("name,sex", "line 1: the columns are 'name,sex'"),
        ("person", "line 1: the columns are 'person'"),
        ("person,sex,", "line 1: the columns are"),
        ("person,sex,sex", "line 1: 'sex' twice"),
        ("person," + ",".join(f"a{n}" for n in range(21)), "line 1: 21 attributes, more than 20"),
        ("x" * 1_000_000, "field larger than field limit"),
    ],
)
def test_refuses_a_header(table, header, reason):
    with pytest.raises(InputError) as caught:
        read_people(table(header, "Ann,f"))
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 400


def test_refuses_what_makes_no_groups(table):
    with pytest.raises(InputError, match="'id' has 51 values, more than the 50"):
        read_people(table("person,id", *(f"p{n},{n}" for n in range(51))))
    assert len(read_people(table("person,id", *(f"p{n},{n}" for n in range(50)))).names) == 50


def test_refuses_other_files(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_people(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\0\0")
    with pytest.raises(InputError, match="not UTF-8"):
        read_people(tmp_path / "binary.csv")
    (tmp_path / "endless.csv").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="a device"):
        read_people(tmp_path / "endless.csv")


def test_says_how_far_it_is_about_these_people(table):
    people = read_people(table("person,sex,region", "Ann,f,", "Bo,,", "Cy,m,south"))
    record = people.record({"Ann", "Bo", "Di"})
    assert (record.people, record.not_in_gallery) == (3, 1)
    assert record.not_said == {"sex": 2, "region": 3}


def test_refuses_a_file_about_others(table):
    path = table("person,sex", "Ann,f")
    known = SimpleNamespace(people=frozenset({"Ann"}), path="lfw.bin")
    assert people_of(known, path).names == {"Ann"}
    with pytest.raises(InputError, match=r"none of them is in lfw\.bin.*such as Bo_Li"):
        people_of(SimpleNamespace(people=frozenset({"Bo_Li", "Cy"}), path="lfw.bin"), path)
    with pytest.raises(InputError, match=r"nobody on the images of lfw\.bin is known"):
        people_of(SimpleNamespace(people=frozenset(), path="lfw.bin"), path)
