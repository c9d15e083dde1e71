"""Near-duplicates by embedding: faces more alike than a network's impostors ever are by chance.

In: FP32 embeddings and the cosines of pairs known to show two people. Out: the nearest face of each, and a bound.

How alike strangers look is a property of the network, so no fixed cosine serves all of them. The angle between two
strangers has a lower end, 0, so the smallest of many follows a Weibull law: near its lower end,
P(angle < t) = (t / scale) ** shape. Two quantiles of the impostor pairs give scale and shape; the pairs are known to
show different people, so a leak cannot move the bound, however large it is. The bound is the angle that among all
comparisons of a run even one pair of strangers undercuts with a chance of one in a million. The margin is for people
who are no strangers to each other: twins, and names spelled in two ways.

Source: Fisher and Tippett 1928, doi 10.1017/S0305004100015681; for recognition scores Scheirer et al. 2011,
doi 10.1109/TPAMI.2011.54. What was measured: docs/decisions/0016-leaks-by-impostor-scores.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.metrics import normalized

MIN_IMPOSTOR_PAIRS = 300
"""With fewer the lower quantile is one of the two or three closest pairs."""
_CHANCE = 1e-6
"""That among strangers anybody is taken for a near-duplicate."""
_QUANTILES = (0.01, 0.10)
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Nearest:
    """For each of C faces, the most alike of N others."""

    place: NDArray[np.intp]
    """(C,), into the others."""
    cosine: NDArray[np.float64]
    """(C,)."""


def nearest_faces(embeddings: NDArray[np.float32], others: NDArray[np.float32]) -> Nearest:
    """Compare every embedding (C, E) with all others (N, E)."""
    own, candidates = normalized(embeddings), normalized(others)
    places, cosines = [], []
    for start in range(0, len(own), _BATCH):
        alike = own[start : start + _BATCH] @ candidates.T
        places.append(alike.argmax(axis=1))
        cosines.append(alike.max(axis=1))
    return Nearest(np.concatenate(places), np.concatenate(cosines))


def stranger_bound(impostors: NDArray[np.float64], comparisons: int) -> float | None:
    """The cosine that two strangers among `comparisons` pairs do not reach but by a chance of one in a million.

    Args:
        impostors: (P,), cosines of pairs that show two people.
        comparisons: how many pairs are going to be looked at.

    Returns:
        Below 1; None with fewer than 300 impostor pairs, or where their cosines do not spread.
    """
    if len(impostors) < MIN_IMPOSTOR_PAIRS:
        return None
    low, high = np.quantile(np.arccos(np.clip(impostors, -1.0, 1.0)), _QUANTILES)
    if not 0 < low < high:
        return None
    shape = np.log(_QUANTILES[1] / _QUANTILES[0]) / np.log(high / low)
    angle = low * (_CHANCE / comparisons / _QUANTILES[0]) ** (1 / shape)
    return float(np.cos(angle))
