"""The accuracy that the official GhostFaceNets training prints: one threshold, the best over all pairs.

It is optimistic, because the threshold is chosen on the pairs that it is judged on.
Source: HamadYA/GhostFaceNets, evals.py (flip sum, cosine; only the highest tenth of the impostor scores is tried).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError

_TRIED = 0.1


@dataclass(frozen=True, slots=True)
class BestThresholdAccuracy:
    """Fractions, not percent."""

    accuracy: float
    threshold: float
    """Cosine; a pair is accepted strictly above it."""
    protocol: str = "GhostFaceNets best threshold"


def best_threshold_accuracy(scores: NDArray[np.float64], same: NDArray[np.bool_]) -> BestThresholdAccuracy:
    """Judge cosines (P,) of flip sums.

    Raises:
        InputError: pairs of one kind only.
    """
    genuine, impostors = np.sort(scores[same]), np.sort(scores[~same])
    if not len(genuine) or not len(impostors):
        raise InputError("all pairs are of one kind", fix="use pairs with the same and with different people")
    tried = impostors[-max(int(_TRIED * len(impostors)), 1) :]
    accepted = len(genuine) - np.searchsorted(genuine, tried, side="right")
    rejected = np.searchsorted(impostors, tried, side="right")
    best = int(np.argmax(accepted + rejected))
    return BestThresholdAccuracy(float((accepted + rejected)[best] / len(scores)), float(tried[best]))
