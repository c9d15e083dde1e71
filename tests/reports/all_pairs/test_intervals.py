"""Intervals cover the truth of a population about as often as they say.

FNMR and both rises of 50 drawn galleries; the band is that of so few, and intervals of 0.6 of the width leave it.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.intervals import at_rate, at_threshold, interval, interval_of_rise
from ghostface_edge.reports.all_pairs.operating_points import at, point_at
from ghostface_edge.reports.all_pairs.scores import AllPairScores, compare_all

from .conftest import Drawn, draw_people

FMR = "0.01"
Bounds = tuple[float, float]


def scored(drawn: Drawn) -> tuple[AllPairScores, AllPairScores]:
    gallery = Gallery.of(drawn.names)
    return compare_all(drawn.variant, gallery), compare_all(drawn.reference, gallery)


def figures(variant: AllPairScores, reference: AllPairScores) -> tuple[float, float, float]:
    """FNMR, its rise at the own threshold and at the frozen one."""
    own, before = point_at(variant, FMR), point_at(reference, FMR)
    return own.fnmr, own.fnmr - before.fnmr, at(variant, before.threshold).fnmr - before.fnmr


def bounds(variant: AllPairScores, reference: AllPairScores) -> Iterator[Bounds]:
    own, before = point_at(variant, FMR), point_at(reference, FMR)
    fnmr, rise, frozen = figures(variant, reference)
    influence, genuine = at_rate(variant, FMR, own), variant.gallery.genuine
    yield interval(fnmr, influence)
    yield interval_of_rise(rise, influence - at_rate(reference, FMR, before), genuine)
    change = at_threshold(variant, before.threshold) - at_threshold(reference, before.threshold)
    yield interval_of_rise(frozen, change, genuine)


def test_coverage() -> None:
    truth = np.mean([figures(*scored(draw_people(1000 + seed, 1_500))) for seed in range(4)], axis=0)
    covered, narrow = np.zeros(3), np.zeros(3)
    trials = 50
    for seed in range(trials):
        pair = scored(draw_people(seed, 250))
        for number, (point, (low, high)) in enumerate(zip(figures(*pair), bounds(*pair), strict=True)):
            covered[number] += low <= truth[number] <= high
            narrow[number] += point + 0.6 * (low - point) <= truth[number] <= point + 0.6 * (high - point)
    # of 95 % two and a half standard deviations of 50 trials leave 87 to 100 %
    assert (covered / trials >= 0.87).all(), covered
    assert (narrow / trials < 0.92).all(), narrow


def test_a_model_against_itself_rises_by_nothing() -> None:
    drawn = draw_people(1, 300)
    variant, _ = scored(drawn)
    for low, high in list(bounds(variant, variant))[1:]:
        assert low == -high
        assert high < 3 / variant.gallery.genuine


def test_two_models_share_most_of_their_errors() -> None:
    """So the interval of a rise is narrower than that of either FNMR."""
    fnmr, own, frozen = (high - low for low, high in bounds(*scored(draw_people(2, 400))))
    assert own < 0.7 * fnmr
    assert frozen < 0.7 * fnmr


def test_four_times_the_people_halve_the_interval() -> None:
    few, many = ([high - low for low, high in bounds(*scored(draw_people(4, people)))] for people in (250, 1_000))
    assert np.array(few) / many == pytest.approx(np.array([2.0, 2.0, 2.0]), rel=0.35)


@pytest.mark.parametrize("centres", [0.0, 1.0])
def test_nothing_or_everything_missed(centres: float) -> None:
    """People who are all alike to their own, or strangers to them: 40 people exclude 9 % at most."""
    rng = np.random.default_rng(0)
    names = [f"p{place // 3:02d}" for place in range(120)]
    rows = np.repeat(rng.normal(size=(40, 64)), 3, axis=0) + 0.01 * rng.normal(size=(120, 64))
    if centres:
        rows = np.tile(rng.normal(size=(3, 64)), (40, 1)) + 0.01 * rng.normal(size=(120, 64))
    scores = compare_all(rows.astype(np.float32), Gallery.of(names))
    point = point_at(scores, FMR)
    assert point.fnmr == centres
    low, high = interval(point.fnmr, at_rate(scores, FMR, point))
    assert high - low == pytest.approx(1 - 0.025 ** (1 / 40))
    assert low <= point.fnmr <= high


@pytest.mark.parametrize("seed", range(5))
def test_every_interval_is_finite_and_holds_its_point_down_to_the_last_false_match(seed: int) -> None:
    variant, reference = scored(draw_people(seed, 60))
    gallery = variant.gallery
    assert 3 <= gallery.impostors * 1e-3 < 30
    point, before = point_at(variant, "0.001"), point_at(reference, "0.001")
    influence = at_rate(variant, "0.001", point)
    low, high = interval(point.fnmr, influence)
    assert 0 <= low <= point.fnmr <= high <= 1
    low, high = interval_of_rise(0.0, influence - at_rate(reference, "0.001", before), gallery.genuine)
    assert -np.inf < low < 0 < high < np.inf


def test_an_old_model_that_is_the_new_one_changes_no_interval() -> None:
    """Two ways to compare two images are no two draws: intervals stay as wide."""
    drawn = draw_people(11, 250)
    gallery = Gallery.of(drawn.names)
    alone, both = (compare_all(drawn.reference, gallery, enrolled=it) for it in (None, drawn.reference))
    for fmr in ("0.01", "0.001"):
        one, two = (at_rate(scores, fmr, point_at(scores, fmr)) for scores in (alone, both))
        assert two.standard_error() == pytest.approx(one.standard_error(), rel=1e-9)
        np.testing.assert_allclose(two.of_person, one.of_person, atol=1e-12)
