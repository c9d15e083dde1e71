"""95 % intervals of FNMR and of its rise, by people.

Comparisons share people, so people are the independent draws. An FNMR at a false-match rate errs for two reasons: whose
genuine comparisons were seen, and where the impostor comparisons put the threshold. Both are written as sums over
people, of which each impostor comparison has two; the variance adds what comparisons with a person in common share.
Drawing people with replacement instead, both sides of a comparison at once, counts the chance of a single comparison
three times over: its intervals of a rise covered 99 to 100 % in simulations (docs/decisions/0026-all-against-all.md).
Source: Bolle, Ratha and Pankanti 2004, doi 10.1016/j.cviu.2003.09.004, on people as draws; Fafchamps and Gubert 2007,
doi 10.1016/j.jdeveco.2006.05.005, on the variance of pairs that share a member.
"""

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.all_against_all import FMRS
from ghostface_edge.reports.all_pairs.gallery import comparisons_within
from ghostface_edge.reports.all_pairs.operating_points import Point, at, lowest_threshold
from ghostface_edge.reports.all_pairs.part import Part
from ghostface_edge.reports.all_pairs.scores import AllPairScores

CONFIDENCE: Final = 0.95
_FEWEST = 3.0
"""Degrees of freedom below which no interval could be told."""
_WINDOW = 1.5
"""The slope of FNMR is taken between the rate over this and the rate times this."""


@dataclass(frozen=True, slots=True)
class Influence:
    """How far each draw moves a figure, to first order."""

    person: NDArray[np.float64]
    """(P,), through a person's genuine comparisons and the number of a person's impostor comparisons."""
    first: NDArray[np.int64]
    """(T,), person of a false match."""
    second: NDArray[np.int64]
    weight: NDArray[np.float64]
    """(T,), of each false match; of the two models' in a difference."""
    lot: NDArray[np.int64]
    """(T,), the two images of a false match, by which the same one of two models is known."""
    rate: float
    """Share of the false matches that are listed."""
    draws: int
    """People with genuine comparisons; of an FMR, comparisons. What nothing found among them can exclude."""

    def __add__(self, other: "Influence") -> "Influence":
        return self - other.times(-1)

    def __sub__(self, other: "Influence") -> "Influence":
        return Influence(
            self.person - other.person,
            np.concatenate((self.first, other.first)),
            np.concatenate((self.second, other.second)),
            np.concatenate((self.weight, -other.weight)),
            np.concatenate((self.lot, other.lot)),
            min(self.rate, other.rate),
            self.draws,
        )

    def times(self, factor: float) -> "Influence":
        """On a multiple of the figure."""
        return replace(self, person=factor * self.person, weight=factor * self.weight)

    @property
    def of_person(self) -> NDArray[np.float64]:
        """(P,), through all comparisons."""
        people = len(self.person)
        matches = np.bincount(self.first, self.weight, people) + np.bincount(self.second, self.weight, people)
        return self.person + matches / self.rate

    def standard_error(self) -> float:
        """Of the figure."""
        shared = _sums(self.first * len(self.person) + self.second, self.weight)
        single = _sums(self.lot, self.weight)
        variance = (self.of_person**2).sum() - (shared**2).sum() / self.rate**2
        variance -= (single**2).sum() * (1 / self.rate**2 - 1 / self.rate)
        return float(np.sqrt(max(variance, 0.0)))

    def half_width(self, standard_error: float, confidence: float = CONFIDENCE) -> float:
        """Half an interval: by Student's t, with as many degrees of freedom as there are people who matter.

        Source: Cornish and Fisher's expansion of t's quantile, Abramowitz and Stegun 26.7.5.
        """
        square = self.of_person**2
        freedom = max(square.sum() ** 2 / (square**2).sum(), _FEWEST) if square.any() else np.inf
        z = _quantile(confidence)
        quantile = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        return float(quantile * standard_error)


def at_rate(scores: AllPairScores, fmr: str, point: Point, part: Part | None = None) -> Influence:
    """Of an FNMR at a false-match rate of all, whose threshold the comparisons themselves give."""
    slope = _slope(scores, point, part)
    return at_threshold(scores, point.threshold, part) + of_fmr(scores, fmr, point).times(slope)


def at_threshold(scores: AllPairScores, threshold: int, part: Part | None = None) -> Influence:
    """Of an FNMR at a threshold that stays."""
    part = part or Part.everybody(scores.gallery)
    missed, total = _genuine_of(scores, threshold, part)
    fnmr = missed.sum() / max(total.sum(), 1)
    return of_people((missed - fnmr * total) / max(total.sum(), 1), part.with_genuine)


def of_fmr(scores: AllPairScores, fmr: str, point: Point, part: Part | None = None) -> Influence:
    """Of an FMR at a threshold that stays; `fmr` is the rate of all that the threshold was chosen for."""
    gallery = scores.gallery
    part = part or Part.everybody(gallery)
    tail, share = scores.sample(FMRS.index(fmr), point.threshold)
    first, second = gallery.person[tail.first].astype(np.int64), gallery.person[tail.second].astype(np.int64)
    lot, alike, impostors = (
        tail.first.astype(np.int64) * len(gallery) + tail.second,
        part.alike(first, second),
        max(part.impostors * scores.ways, 1),
    )
    return Influence(
        person=-fmr_of(scores, fmr, point.threshold, part) * part.impostors_of * scores.ways / impostors,
        first=first[alike],
        second=second[alike],
        weight=np.full(np.count_nonzero(alike), 1 / impostors),
        lot=lot[alike],
        rate=share,
        draws=impostors,
    )


def fmr_at_rate(scores: AllPairScores, fmr: str, point: Point, part: Part) -> Influence:
    """Of a part's FMR at the threshold that gives a false-match rate of all."""
    strict = at(scores, lowest_threshold(scores, float(scores.above[point.threshold]) / _WINDOW))
    within = [fmr_of(scores, fmr, it.threshold, part) for it in (point, strict)]
    slope = (within[0] - within[1]) / (point.fmr - strict.fmr) if point.fmr > strict.fmr else 0.0
    return of_fmr(scores, fmr, point, part) - of_fmr(scores, fmr, point).times(slope)


def of_people(person: NDArray[np.float64], with_genuine: int) -> Influence:
    """Of a figure that (P,) people move, each alone."""
    nobody = np.empty(0, np.int64)
    return Influence(person, nobody, nobody, np.empty(0), nobody, 1.0, with_genuine)


def interval(fnmr: float, influence: Influence, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval of an error rate, symmetric in its logit: rates of few people are skewed.

    Where nothing or everything was rejected, what the number of people with genuine comparisons can exclude.
    """
    if fnmr in {0.0, 1.0}:
        beyond = 1 - ((1 - confidence) / 2) ** (1 / max(influence.draws, 1))
        return (0.0, beyond) if fnmr == 0.0 else (1 - beyond, 1.0)
    logit = math.log(fnmr / (1 - fnmr))
    half = influence.half_width(influence.standard_error() / (fnmr * (1 - fnmr)), confidence)
    # the logistic function, in a form that does not overflow
    low, high = ((1 + math.tanh(at / 2)) / 2 for at in (logit - half, logit + half))
    return low, high


def interval_of_rise(
    rise: float, influence: Influence, comparisons: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Interval of a difference of two models' error rates over so many comparisons.

    Errors that both models make cancel, and what is left is near enough to normal. Two imagined comparisons, one lost
    and one gained, are added: that none of a few changed is no certainty.
    """
    half = _quantile(confidence) * math.hypot(influence.standard_error(), math.sqrt(2) / max(comparisons, 1))
    return rise - half, rise + half


def fnmr_of(scores: AllPairScores, threshold: int, part: Part) -> float:
    """Share of a part's genuine comparisons that a threshold rejects."""
    missed, total = _genuine_of(scores, threshold, part)
    return float(missed.sum() / max(total.sum(), 1))


def fmr_of(scores: AllPairScores, fmr: str, threshold: int, part: Part) -> float:
    """Share of a part's impostor comparisons that a threshold accepts, by those that the tail keeps for a rate."""
    person = scores.gallery.person
    tail, share = scores.sample(FMRS.index(fmr), threshold)
    return float(
        np.count_nonzero(part.alike(person[tail.first], person[tail.second]))
        / share
        / max(part.impostors * scores.ways, 1)
    )


def _genuine_of(scores: AllPairScores, threshold: int, part: Part) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(P,) each, a part's rejected genuine comparisons and all of them, by person."""
    rejected = scores.genuine_person[: np.searchsorted(scores.genuine_bin, threshold)]
    missed = np.where(part.members, np.bincount(rejected, minlength=len(part.members)), 0)
    return missed, np.where(part.members, scores.ways * comparisons_within(scores.gallery.images_of), 0)


def _slope(scores: AllPairScores, point: Point, part: Part | None) -> float:
    """By how much FNMR falls as the FMR of all rises, about a point."""
    part = part or Part.everybody(scores.gallery)
    matches = float(scores.above[point.threshold])
    strict, loose = (at(scores, lowest_threshold(scores, count)) for count in (matches / _WINDOW, matches * _WINDOW))
    if loose.fmr <= strict.fmr:
        return 0.0
    return (fnmr_of(scores, strict.threshold, part) - fnmr_of(scores, loose.threshold, part)) / (loose.fmr - strict.fmr)


def _quantile(confidence: float) -> float:
    """Of the normal distribution, of an interval with two sides."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _sums(keys: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights added up by key."""
    place = np.unique(keys, return_inverse=True)[1]
    return np.bincount(place, weights).astype(np.float64, copy=False)
