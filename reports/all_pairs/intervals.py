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
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.all_against_all import FMRS
from ghostface_edge.reports.all_pairs.operating_points import Point, at, lowest_threshold
from ghostface_edge.reports.all_pairs.scores import AllPairScores

_Z95 = 1.959964
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
    with_genuine: int
    """Persons with genuine comparisons."""

    def __sub__(self, other: "Influence") -> "Influence":
        return Influence(
            self.person - other.person,
            np.concatenate((self.first, other.first)),
            np.concatenate((self.second, other.second)),
            np.concatenate((self.weight, -other.weight)),
            np.concatenate((self.lot, other.lot)),
            self.rate,
            self.with_genuine,
        )

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

    def half_width(self, standard_error: float) -> float:
        """Half the 95 % interval: by Student's t, with as many degrees of freedom as there are people who matter.

        Source: Cornish and Fisher's expansion of t's quantile, Abramowitz and Stegun 26.7.5.
        """
        square = self.of_person**2
        freedom = max(square.sum() ** 2 / (square**2).sum(), _FEWEST) if square.any() else np.inf
        z = _Z95
        quantile = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        return float(quantile * standard_error)


def at_rate(scores: AllPairScores, fmr: str, point: Point) -> Influence:
    """Of FNMR at a false-match rate, whose threshold the comparisons themselves give."""
    gallery = scores.gallery
    tail, rate = scores.sample(FMRS.index(fmr), point.threshold)
    slope = _slope(scores, point) / scores.impostors
    images = gallery.images_of
    expected = point.fmr * scores.ways * images * (len(gallery) - images)
    first, second = gallery.person[tail.first].astype(np.int64), gallery.person[tail.second].astype(np.int64)
    return Influence(
        person=_genuine(scores, point) - slope * expected,
        first=first,
        second=second,
        weight=np.full(len(first), slope),
        lot=tail.first.astype(np.int64) * len(gallery) + tail.second,
        rate=rate,
        with_genuine=_with_genuine(scores),
    )


def at_threshold(scores: AllPairScores, threshold: int) -> Influence:
    """Of FNMR at a threshold that stays."""
    return of_people(_genuine(scores, at(scores, threshold)), _with_genuine(scores))


def of_people(person: NDArray[np.float64], with_genuine: int) -> Influence:
    """Of a figure that (P,) people move, each alone."""
    nobody = np.empty(0, np.int64)
    return Influence(person, nobody, nobody, np.empty(0), nobody, 1.0, with_genuine)


def interval(fnmr: float, influence: Influence) -> tuple[float, float]:
    """95 % interval of an FNMR, symmetric in its logit: rates of few people are skewed.

    Where nothing or everything was rejected, what the number of people with genuine comparisons can exclude.
    """
    if fnmr in {0.0, 1.0}:
        beyond = 1 - 0.025 ** (1 / max(influence.with_genuine, 1))
        return (0.0, beyond) if fnmr == 0.0 else (1 - beyond, 1.0)
    logit = math.log(fnmr / (1 - fnmr))
    half = influence.half_width(influence.standard_error() / (fnmr * (1 - fnmr)))
    # the logistic function, in a form that does not overflow
    low, high = ((1 + math.tanh(at / 2)) / 2 for at in (logit - half, logit + half))
    return low, high


def interval_of_rise(rise: float, influence: Influence, genuine: int) -> tuple[float, float]:
    """95 % interval of a difference of two FNMRs.

    Errors that both models make cancel, and what is left is near enough to normal. Two imagined comparisons, one lost
    and one gained, are added: that none of a few changed is no certainty.
    """
    half = _Z95 * math.hypot(influence.standard_error(), math.sqrt(2) / max(genuine, 1))
    return rise - half, rise + half


def _genuine(scores: AllPairScores, point: Point) -> NDArray[np.float64]:
    """(P,), by each person's genuine comparisons."""
    people, total = len(scores.gallery.names), max(scores.genuine, 1)
    missed = np.bincount(scores.genuine_person[scores.genuine_bin < point.threshold], minlength=people)
    return (missed - point.fnmr * np.bincount(scores.genuine_person, minlength=people)) / total


def _with_genuine(scores: AllPairScores) -> int:
    return int(np.count_nonzero(scores.gallery.images_of > 1))


def _slope(scores: AllPairScores, point: Point) -> float:
    """By how much FNMR falls as FMR rises, about a point."""
    matches = float(scores.above[point.threshold])
    strict, loose = (at(scores, lowest_threshold(scores, count)) for count in (matches / _WINDOW, matches * _WINDOW))
    return (strict.fnmr - loose.fnmr) / (loose.fmr - strict.fmr) if loose.fmr > strict.fmr else 0.0


def _sums(keys: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights added up by key."""
    place = np.unique(keys, return_inverse=True)[1]
    return np.bincount(place, weights).astype(np.float64, copy=False)
