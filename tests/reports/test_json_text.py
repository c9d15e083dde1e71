import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.json_text import parse_json


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" + "{}," * 100_000 + "{}]", "more than 100,000 objects"),
        ("[" * 200_001, "more than 200,000 lists"),
        ("[" + "0," * 500_001 + "0]", "more than 500,000 values"),
        ("{" + ",".join(f'"{key}":0' for key in range(201)) + "}", "an object of 201 keys"),
    ],
)
def test_more_than_any_report_holds_is_refused_before_it_takes_memory(text, problem):
    with pytest.raises(InputError, match=problem):
        parse_json(text, "x", fix="y")


def test_as_much_as_a_large_report_holds_is_read():
    assert len(parse_json("[" + "0," * 500_000 + "0]", "x", fix="y")) == 500_001
    assert len(parse_json("{" + ",".join(f'"{key}":0' for key in range(200)) + "}", "x", fix="y")) == 200
