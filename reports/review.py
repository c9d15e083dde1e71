"""What a person should look at before believing a false-match rate: wrong names are among the extreme scores.

Two names with one face, and one name with two, are errors of the labels as often as of the network.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import Field

from ghostface_edge.reports.all_against_all import FMRS
from ghostface_edge.reports.record import Cosine, Count, Record, Text

LISTED: Final = 60
"""Comparisons of each kind at most."""


class Reviewed(Record):
    """One comparison."""

    names: tuple[Text, Text]
    images: tuple[Count, Count]
    """Places among the images that are compared."""
    cosine: Cosine


class Review(Record):
    """The extreme scores of the reference, all images against all."""

    thresholds: dict[str, Cosine]
    """By false-match rate, as far as it is answerable: where scores of two people become a match."""
    impostor: tuple[Reviewed, ...] = Field(max_length=LISTED)
    """Of two names that are not known to be one person, the highest first."""
    genuine: tuple[Reviewed, ...] = Field(max_length=LISTED)
    """Of one name, the lowest first."""


def reached(cosine: float, thresholds: Mapping[str, float]) -> str | None:
    """The strictest false-match rate at which a score is a match."""
    return next((fmr for fmr in reversed(FMRS) if fmr in thresholds and cosine >= thresholds[fmr]), None)
