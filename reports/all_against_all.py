"""What a report says of all against all: FNMR at false-match rates, and what quantization added to it.

How much a number of comparisons can say of a rate: Doddington et al. 2000, the rule of 30; Jovanovic and Levy 1997,
the rule of 3.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from ghostface_edge.reports.record import Cosine, Count, Fraction, Interval, Points, Record

FMRS: Final = ("0.01", "0.001", "0.0001", "0.00001", "0.000001")
"""False-match rates that a report states, the loosest first, as they are spelt there."""
_RULE_OF_30, _RULE_OF_3 = 30, 3
HISTOGRAM_BINS: Final = 128
FIGURE_FROM: Final = _RULE_OF_30
"""False matches from which a rate is a figure."""


class Support(StrEnum):
    """What a number of comparisons can say of a rate."""

    FIGURE = "figure"
    """30 false matches or more: the rate is known to about a third."""
    BOUND = "bound"
    """3 or more: a threshold is known whose rate is at most this one with 95 % confidence."""
    NOTHING = "nothing"

    @classmethod
    def of(cls, fmr: str, genuine: int, impostor: int) -> "Support":
        """What so many comparisons can say of a false-match rate."""
        expected = float(fmr) * impostor
        if expected < _RULE_OF_3 or genuine < _RULE_OF_30:
            return cls.NOTHING
        return cls.FIGURE if expected >= _RULE_OF_30 else cls.BOUND


def lowest_told(told: Mapping[str, Support]) -> str | None:
    """The strictest rate that is a figure, or the loosest where all are bounds; `told` is in the order of FMRS."""
    figures = [fmr for fmr, support in told.items() if support is Support.FIGURE]
    bounds = [fmr for fmr, support in told.items() if support is Support.BOUND]
    return next(iter([*figures[-1:], *bounds]), None)


def missing(
    fmr: str,
    genuine: int,
    impostor: int,
    wanted: Support = Support.BOUND,
    *,
    of_one: str = "comparisons of a person with itself",
    of_two: str = "comparisons of different people",
) -> str:
    """What comparisons, or what else is counted, lack to say of a false-match rate what is wanted."""
    if genuine < _RULE_OF_30:
        return f"{_RULE_OF_30 - genuine} more {of_one} are needed"
    matches, what = (_RULE_OF_3, "even for a bound") if wanted is Support.BOUND else (_RULE_OF_30, "for a figure")
    # a product of the rate, which is no binary fraction, may be a little more than a whole number
    more = math.ceil(round(matches / float(fmr), 6)) - impostor
    return f"{more:,} more {of_two} are needed {what}"


def spelt(fmr: str) -> str:
    """A rate as locks are specified: one in so many."""
    return f"1:{round(1 / float(fmr)):,}"


class FrozenThreshold(Record):
    """The reference's threshold, as it is deployed, on this variant."""

    threshold: Cosine
    fmr: Fraction
    fnmr: Fraction
    rise_pp: Points
    rise_ci95_pp: Interval
    ci95: Interval | None = None
    """Of `fnmr`; None in reports that were made before it was stated."""


class FnmrAtFmr(Record):
    """One false-match rate: what it costs in false non-matches, at this variant's own threshold."""

    support: Support
    threshold: Cosine
    fmr: Fraction
    """That the threshold gives on these images."""
    fnmr: Fraction
    ci95: Interval
    rise_pp: Points | None = None
    """Over the reference at its own threshold; None, as what follows, where there is no reference."""
    rise_ci95_pp: Interval | None = None
    frozen: FrozenThreshold | None = None


class DetPoint(Record):
    """A point of the detection error tradeoff."""

    threshold: Cosine
    fmr: Fraction
    fnmr: Fraction


class ScoreHistogram(Record):
    """How many comparisons have which cosine, in HISTOGRAM_BINS equal bins from -1 to 1."""

    genuine: tuple[Count, ...]
    impostor: tuple[Count, ...]


class AllPairs(Record):
    """Every distinct image of a named person compared with every other."""

    images: Count
    people: Count
    genuine: Count
    impostor: Count
    ambiguous: Count = 0
    """Comparisons of two names that are or may be one person: counted nowhere."""
    eer: Fraction | None
    """None where there are no comparisons of both kinds."""
    fnmr_at_fmr: dict[str, FnmrAtFmr]
    not_answerable: dict[str, str] = Field(default_factory=dict)
    """By false-match rate, what is missing."""
    det: Annotated[tuple[DetPoint, ...], Field(repr=False)] = ()
    histogram: Annotated[ScoreHistogram | None, Field(repr=False)] = None
    """None in reports that were made before it was stated."""

    @property
    def lowest_told(self) -> str | None:
        """The false-match rate that figures are shown at first; None where nothing is answerable."""
        return lowest_told({fmr: self.fnmr_at_fmr[fmr].support for fmr in FMRS if fmr in self.fnmr_at_fmr})
