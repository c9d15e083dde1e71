"""Groups of people: figures that go together and with the gallery, and each one that does not."""

from typing import Any

import pytest

from ghostface_edge.reports.all_against_all import AllPairs
from ghostface_edge.reports.figures_agree import NEAR
from ghostface_edge.reports.groups import Groups, confidence
from ghostface_edge.reports.groups_agree import groups_disagree, of_one_file

from .conftest import altered


def _rate(reference: float, variant: float, added_pp: float | None) -> dict[str, Any]:
    return {
        "reference": reference,
        "reference_ci": [reference / 2, 2 * reference],
        "variant": variant,
        "variant_ci": [variant / 2, 2 * variant],
        "added": None if added_pp is None else {"added_pp": added_pp, "ci_pp": [added_pp - 3, added_pp + 3]},
    }


GALLERY: dict[str, Any] = {
    "images": 500,
    "people": 100,
    "genuine": 400,
    "impostor": 40_000,
    "eer": 0.02,
    "fnmr_at_fmr": {"0.01": {"support": "figure", "threshold": 0.4, "fmr": 0.01, "fnmr": 0.1, "ci95": [0.05, 0.2]}},
}
GOOD: dict[str, Any] = {
    "fmr": "0.01",
    "confidence": confidence(4),
    "rows": [
        {
            "attribute": "sex",
            "value": "f",
            "people": 40,
            "with_genuine": 30,
            "genuine": 100,
            "impostor": 10_000,
            "fnmr": _rate(0.05, 0.08, 2.0),
            "fmr": _rate(0.001, 0.002, 0.05),
            "finding": "no harm shown",
        },
        {
            "attribute": "sex",
            "value": "m",
            "people": 60,
            "with_genuine": 40,
            "genuine": 200,
            "impostor": 20_000,
            "fnmr": _rate(0.05, 0.06, -2.0),
            "fmr": _rate(0.001, 0.0015, -0.05),
            "finding": "no harm shown",
        },
        {
            "attribute": "team",
            "value": "few",
            "people": 5,
            "with_genuine": 5,
            "genuine": 5,
            "impostor": 200,
            "fnmr": _rate(0.2, 0.2, None),
            "fmr": None,
            "finding": "too small",
        },
        {
            "attribute": "team",
            "value": "many",
            "people": 90,
            "with_genuine": 80,
            "genuine": 300,
            "impostor": 35_000,
            "fnmr": _rate(0.05, 0.07, None),
            "fmr": _rate(0.001, 0.001, None),
            "finding": "too small",
        },
    ],
}
ALONE: dict[str, Any] = {
    "attribute": "sex",
    "value": "x",
    "people": 0,
    "with_genuine": 0,
    "genuine": 0,
    "impostor": 0,
    "fnmr": None,
    "fmr": None,
    "finding": "too small",
}


def _all_found(
    changes: dict[str, Any], gallery: dict[str, Any] | None = None, good: dict[str, Any] = GOOD
) -> list[tuple[str, str]]:
    of = AllPairs.model_validate(altered(GALLERY, gallery or {}))
    return list(groups_disagree(Groups.model_validate(altered(good, changes)), of))


def _found(
    changes: dict[str, Any], gallery: dict[str, Any] | None = None, good: dict[str, Any] = GOOD
) -> dict[str, str]:
    return dict(_all_found(changes, gallery, good))


def _and(row: dict[str, Any]) -> dict[str, Any]:
    """The good groups, and one more."""
    return {**GOOD, "rows": [*GOOD["rows"], row]}


def test_good_groups_agree() -> None:
    assert _found({}) == {}
    assert _found({}, {"people": 101, "genuine": 405, "impostor": 50_000}) == {}
    no_others = {"people": 100, "genuine": 305, "impostor": 35_200, "fnmr_at_fmr.0.01.fnmr": 22 / 305}
    assert _found({}, no_others) == {}
    assert _found({}, good=_and(ALONE)) == {}


@pytest.mark.parametrize(
    ("field", "value", "place", "says"),
    [
        ("fmr", "0.001", "fmr", "0.001, but the images tell 0.01"),
        ("confidence", 0.95, "confidence", f"0.95, but 4 differences make it {confidence(4):g}"),
        ("rows.0.finding", "harmed", "rows.0.finding", "harmed, but the intervals make it no harm shown"),
        ("rows.3.finding", "no harm shown", "rows.3.finding", "no harm shown, but the intervals make it too small"),
        (
            "rows.0.with_genuine",
            41,
            "rows.0.with_genuine",
            "41 of 40 people with 100 comparisons of a person with itself",
        ),
        ("rows.2.with_genuine", 0, "rows.2.with_genuine", "0 of 5 people with 5 comparisons of a person with itself"),
        (
            "rows.0.fnmr.variant_ci",
            [0.09, 0.1],
            "rows.0.fnmr.variant",
            "0.08 is not within its own interval [0.09, 0.1]",
        ),
        (
            "rows.0.fmr.reference_ci",
            [0.0, 0.0005],
            "rows.0.fmr.reference",
            "0.001 is not within its own interval [0, 0.0005]",
        ),
        ("rows.0.fnmr.variant_ci", [-0.1, 0.1], "rows.0.fnmr.variant_ci", "a rate lies between 0 and 1"),
        ("rows.0.fnmr.reference_ci", [0.0, 1.1], "rows.0.fnmr.reference_ci", "a rate lies between 0 and 1"),
        (
            "rows.3.fnmr.added",
            {"added_pp": 0, "ci_pp": [-1, 1]},
            "rows.3.fnmr.added",
            "it is told where the group and the rest have comparisons enough, and only there",
        ),
        ("rows.0.fnmr.added.ci_pp", [-1, 1], "rows.0.fnmr.added.added_pp", "2 is not within its own interval [-1, 1]"),
        ("rows.0.fnmr.added.added_pp", 1.5, "rows.0.fnmr.added.added_pp", "1.5, but the rates make it 2"),
        ("rows.1.fmr.added.added_pp", 0.05, "rows.1.fmr.added.added_pp", "0.05, but the rates make it -0.05"),
    ],
)
def test_a_figure_that_others_make_impossible_is_named(field: str, value: object, place: str, says: str) -> None:
    assert _found({field: value})[place] == says


@pytest.mark.parametrize("field", ["rows.0.fnmr", "rows.0.fmr"])
def test_what_was_added_is_told_where_comparisons_suffice(field: str) -> None:
    says = "it is told where the group and the rest have comparisons enough, and only there"
    found = _found({f"{field}.added": None, "confidence": confidence(3)})
    assert found.pop(f"{field}.added") == says
    assert found.keys() <= {"rows.0.finding"}


def test_a_group_stands_there_once() -> None:
    found = _found({"rows.3.value": "few"})
    assert found == {f"rows.{row}.value": "team few stands there twice" for row in (2, 3)}


def test_comparisons_of_a_person_with_itself_have_a_rate() -> None:
    row = {**ALONE, "people": 1, "with_genuine": 1, "genuine": 1, "fnmr": _rate(0.0, 0.0, None)}
    assert _found({}, good=_and({**row, "attribute": "age"})) == {}
    says = "5 comparisons of a person with itself have one, none has none"
    assert _found({"rows.2.fnmr": None})["rows.2.fnmr"] == says
    says = "0 comparisons of a person with itself have one, none has none"
    assert _found({}, good=_and({**ALONE, "fnmr": _rate(0.0, 0.0, None)}))["rows.4.fnmr"] == says


def test_comparisons_enough_have_a_false_match_rate() -> None:
    says = "whether there is one does not go with 200 comparisons of two people"
    assert _found({"rows.2.fmr": _rate(0.001, 0.001, None)})["rows.2.fmr"] == says
    says = "whether there is one does not go with 35,000 comparisons of two people"
    assert _found({"rows.3.fmr": None})["rows.3.fmr"] == says


def test_a_rate_is_a_number_of_comparisons() -> None:
    for model in ("reference", "variant"):
        row = GOOD["rows"][2] | {"fnmr": _rate(0.2, 0.2, None) | {model: 0.25}}
        assert _found({"rows.2": row}) == {"rows.2.fnmr": "it is no number of 5 comparisons"}


def test_an_interval_may_be_a_point_and_reach_the_ends() -> None:
    for at in (0.0, 1.0):
        row = GOOD["rows"][2] | {"fnmr": _rate(at, at, None) | {"variant_ci": [at, at], "reference_ci": [at, at]}}
        assert _found({"rows.2": row}) == {}


def test_harm_is_an_interval_above_nothing() -> None:
    harmed = {"rows.0.fnmr.added.ci_pp": [0.5, 3.5], "rows.0.finding": "harmed"}
    assert _found(harmed) == {}
    assert _found(harmed | {"rows.0.finding": "no harm shown"}) == {
        "rows.0.finding": "no harm shown, but the intervals make it harmed"
    }


def test_what_was_added_is_kept_to_its_last_digit() -> None:
    for field, added_pp, last in (("fnmr", 2.0, 1e-4), ("fmr", 0.05, 1e-6)):
        place = f"rows.0.{field}.added.added_pp"
        assert _found({place: added_pp + 0.995 * last}) == {}
        assert _found({place: added_pp + 1.005 * last}).keys() == {place}


def test_nothing_added_may_be_the_last_digit() -> None:
    same = {f"rows.{row}.fnmr": _rate(0.05, 0.05, 0.0) for row in (0, 1)}
    assert _found(same | {"rows.0.fnmr.added.added_pp": 100 * NEAR}) == {}


def test_it_cannot_be_computed_again_where_a_rest_has_no_rate() -> None:
    added = {"rows.0.fmr.added.added_pp": 0.04, "rows.1.fmr.added.added_pp": -0.06}
    unknown = ALONE | {"impostor": 200}
    assert _found(added, good=_and(unknown)) == {}
    assert _found(added, good=_and(ALONE)).keys() == added.keys()


def test_groups_of_an_attribute_are_no_more_than_the_gallery() -> None:
    assert _found({}, {"people": 99}) == {"rows": "people of sex: 100, but there are 99"}
    assert ("rows", "genuine of team: 305, but there are 304") in _all_found({}, {"genuine": 304})
    assert _found({}, {"impostor": 35_199}) == {"rows": "impostor of team: 35,200, but there are 35,199"}


@pytest.mark.parametrize(("fnmr", "fits"), [(0.05, False), (0.055, True), (0.29, True), (0.2925, True), (0.295, False)])
def test_no_more_and_no_fewer_are_rejected_than_in_the_gallery(fnmr: float, fits: bool) -> None:
    """Of sex 20 of 300 are, and 100 are of nobody said; of team 22 of 305, and 95."""
    found = _found({}, {"fnmr_at_fmr.0.01.fnmr": fnmr, "fnmr_at_fmr.0.01.ci95": [0.0, 1.0]})
    assert (found == {}) is fits
    if not fits:
        assert found["rows"] == f"FNMR of team: 22 rejected, but there are {400 * fnmr:.0f}"


def test_rejections_are_counted_to_the_last_digit() -> None:
    def found(rejected: float, of_all: float) -> dict[str, str]:
        row = ALONE | {"people": 9, "with_genuine": 9, "genuine": 400, "fnmr": _rate(rejected, rejected, None)}
        one = {"fmr": "0.01", "confidence": confidence(0), "rows": [row]}
        return _found({}, {"fnmr_at_fmr.0.01.fnmr": of_all}, one)

    assert found(NEAR, 0.0) == found(0.0, NEAR) == {}
    assert found(0.0, 2 * NEAR).keys() == found(0.0025, 0.0).keys() == {"rows"}


def _beside(changes: dict[str, Any], good: dict[str, Any] = GOOD) -> dict[str, str]:
    """A variant beside the first one."""
    found, first = Groups.model_validate(altered(good, changes)), Groups.model_validate(GOOD)
    return dict(of_one_file(found, first, "onnxruntime-fp32"))


def test_all_variants_have_the_same_groups() -> None:
    assert _beside({}) == {}
    assert _beside({}, _and(ALONE)) == {"rows": "5 groups, but onnxruntime-fp32 has 4"}
    for field in ("attribute", "value", "people", "with_genuine", "genuine", "impostor"):
        value = "other" if isinstance(GOOD["rows"][1][field], str) else 7
        place = f"rows.1.{field}"
        assert _beside({place: value}) == {place: f"{value}, but onnxruntime-fp32 has {GOOD['rows'][1][field]}"}


def test_all_variants_are_compared_with_one_reference() -> None:
    for field, reference in (("fnmr", 0.05), ("fmr", 0.001)):
        place = f"rows.0.{field}.reference"
        assert _beside({place: reference + 0.9 * NEAR**2}) == {}
        assert _beside({place: reference + 2 * NEAR**2}).keys() == {place}
        assert _beside({place: 0.002}) == {place: f"0.002, but that of onnxruntime-fp32 is {reference:g}"}


def test_a_rate_that_one_of_them_lacks_is_not_compared() -> None:
    assert _beside({"rows.0.fnmr": None}) == _beside({"rows.2.fmr": _rate(0.5, 0.5, None)}) == {}
