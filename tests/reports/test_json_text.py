import json

import pytest

from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.json_text import parse_json, to_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2.5, null, true, "x"]}', {"a": [1, 2.5, None, True, "x"]}),
        (b"\xef\xbb\xbf{}", {}),
        ('"\\ud83d\\ude00"', "😀"),
        (str(2**63 - 1), 2**63 - 1),
        (str(1 - 2**63), 1 - 2**63),
        ("[" * 60 + "]" * 60, json.loads("[" * 60 + "]" * 60)),
    ],
)
def test_json_with_one_meaning_is_read(text: str | bytes, value: object) -> None:
    assert parse_json(text, "x.json", fix="f") == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Expecting value"),
        ('{"a":', "Expecting value"),
        ("{} {}", "Extra data"),
        ('{"a": 1, "a": 1}', "the key 'a' stands twice"),
        ('{"a": {"b": 1, "\\u0062": 2}}', "the key 'b' stands twice"),
        ("[" * 60_000, "within each other without end"),
        ("[" * 60_000 + "]" * 60_000, "within each other without end"),
        ('{"a":' * 60_000, "within each other without end"),
        ("9" * 5000, "is too large"),
        ("-" + "9" * 5000, "is too large"),
        (str(2**63), "9223372036854775808 is too large"),
        ('"\\ud800"', "half of a surrogate pair"),
        ('{"\\udfff": 1}', "half of a surrogate pair"),
        ("{}".encode("utf-16"), "can't decode byte"),
        (b'"\xff"', "can't decode byte"),
        ('"\x00"', "Invalid control character"),
        ('"' + '\\"' * 100_000, "Unterminated string"),
        ('{"k": 1,' * 3, "Expecting property name"),
    ],
)
def test_what_has_none_is_refused(text: str | bytes, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        parse_json(text, "x.json", fix="give another")
    assert refused.value.exit_code is ExitCode.BAD_INPUT
    assert refused.value.message.startswith("x.json is no JSON: ")
    assert refused.value.fix == "give another"
    assert len(refused.value.message) < 200


def test_what_is_written_can_be_read() -> None:
    content = {"name": "é\udc80", "value": [1.5, None]}
    assert to_json({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
    text = to_json(content)
    assert parse_json(text.encode(), "x.json", fix="f") == {"name": "é\\udc80", "value": [1.5, None]}
    with pytest.raises(ValueError, match="Out of range"):
        to_json(float("nan"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" + "{}," * 100_000 + "{}]", "more than 100,000 objects"),
        ("[" * 200_001, "more than 200,000 lists"),
        ("[" + "0," * 500_001 + "0]", "more than 500,000 values"),
        ("{" + ",".join(f'"{key}":0' for key in range(201)) + "}", "an object of 201 keys"),
    ],
)
def test_more_than_any_report_holds_is_refused_before_it_takes_memory(text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        parse_json(text, "x", fix="y")


def test_as_much_as_a_large_report_holds_is_read() -> None:
    values, keys = parse_json("[" + "0," * 500_000 + "0]", "x", fix="y"), [f'"{key}":0' for key in range(200)]
    assert isinstance(values, list)
    assert len(values) == 500_001
    assert parse_json("{" + ",".join(keys) + "}", "x", fix="y") == {str(key): 0 for key in range(200)}
    assert parse_json("[" + "{}," * 99_999 + "{}]", "x", fix="y") == [{}] * 100_000
