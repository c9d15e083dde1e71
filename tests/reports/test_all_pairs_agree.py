"""All images against all: figures that go together, and each one that does not."""

from typing import Any

import pytest

from ghostface_edge.reports.all_against_all import AllPairs, DetPoint
from ghostface_edge.reports.all_pairs_agree import all_pairs_disagree, falls, of_one_gallery
from ghostface_edge.reports.figures_agree import NEAR, NEAR_PP

from .conftest import altered

ROW = "fnmr_at_fmr.0.01"
PARTED = "each of 0.01, 0.001, 0.0001, 0.00001, 0.000001 is either a figure or not answerable"
TOGETHER = "a rise, its interval and the frozen threshold are stated together"
GOOD: dict[str, Any] = {
    "images": 200,
    "people": 100,
    "genuine": 100,
    "impostor": 19_700,
    "ambiguous": 100,
    "eer": 0.02,
    "fnmr_at_fmr": {
        "0.01": {
            "support": "figure",
            "threshold": 0.4,
            "fmr": 0.01,
            "fnmr": 0.02,
            "ci95": [0.0, 0.06],
            "rise_pp": 1.0,
            "rise_ci95_pp": [-3, 5],
            "frozen": {
                "threshold": 0.41,
                "fmr": 0.009,
                "fnmr": 0.03,
                "ci95": [0.01, 0.08],
                "rise_pp": 2.0,
                "rise_ci95_pp": [-2, 6],
            },
        },
        "0.001": {
            "support": "bound",
            "threshold": 0.5,
            "fmr": 0.0009,
            "fnmr": 0.1,
            "ci95": [0.05, 0.2],
            "rise_pp": 5.0,
            "rise_ci95_pp": [1, 9],
            "frozen": {
                "threshold": 0.49,
                "fmr": 0.0012,
                "fnmr": 0.09,
                "ci95": None,
                "rise_pp": 4.0,
                "rise_ci95_pp": [0, 8],
            },
        },
    },
    "not_answerable": dict.fromkeys(("0.0001", "0.00001", "0.000001"), "more people are needed"),
    "det": [
        {"threshold": 0.3, "fmr": 0.05, "fnmr": 0.0},
        {"threshold": 0.4, "fmr": 0.01, "fnmr": 0.02},
        {"threshold": 0.5, "fmr": 0.001, "fnmr": 0.1},
    ],
}
STRANGERS_ONLY: dict[str, Any] = {
    "images": 20,
    "people": 20,
    "genuine": 0,
    "impostor": 190,
    "eer": None,
    "fnmr_at_fmr": {},
    "not_answerable": dict.fromkeys(("0.01", "0.001", "0.0001", "0.00001", "0.000001"), "more images are needed"),
}


def _all_found(changes: dict[str, Any]) -> list[tuple[str, str]]:
    return list(all_pairs_disagree(AllPairs.model_validate(altered(GOOD, changes)), 200))


def _found(changes: dict[str, Any], images: int | None = 200, good: dict[str, Any] = GOOD) -> dict[str, str]:
    """By field, the last problem."""
    return dict(all_pairs_disagree(AllPairs.model_validate(altered(good, changes)), images))


def _with_rise(rise_pp: float, low: float, high: float, **frozen: Any) -> dict[str, Any]:
    """At 0.01, under both thresholds, so that both still speak of one reference."""
    as_frozen = {"fnmr": 0.02, "rise_pp": rise_pp, "rise_ci95_pp": [rise_pp - 4, rise_pp + 4], **frozen}
    return {
        f"{ROW}.rise_pp": rise_pp,
        f"{ROW}.rise_ci95_pp": [low, high],
        **{f"{ROW}.frozen.{field}": value for field, value in as_frozen.items()},
    }


@pytest.mark.parametrize("kind", ["genuine", "impostor"])
def test_a_histogram_holds_every_comparison(kind: str) -> None:
    histogram = {name: [*[0] * 127, GOOD[name]] for name in ("genuine", "impostor")}
    assert _found({"histogram": histogram}) == {}
    for counts in ([*histogram[kind][:-1], GOOD[kind] - 1], [0, *histogram[kind]]):
        problems = _found({"histogram": {**histogram, kind: counts}})
        assert problems.keys() == {f"histogram.{kind}"}


def test_good_figures_agree() -> None:
    assert _found({}) == _found({}, None) == _found({}, 201) == {}
    assert _found({}, 20, STRANGERS_ONLY) == {}


@pytest.mark.parametrize(
    ("field", "value", "place", "says"),
    [
        ("impostor", 19_701, "impostor", "19,901 comparisons in all, but 200 images have 19,900"),
        ("ambiguous", 99, "impostor", "19,899 comparisons in all, but 200 images have 19,900"),
        ("people", 201, "people", "201 people on 200 images"),
        ("eer", None, "eer", "it needs comparisons of both kinds, and with them there is one"),
        ("fnmr_at_fmr", {}, "fnmr_at_fmr", PARTED),
        ("not_answerable", {}, "fnmr_at_fmr", PARTED),
        ("not_answerable.0.01", "no", "fnmr_at_fmr", PARTED),
        ("not_answerable.0.0000001", "no", "fnmr_at_fmr", PARTED),
        (f"{ROW}.support", "bound", f"{ROW}.support", "bound, but so many comparisons make it figure"),
        (f"{ROW}.fmr", 0.0101, f"{ROW}.fmr", "0.0101 is more than the rate asked for"),
        (f"{ROW}.ci95", [0.03, 0.06], f"{ROW}.fnmr", "0.02 is not within its own interval [0.03, 0.06]"),
        (f"{ROW}.ci95", [-0.1, 0.06], f"{ROW}.ci95", "an FNMR lies between 0 and 1"),
        (f"{ROW}.ci95", [0.01, 1.1], f"{ROW}.ci95", "an FNMR lies between 0 and 1"),
        (f"{ROW}.frozen.ci95", [-0.1, 0.06], f"{ROW}.frozen.ci95", "an FNMR lies between 0 and 1"),
        (f"{ROW}.frozen.ci95", [0.04, 0.06], f"{ROW}.frozen.fnmr", "0.03 is not within its own interval [0.04, 0.06]"),
        (f"{ROW}.rise_pp", None, f"{ROW}.rise_pp", TOGETHER),
        (f"{ROW}.rise_ci95_pp", None, f"{ROW}.rise_pp", TOGETHER),
        (f"{ROW}.frozen", None, f"{ROW}.rise_pp", TOGETHER),
        (f"{ROW}.rise_ci95_pp", [-3, 6], f"{ROW}.rise_ci95_pp", "the rise of 1 is not in the middle"),
        (f"{ROW}.frozen.rise_ci95_pp", [-2, 7], f"{ROW}.frozen.rise_ci95_pp", "the rise of 2 is not in the middle"),
        (f"{ROW}.frozen.fmr", 0.011, f"{ROW}.frozen", "FMR 0.01 and FNMR 0.02 at 0.4, but 0.011 and 0.03 at 0.41"),
        (f"{ROW}.frozen.threshold", 0.3, f"{ROW}.frozen", "FMR 0.009 and FNMR 0.03 at 0.3, but 0.01 and 0.02 at 0.4"),
        ("det.1.fnmr", 0.2, "det", "FMR 0.01 and FNMR 0.2 at 0.4, but 0.001 and 0.1 at 0.5"),
    ],
)
def test_a_figure_that_others_make_impossible_is_named(field: str, value: object, place: str, says: str) -> None:
    assert _found({field: value}) == {place: says}


def test_rates_are_of_figures_that_are_there() -> None:
    assert _found({"fnmr_at_fmr.0.001.support": "nothing"}) == {
        "fnmr_at_fmr.0.001.support": "nothing, but so many comparisons make it bound"
    }
    told = altered(GOOD, {})
    told["not_answerable"]["0.001"] = "nothing is told"
    del told["fnmr_at_fmr"]["0.001"]
    assert _found({}, 200, told) == {"fnmr_at_fmr.0.001.support": "nothing, but so many comparisons make it bound"}


def test_no_more_images_are_compared_than_there_are() -> None:
    assert _found({}, 199) == {"images": "200, but there are 199"}
    assert _found({"people": 200}) == {}


@pytest.mark.parametrize(("genuine", "impostor"), [(0, 190), (190, 0)])
def test_an_equal_error_rate_needs_both_kinds(genuine: int, impostor: int) -> None:
    counts = {"genuine": genuine, "impostor": impostor}
    assert _found(counts, 20, STRANGERS_ONLY) == {}
    assert _found({**counts, "eer": 0.1}, 20, STRANGERS_ONLY).keys() == {"eer"}


def test_a_rate_is_not_above_the_one_asked_for() -> None:
    assert _found({f"{ROW}.fmr": 0.01 * (1 + NEAR)}) == {}
    assert _found({f"{ROW}.fmr": 0.01 * (1 + 2 * NEAR)}).keys() == {f"{ROW}.fmr"}


def test_an_interval_may_be_a_point() -> None:
    for point in (0.02, 0.0, 1.0):
        changes = {f"{ROW}.ci95": [point, point], f"{ROW}.fnmr": point}
        assert f"{ROW}.ci95" not in _found(changes)


def test_a_rate_is_a_number_of_comparisons() -> None:
    changes = _with_rise(1.5, -2.5, 5.5) | {f"{ROW}.fnmr": 0.025, f"{ROW}.frozen.fnmr": 0.025}
    assert _found(changes) == {f"{ROW}.fnmr": "0.025 is no number of 100 genuine comparisons"}


def test_without_a_reference_there_is_no_rise() -> None:
    assert _found({f"{ROW}.{field}": None for field in ("rise_pp", "rise_ci95_pp", "frozen")}) == {}


def test_a_rise_is_in_the_middle_of_its_interval() -> None:
    assert _found({f"{ROW}.rise_ci95_pp": [-3 + 1.8 * NEAR_PP, 5]}) == {}
    assert _found({f"{ROW}.rise_ci95_pp": [-3 + 2.2 * NEAR_PP, 5]}) == {
        f"{ROW}.rise_ci95_pp": "the rise of 1 is not in the middle"
    }
    aside, _ = _all_found({f"{ROW}.rise_ci95_pp": [2, 10]})
    assert aside == (f"{ROW}.rise_pp", "1 is not within its own interval [2, 10]")
    aside, _ = _all_found({f"{ROW}.frozen.rise_ci95_pp": [3, 11]})
    assert aside == (f"{ROW}.frozen.rise_pp", "2 is not within its own interval [3, 11]")


def test_a_rise_is_not_known_better_than_comparisons_tell() -> None:
    least = 100 * 1.959964 * 2**0.5 / 100
    assert _found(_with_rise(0.0, -(least - NEAR_PP), least - NEAR_PP)) == {}
    narrow = least - 2 * NEAR_PP
    says = f"{narrow:g} to either side, which 100 genuine comparisons cannot tell"
    assert _found(_with_rise(0.0, -narrow, narrow)) == {f"{ROW}.rise_ci95_pp": says}


def test_one_comparison_would_tell_less_than_any_rise() -> None:
    wide = altered(GOOD, {f"{ROW}.rise_ci95_pp": [-199, 201], f"{ROW}.frozen.rise_ci95_pp": [-398, 402]})
    told = altered(STRANGERS_ONLY, {"fnmr_at_fmr": {"0.01": wide["fnmr_at_fmr"]["0.01"]}})
    del told["not_answerable"]["0.01"]
    assert _found({}, 20, told) == {
        f"{ROW}.support": "figure, but so many comparisons make it nothing",
        f"{ROW}.rise_ci95_pp": "200 to either side, which 0 genuine comparisons cannot tell",
    }


def test_both_thresholds_speak_of_one_reference() -> None:
    changes = {f"{ROW}.frozen.rise_pp": 1.0, f"{ROW}.frozen.rise_ci95_pp": [-3, 5]}
    says = "it makes the reference's FNMR 0.01, the frozen threshold's 0.02"
    assert _found(changes) == {f"{ROW}.rise_pp": says}


def test_the_reference_rejects_between_none_and_all() -> None:
    def found(fnmr: float, rise_pp: float) -> set[str]:
        changes = _with_rise(rise_pp, rise_pp - 4, rise_pp + 4, fnmr=fnmr, ci95=None)
        others = {"fnmr_at_fmr.0.001.fnmr": fnmr, "fnmr_at_fmr.0.001.frozen.fnmr": fnmr, "det": []}
        at_a_thousandth = {f"fnmr_at_fmr.0.001.{field}": None for field in ("rise_pp", "rise_ci95_pp", "frozen")}
        bounds = {f"{ROW}.ci95": [0, 1], "fnmr_at_fmr.0.001.ci95": [0, 1], f"{ROW}.fnmr": fnmr}
        return {*_found(changes | others | bounds | at_a_thousandth)}

    assert found(0.0, 100 * NEAR) == found(1.0, -100 * NEAR) == set()
    assert found(0.0, 200 * NEAR) == found(1.0, -200 * NEAR) == {f"{ROW}.rise_pp"}


def test_a_higher_threshold_accepts_fewer_of_either_kind() -> None:
    def found(threshold: float, fmr: float, fnmr: float) -> list[tuple[str, str]]:
        loose = DetPoint(threshold=0.5, fmr=0.01, fnmr=0.02)
        return list(falls("det", [loose, DetPoint(threshold=threshold, fmr=fmr, fnmr=fnmr)]))

    assert found(0.5, 0.01, 0.02) == found(0.5 - NEAR, 0.01 + NEAR, 0.02 - NEAR) == []
    assert found(0.5 - 2 * NEAR, 0.01, 0.02)
    assert found(0.5, 0.01 + 2 * NEAR, 0.02)
    says = "FMR 0.01 and FNMR 0.02 at 0.5, but 0.01 and 0.01 at 0.6"
    assert found(0.6, 0.01, 0.01) == [("det", says)]


def test_each_rate_rejects_more_than_a_looser_one() -> None:
    at_a_thousandth = {
        "fnmr_at_fmr.0.001.threshold": 0.35,
        "fnmr_at_fmr.0.001.frozen.threshold": 0.34,
    }
    assert _found(at_a_thousandth) == {"fnmr_at_fmr": "FMR 0.01 and FNMR 0.02 at 0.4, but 0.0009 and 0.1 at 0.35"}


def _beside(changes: dict[str, Any], others: dict[str, Any] | None = None) -> dict[str, str]:
    """A variant beside the first one."""
    found, first = (AllPairs.model_validate(altered(GOOD, fields)) for fields in (changes, others or {}))
    return dict(of_one_gallery(found, first, "onnxruntime-fp32"))


def test_all_variants_compare_the_same_images() -> None:
    assert _beside({}) == {}
    for field in ("images", "people", "genuine", "impostor", "ambiguous"):
        assert _beside({field: 1_234}) == {field: f"1,234, but onnxruntime-fp32 has {GOOD[field]:,}"}


def test_all_variants_are_held_against_one_threshold() -> None:
    assert _beside({f"{ROW}.frozen.threshold": 0.41 + 0.9 * NEAR}) == {}
    place = f"{ROW}.frozen.threshold"
    assert _beside({place: 0.42}) == {place: "0.42, but onnxruntime-fp32 has 0.41"}


def test_all_variants_speak_of_one_reference() -> None:
    place = f"{ROW}.rise_pp"
    assert _beside({place: 1.0 + 0.5e-4}) == {}
    assert _beside({place: 2.0}) == {place: "it makes the reference's FNMR 0, that of onnxruntime-fp32 0.01"}
    assert _beside({place: -3.0}) == {place: "it makes the reference's FNMR 0.05, that of onnxruntime-fp32 0.01"}


def test_only_what_both_state_is_held_against_each_other() -> None:
    bare = {f"{ROW}.{field}": None for field in ("rise_pp", "rise_ci95_pp", "frozen")}
    assert _beside(bare) == _beside({}, bare) == _beside(bare, bare) == {}
    assert _beside({"fnmr_at_fmr": {}}) == _beside({}, {"fnmr_at_fmr": {}}) == {}
