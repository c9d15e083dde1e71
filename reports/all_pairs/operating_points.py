"""What a threshold does: FNMR at a false-match rate, as far as the number of comparisons can tell.

In: the counts of `scores.compare_all`. Out: thresholds with the FMR and FNMR they give, or how many comparisons are
missing. Source: Doddington et al. 2000, the rule of 30; Jovanovic and Levy 1997, the rule of 3.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.all_pairs.scores import BINS, FMRS, AllPairScores, cosine_of

_RULE_OF_30, _RULE_OF_3 = 30, 3
_CURVE_POINTS = 200


class Support(StrEnum):
    """What a number of comparisons can say of a rate."""

    FIGURE = "figure"
    """30 false matches or more: the rate is known to about a third."""
    BOUND = "bound"
    """3 or more: a threshold whose rate is at most that is known, and with it the highest FNMR."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Point:
    """One threshold, as a bin, and the fractions that it gives."""

    threshold: int
    fmr: float
    fnmr: float

    @property
    def cosine(self) -> float:
        """Scores of at least this are a match."""
        return cosine_of(self.threshold)


def support(scores: AllPairScores, fmr: str) -> Support:
    """What the gallery's impostor comparisons can say of a false-match rate."""
    expected = float(fmr) * scores.gallery.impostors
    if expected >= _RULE_OF_30 and scores.gallery.genuine >= _RULE_OF_30:
        return Support.FIGURE
    return Support.BOUND if expected >= _RULE_OF_3 and scores.gallery.genuine else Support.NOTHING


def missing_comparisons(scores: AllPairScores, fmr: str) -> int:
    """How many more impostor comparisons a figure at this rate needs."""
    return max(math.ceil(_RULE_OF_30 / float(fmr)) - scores.gallery.impostors, 0)


def point_at(scores: AllPairScores, fmr: str) -> Point:
    """The lowest threshold whose false-match rate is at most this one.

    Where only a bound is known, with 95 % confidence, which takes false matches as independent: that is what the
    rule of 3 promises, no more.
    """
    expected = float(fmr) * scores.gallery.impostors
    allowed = math.floor(expected * (1 + 1e-12))
    if support(scores, fmr) is not Support.FIGURE:
        allowed = _surely_below(expected)
    return at(scores, lowest_threshold(scores, allowed))


def lowest_threshold(scores: AllPairScores, allowed: float | NDArray[np.float64]) -> "int | NDArray[np.intp]":
    """The lowest bin above which at most so many impostor comparisons lie."""
    found = len(scores.above) - np.searchsorted(scores.above[::-1], allowed, side="right")
    return int(found) if np.ndim(found) == 0 else found


def at(scores: AllPairScores, threshold: int) -> Point:
    """What a threshold accepts and rejects."""
    rejected = np.searchsorted(scores.genuine_bin, threshold)
    return Point(
        threshold,
        float(scores.above[threshold] / max(scores.gallery.impostors, 1)),
        float(rejected / max(scores.gallery.genuine, 1)),
    )


def equal_error_rate(scores: AllPairScores) -> float:
    """Where FMR and FNMR meet: the mean of the two at the lowest threshold at which FNMR is not below FMR."""
    rejected = np.searchsorted(scores.genuine_bin, np.arange(BINS + 1)) / max(scores.gallery.genuine, 1)
    accepted = scores.above / max(scores.gallery.impostors, 1)
    crossing = int(np.argmax(rejected >= accepted))
    return float((rejected[crossing] + accepted[crossing]) / 2)


def det_curve(scores: AllPairScores) -> tuple[Point, ...]:
    """Points from an FMR of one half down to the lowest that gives a figure, evenly spaced in its logarithm."""
    least = _RULE_OF_30 / max(scores.gallery.impostors, 1)
    if least >= 0.5:
        return ()
    rates = np.geomspace(0.5, least, _CURVE_POINTS)
    thresholds = np.unique(lowest_threshold(scores, rates * scores.gallery.impostors))
    return tuple(at(scores, int(threshold)) for threshold in thresholds)


def supported(scores: AllPairScores) -> tuple[str, ...]:
    """The rates that the gallery can give a figure for, the loosest first."""
    return tuple(fmr for fmr in FMRS if support(scores, fmr) is Support.FIGURE)


def _surely_below(expected: float) -> int:
    """The most false matches at which a mean of `expected` can be ruled out: P(at most so many) <= 5 %."""
    term = total = math.exp(-expected)
    count = -1
    while total <= 0.05:
        count += 1
        term *= expected / (count + 1)
        total += term
    return count
