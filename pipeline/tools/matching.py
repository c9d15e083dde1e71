"""What came of comparing photographs: scores, decisions, how sure they are, and how people are told."""

import math
from dataclasses import dataclass
from pathlib import Path

from ghostface_edge.calibration.unusable import Unusable
from ghostface_edge.pipeline.tools.photographs import FoundFace
from ghostface_edge.reports.all_against_all import spelt
from ghostface_edge.reports.certainty import Certainty, Threshold

_RARE = 0.1
"""Rates from here on are said in percent, rarer ones as one in so many."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rates were counted on."""

    set: str
    """Name of the run's set."""
    images: int
    people: int
    variant: str
    """Id of the model in that run."""


@dataclass(frozen=True, slots=True)
class Match:
    """One comparison."""

    face: FoundFace
    """Of the second photograph."""
    score: float
    """Cosine of the two embeddings, -1 to 1."""
    same: bool | None
    """Whether it reaches the threshold; None where there is none."""
    certainty: Certainty | None
    """None where there is no evidence."""

    @property
    def answer(self) -> str:
        """For people."""
        if self.same is None:
            return "not decided"
        return "same person" if self.same else "different people"


@dataclass(frozen=True, slots=True)
class Matching:
    """A photograph's comparisons, the most alike first."""

    model: Path
    threshold: Threshold | None
    """None where no run tells one."""
    evidence: Evidence | None
    """None where no run tells error rates of this model."""
    face: FoundFace
    """Of the first photograph."""
    matches: tuple[Match, ...]
    unusable: tuple[Unusable, ...]
    """Photographs of the folder that show no face, or cannot be read."""
    notes: tuple[str, ...]
    """What makes the answer less sure than its figures say."""

    @property
    def deciding(self) -> str:
        """The threshold, for people."""
        if self.threshold is None:
            return "none: no run tells one for this model; name its folder with --run"
        cosine, fmr = self.threshold.cosine, self.threshold.fmr
        if fmr is None or self.evidence is None:
            return f"{cosine:.4f}, right most often on the run's pairs"
        return f"{cosine:.4f}, which {spelt(fmr)} pairs of strangers on {self.evidence.set} reach"

    def how_sure(self, match: Match) -> str:
        """What the run's images say of a score, for people."""
        where, told = self.evidence, match.certainty
        if where is None:
            return "not known: no run tells error rates of this model"
        if told is None or (rate := told.fmr if match.same else told.fnmr) == 1:
            return "not known: the run has too few images"
        of = "strangers on {} score as high" if match.same else "one person on {} score as low"
        counted = f"{where.images:,} images of {where.people:,} people, {where.variant}"
        return f"at most {bound(rate)} of the pairs of {of.format(where.set)} ({counted})"


def said(found: Matching) -> dict[str, object]:
    """The whole as JSON values."""
    from pydantic import TypeAdapter

    content: dict[str, object] = TypeAdapter(Matching).dump_python(found, mode="json")
    return content


def bound(rate: float) -> str:
    """Write an upper bound of a rate, never below it."""
    return f"{math.ceil(100 * rate)} %" if rate >= _RARE else f"1 in {math.floor(1 / rate):,}"
