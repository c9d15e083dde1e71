"""What a report says of groups of people: their error rates at one threshold for all, and what a variant added to them.

A group is compared with the rest: everybody else of whom the same attribute is told. False matches are counted among
people of one value, women with women and men with men, so that who is compared with whom is alike on both sides.
Sources: ISO/IEC 19795-10 on error rates by group; Doddington et al. 2000, the rule of 30.
"""

from enum import StrEnum
from typing import Final

from pydantic import Field

from ghostface_edge.reports.all_against_all import FIGURE_FROM, Support
from ghostface_edge.reports.record import Count, Fraction, Interval, Points, Record, Sha256, Text

_FEWEST_PEOPLE: Final = 10
"""With two images or more: of fewer draws no interval can be told, however many their comparisons are."""


class Finding(StrEnum):
    """What can be said of a group."""

    HARMED = "harmed"
    """The variant added to its error rate more than to the rest's, and more than chance would."""
    NOT_SHOWN = "no harm shown"
    TOO_SMALL = "too small"
    """The group, or the rest, has too few comparisons of a person with itself."""


class Added(Record):
    """What a variant added to the difference between a group and the rest, in percentage points."""

    added_pp: Points
    """(variant - reference) of the group less (variant - reference) of the rest."""
    ci_pp: Interval


class GroupRate(Record):
    """An error rate of one group under both models."""

    reference: Fraction
    reference_ci: Interval
    variant: Fraction
    variant_ci: Interval
    added: Added | None
    """None where the group or the rest is too small."""


class Group(Record):
    """People of one value of an attribute."""

    attribute: Text
    value: Text
    people: Count
    """In the gallery."""
    with_genuine: Count
    """Of them with two images or more."""
    genuine: Count
    impostor: Count
    """Comparisons of two of them."""
    fnmr: GroupRate | None
    """None without genuine comparisons."""
    fmr: GroupRate | None
    """None where fewer than 3 false matches are expected."""
    finding: Finding


class Groups(Record):
    """Every group under one variant and the reference, both at their own threshold for one false-match rate of all."""

    fmr: Text
    confidence: Fraction
    """Of each interval: so much that all differences hold together with 95 %."""
    rows: tuple[Group, ...]


class PeopleFile(Record):
    """Who told the groups."""

    path: Text
    sha256: Sha256
    people: Count
    not_in_gallery: Count
    """People of the file of whom there is no image."""
    not_said: dict[str, Count] = Field(default_factory=dict)
    """By attribute, people of the gallery of whom it is not told."""


def confidence(differences: int) -> float:
    """Of each of so many intervals, so that all hold together with 95 %. Source: Šidák 1967."""
    return float(0.95 ** (1 / max(differences, 1)))


def tells_fnmr(genuine: int, with_genuine: int) -> bool:
    """Whether so many comparisons, of so many people, tell what a variant added to an FNMR."""
    return genuine >= FIGURE_FROM and with_genuine >= _FEWEST_PEOPLE


def tells_fmr(fmr: str, impostor: int) -> Support:
    """What so many comparisons of two people tell of a false-match rate."""
    return Support.of(fmr, FIGURE_FROM, impostor)


def finding(fnmr: GroupRate | None, fmr: GroupRate | None) -> Finding:
    """Sum a group up."""
    added = [rate.added for rate in (fnmr, fmr) if rate is not None and rate.added is not None]
    if any(one.ci_pp[0] > 0 for one in added):
        return Finding.HARMED
    return Finding.TOO_SMALL if fnmr is None or fnmr.added is None else Finding.NOT_SHOWN
