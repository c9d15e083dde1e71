import numpy as np
import pytest

from ghostface_edge.reports.all_against_all import FMRS, Support, missing
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.operating_points import (
    at,
    det_curve,
    equal_error_rate,
    point_at,
    support,
)
from ghostface_edge.reports.all_pairs.scores import BINS, AllPairScores, compare_all, cosine_of

from .conftest import Drawn, cosines_by_hand, draw_people


@pytest.fixture(scope="module")
def found(exact: Drawn) -> AllPairScores:
    return compare_all(exact.reference, Gallery.of(exact.names))


@pytest.mark.parametrize(
    ("fmr", "genuine", "impostor", "said"),
    [
        ("0.001", 30, 30_000, Support.FIGURE),
        ("0.001", 30, 29_999, Support.BOUND),
        ("0.001", 29, 10**9, Support.NOTHING),
        ("0.001", 30, 3_000, Support.BOUND),
        ("0.001", 30, 2_999, Support.NOTHING),
        ("0.00001", 8_000, 29_650_000, Support.FIGURE),
        ("0.000001", 8_000, 29_650_000, Support.BOUND),
    ],
)
def test_rules_of_30_and_of_3(fmr: str, genuine: int, impostor: int, said: Support) -> None:
    assert Support.of(fmr, genuine, impostor) is said


@pytest.mark.parametrize("fmr", FMRS)
def test_what_is_missing_would_do(fmr: str) -> None:
    words = missing(fmr, 30, 2)
    more = int(words.split()[0].replace(",", ""))
    assert Support.of(fmr, 30, 2 + more) is Support.BOUND
    assert Support.of(fmr, 30, 2 + more - 1) is Support.NOTHING
    assert missing(fmr, 18, 10**9) == "12 more comparisons of a person with itself are needed"


def test_the_lowest_threshold_that_keeps_a_rate(found: AllPairScores) -> None:
    for fmr in FMRS[:2]:
        point = point_at(found, fmr)
        assert support(found, fmr) is Support.FIGURE
        assert point.fmr <= float(fmr) < at(found, point.threshold - 1).fmr
        assert point.cosine == cosine_of(point.threshold)


def test_a_bound_is_sure() -> None:
    """Of a population that has just this rate, one draw in twenty at most shows so few false matches."""
    drawn = draw_people(0, 300)
    scores = compare_all(drawn.reference, Gallery.of(drawn.names))
    (fmr,) = (fmr for fmr in FMRS if support(scores, fmr) is Support.BOUND)
    seen = scores.above[point_at(scores, fmr).threshold]
    draws = np.random.default_rng(0).poisson(float(fmr) * scores.gallery.impostors, 100_000)
    assert (draws <= seen).mean() < 0.052
    assert (draws <= seen + 1).mean() > 0.048
    assert scores.above[point_at(scores, fmr).threshold - 1] == seen + 1


def test_three_expected_allow_none() -> None:
    """The rule of 3 itself: 3,000 comparisons without a false match bound the rate by 1e-3."""
    rng = np.random.default_rng(2)
    names = [*(f"one{place}" for place in range(70)), *(["same"] * 9)]
    scores = compare_all(rng.normal(size=(79, 16)).astype(np.float32), Gallery.of(names))
    assert 3_000 <= scores.gallery.impostors < 5_000
    point = point_at(scores, "0.001")
    assert point.fmr == 0
    assert at(scores, point.threshold - 1).fmr > 0


def test_equal_error_rate(found: AllPairScores, exact: Drawn) -> None:
    impostor, genuine = cosines_by_hand(exact.reference, exact.names)
    thresholds = np.arange(-1, 1, 2 / 1024)
    fmr = np.array([(impostor >= it).mean() for it in thresholds])
    fnmr = np.array([(genuine < it).mean() for it in thresholds])
    nearest = np.abs(fmr - fnmr).argmin()
    assert min(fmr[nearest], fnmr[nearest]) <= equal_error_rate(found) <= max(fmr[nearest], fnmr[nearest])


def test_the_curve_trades_one_error_for_the_other(found: AllPairScores) -> None:
    curve = det_curve(found)
    assert len(curve) > 50
    assert np.all(np.diff([point.threshold for point in curve]) > 0)
    assert np.all(np.diff([point.fmr for point in curve]) <= 0)
    assert np.all(np.diff([point.fnmr for point in curve]) >= 0)
    assert curve[0].fmr == pytest.approx(0.5, abs=0.05)
    assert curve[-1].fmr * found.gallery.impostors == pytest.approx(30, abs=10)
    assert (at(found, 0).fmr, at(found, 0).fnmr) == (1.0, 0.0)
    assert at(found, BINS).fmr == 0


@pytest.mark.parametrize("names", [["a"] * 9, list("abcdefghi"), []])
def test_without_both_kinds_there_is_no_curve(names: list[str]) -> None:
    scores = compare_all(np.eye(9, dtype=np.float32)[: len(names)], Gallery.of(names))
    assert equal_error_rate(scores) is None
    assert det_curve(scores) == ()
