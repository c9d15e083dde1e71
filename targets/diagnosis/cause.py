"""What can be the matter with a device, and how well a model of it explains what came from there."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from ghostface_edge.targets.diagnosis.difference import Tensor, is_same

_ENOUGH: Final = 0.9
"""Share of the squared distance from here to there that a model of the mistake has to explain."""


class Blame(StrEnum):
    """What follows from a cause."""

    ROUNDING = "rounding"
    """The same computation with other last digits: nothing to mend."""
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Cause:
    """Named, with what to do about it."""

    name: str
    fix: str
    blame: Blame = Blame.FAULT


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A mistake, and the tensor that this host would give if it made it."""

    cause: Cause
    tensor: Tensor


@dataclass(frozen=True, slots=True)
class Explanation:
    """The hypothesis that explains best, and how much of the difference, a fraction."""

    hypothesis: Hypothesis
    explained: float


def explained(here: Tensor, there: Tensor, modelled: Tensor) -> float:
    """Share of the squared distance from here to there that is gone where this host makes the mistake, too; 1 is all.

    Below 0 the mistake leads away.
    """
    if modelled.shape != there.shape or is_same(here, there):
        return float("-inf")
    if is_same(modelled, there):
        return 1.0
    honest, left = (np.square(there.astype(np.float64) - each).sum() for each in (here, modelled))
    return float(1 - left / honest) if np.isfinite(honest) else float("-inf")


def best_explanation(here: Tensor, there: Tensor, hypotheses: Iterable[Hypothesis]) -> Explanation | None:
    """The first hypothesis that none explains better than, if it explains enough."""
    found = [Explanation(each, explained(here, there, each.tensor)) for each in hypotheses]
    best = max(found, key=lambda each: each.explained, default=None)
    return best if best is not None and best.explained >= _ENOUGH else None
