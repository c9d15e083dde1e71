"""What a report says of all against all: FNMR at false-match rates, and what quantization added to it."""

from typing import Annotated, Literal

from pydantic import Field

from ghostface_edge.reports.record import Cosine, Count, Fraction, Interval, Record


class FrozenThreshold(Record):
    """The reference's threshold, as it is deployed, on this variant."""

    threshold: Cosine
    fmr: Fraction
    fnmr: Fraction
    rise_pp: float
    rise_ci95_pp: Interval


class FnmrAtFmr(Record):
    """One false-match rate: what it costs in false non-matches, at this variant's own threshold."""

    support: Literal["figure", "bound"]
    """A bound where there are fewer than 30 false matches: the rate is at most this one with 95 % confidence."""
    threshold: Cosine
    fmr: Fraction
    """That the threshold gives on these images."""
    fnmr: Fraction
    ci95: Interval
    rise_pp: float
    """Over the reference at its own threshold."""
    rise_ci95_pp: Interval
    frozen: FrozenThreshold


class DetPoint(Record):
    """A point of the detection error tradeoff."""

    threshold: Cosine
    fmr: Fraction
    fnmr: Fraction


class AllPairs(Record):
    """Every distinct image compared with every other."""

    images: Count
    people: Count
    genuine: Count
    impostor: Count
    ambiguous: Count = 0
    """Comparisons of two names that are or may be one person: counted nowhere."""
    eer: Fraction
    fnmr_at_fmr: dict[str, FnmrAtFmr]
    not_answerable: dict[str, str] = Field(default_factory=dict)
    """By false-match rate, what is missing."""
    det: Annotated[tuple[DetPoint, ...], Field(repr=False)] = ()
