"""What a threshold does: FNMR at a false-match rate, as far as the number of comparisons can tell.

In: the counts of `scores.compare_all`. Out: thresholds with the FMR and FNMR they give.
"""

import math
from dataclasses import dataclass

import numpy as np

from ghostface_edge.reports.all_against_all import FIGURE_FROM, Support
from ghostface_edge.reports.all_pairs.scores import BINS, AllPairScores, cosine_of

_CURVE_POINTS = 200


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
    """What the gallery's comparisons can say of a false-match rate; two ways to compare two images say little more."""
    return Support.of(fmr, scores.gallery.genuine, scores.gallery.impostors)


def point_at(scores: AllPairScores, fmr: str) -> Point:
    """The lowest threshold whose false-match rate is at most this one.

    Where only a bound is known, with 95 % confidence, which takes false matches as independent: that is what the
    rule of 3 promises, no more.
    """
    expected = float(fmr) * scores.impostors
    allowed = math.floor(expected * (1 + 1e-12))
    if support(scores, fmr) is Support.BOUND:
        allowed = scores.ways * surely_below(expected / scores.ways)
    return at(scores, lowest_threshold(scores, allowed))


def lowest_threshold(scores: AllPairScores, allowed: float) -> int:
    """The lowest bin above which at most so many impostor comparisons lie."""
    return len(scores.above) - int(np.searchsorted(scores.above[::-1], allowed, side="right"))


def at(scores: AllPairScores, threshold: int) -> Point:
    """What a threshold accepts and rejects."""
    rejected = np.searchsorted(scores.genuine_bin, threshold)
    return Point(
        threshold,
        float(scores.above[threshold] / max(scores.impostors, 1)),
        float(rejected / max(scores.genuine, 1)),
    )


def equal_error_rate(scores: AllPairScores) -> float | None:
    """The mean of FMR and FNMR where they are nearest to each other; None where comparisons of a kind are missing."""
    if not (scores.genuine and scores.impostors):
        return None
    rejected = np.searchsorted(scores.genuine_bin, np.arange(BINS + 1)) / scores.genuine
    accepted = scores.above / scores.impostors
    crossing = int(np.argmin(np.abs(rejected - accepted)))
    return float((rejected[crossing] + accepted[crossing]) / 2)


def det_curve(scores: AllPairScores) -> tuple[Point, ...]:
    """Points from an FMR of one half down to the lowest that gives a figure, evenly spaced in its logarithm."""
    least = FIGURE_FROM / max(scores.impostors, 1)
    if least >= 0.5 or not scores.genuine:
        return ()
    allowed = scores.impostors * np.geomspace(0.5, least, _CURVE_POINTS)
    thresholds = sorted({lowest_threshold(scores, count) for count in allowed.tolist()})
    return tuple(at(scores, threshold) for threshold in thresholds)


def surely_below(expected: float) -> int:
    """The most false matches at which a mean of `expected` can be ruled out: P(at most so many) <= 5 %."""
    term = total = math.exp(-expected)
    count = -1
    while total <= 0.05:
        count += 1
        term *= expected / (count + 1)
        total += term
    return count
