from pathlib import Path

import pytest

from ghostface_edge.reports import yaml_file
from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.yaml_file import MAX_BYTES, read_mapping

LAUGHS = "\n".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


def _read(text: str | bytes, folder: Path) -> dict[str, object]:
    path = folder / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_mapping(path, fix="give a file")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        ("a: [yes, 2.5, null, x]", {"a": [True, 2.5, None, "x"]}),
        ("day: 2027-03-31", {"day": "2027-03-31"}),
        ("moment: 2027-03-31 12:00:00", {"moment": "2027-03-31 12:00:00"}),
        ("a: 4e-3\nb: -1E3\nc: .5e1\nd: 1.5e3", {"a": 0.004, "b": -1000.0, "c": 5.0, "d": 1500.0}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("a: &x {c: 1, d: 2}\nb:\n  <<: *x\n  d: 3", {"a": {"c": 1, "d": 2}, "b": {"c": 1, "d": 3}}),
        (b"\xef\xbb\xbfa: na\xc3\xafve", {"a": "naïve"}),
        ("'1': x", {"1": "x"}),
    ],
)
def test_plain_values_are_read(tmp_path: Path, text: str | bytes, value: dict[str, object]) -> None:
    read = _read(text, tmp_path)
    assert read == value
    assert [type(part) for part in read.values()] == [type(part) for part in value.values()]


def test_lists_may_lie_within_each_other(tmp_path: Path) -> None:
    assert _read("a: " + "[" * 31 + "]" * 31, tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3", "line 3, column 1: the key 'a' is given twice"),
        ("a: {b: {c: 1, 'c': 2}}", "line 1, column 15: the key 'c' is given twice"),
        ("a: &x {b: 1}\nc: {<<: *x, <<: *x}", "the key '<<' is given twice"),
        ("a: !!int ''", "line 1, column 4: the tag .*int has no place here"),
        ("a: !!python/object/apply:os.system ['true']", "the tag .* has no place here"),
        ("a: !!timestamp 2020-99-99", "the tag .* has no place here"),
        ("a: !!binary x", "the tag .* has no place here"),
        ("!!set {a}", "the tag .* has no place here"),
        ("a: !own x", "the tag !own has no place here"),
        ("a:\n - " + "9" * 5000, "line 2, column 4: 9{40}… is too large, or no number"),
        ("a: 0x_", "is too large, or no number"),
        ("a: 1" + ":59" * 30, "is too large, or no number"),
        ("a: .inf", "is too large, or no number"),
        ("a: 1e999", "is too large, or no number"),
        ("a: " + "[" * 20_000, "line 1, column 35: more than 32 lists and mappings"),
        ("a: " + "{b: " * 20_000, "more than 32 lists and mappings"),
        ("- " * 20_000, "more than 32 lists and mappings"),
        ("a: &x [*x]", r"line 1, column 8: \*x names nothing that is complete"),
        ("a: &x {b: *x}", r"\*x names nothing that is complete"),
        ("a: *nobody", r"\*nobody names nothing that is complete"),
        ("a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + LAUGHS, "line 5, column .*: more than 20,000 values"),
        ("a:\n" + "- 1\n" * 30_000, "more than 20,000 values"),
        ("? [1, 2]\n: 3", "line 1, column 3: a key has to be text"),
        ("? {}\n: 3", "a key has to be text"),
        ("1: 2", "a key has to be text; write it in quotes"),
        ("a: 1\nyes: 2", "line 2, column 1: a key has to be text"),
        ("a: 1\nb: c\x00", "line 2: control characters are not allowed"),
        ("a: \x1b[31m", "control characters are not allowed"),
        ("a: [", "line 2, column 1"),
        ("a: 1\n---\nb: 2", "line 2, column 1: .*another document"),
        ("%YAML 9.9\n---\na: 1", "line 1"),
        ("a: =", "could not determine a constructor"),
        ('a: "\\ud800"', "invalid Unicode character escape"),
    ],
)
def test_anything_else_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        _read(text, tmp_path)
    assert refused.value.message.startswith(f"{tmp_path}/file.yaml is no YAML: line ")
    assert refused.value.fix == "mend the line it names"
    assert refused.value.exit_code is ExitCode.BAD_INPUT
    assert len(refused.value.message) < len(str(tmp_path)) + 250


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a: 1", 3),
        ("a: &x 1\nb: *x", 5),
        ("a: &x [1, 2]\nb: *x", 9),
        ("a: &x {b: &y [1], c: *y}\nd: *x", 17),
    ],
)
def test_values_are_counted_as_often_as_they_stand_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, values: int
) -> None:
    monkeypatch.setattr(yaml_file, "_MAX_NODES", values)
    assert _read(text, tmp_path)
    monkeypatch.setattr(yaml_file, "_MAX_NODES", values - 1)
    with pytest.raises(InputError, match=f"more than {values - 1} values, those of aliases counted each time"):
        _read(text, tmp_path)


def test_a_number_has_forty_characters(tmp_path: Path) -> None:
    assert _read(f"a: 0.{'0' * 37}1", tmp_path) == {"a": 1e-38}
    with pytest.raises(InputError, match="is too large, or no number"):
        _read(f"a: 0.{'0' * 38}1", tmp_path)


def test_an_empty_first_line_counts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 2: control characters"):
        _read("\na: \x00", tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no mapping"),
        ("- 1", "holds no mapping"),
        ("just text", "holds no mapping"),
        (b"a: \xff", r"not UTF-8 text \(byte 3\)"),
        ("a: 1".encode("utf-16"), "not UTF-8 text"),
        (b"#" * (MAX_BYTES + 1), "262,145 bytes, more than the 262,144"),
    ],
)
def test_no_mapping_no_text_or_too_much(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        _read(text, tmp_path)
    assert refused.value.fix in {"write keys and values, `key: value` a line each", "give a file"}
