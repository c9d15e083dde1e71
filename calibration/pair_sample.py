"""Some of the pairs of a verification set, for a device that is too slow for all of them.

In: the set, how many distinct faces may be used, a seed. Out: as many genuine and impostor pairs of every fold, so that
folds stay folds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import fold_indices


@dataclass(frozen=True, slots=True)
class PairSample:
    """P pairs of a set, over I of its distinct images."""

    pairs: NDArray[np.intp]
    """(P,), which of the set's pairs, ascending."""
    rows: NDArray[np.intp]
    """(I,), which of its images, ascending."""


def sample_pairs(pairs: VerificationSet, faces: int | None, seed: int) -> PairSample:
    """Choose pairs of at most so many distinct faces; all of them if None.

    Raises:
        InputError: so few faces leave folds without pairs.
    """
    if faces is None or faces >= len(pairs.images):
        return _of(pairs, np.arange(len(pairs.same)))
    draw = np.random.default_rng(seed)
    strata = [
        draw.permutation(fold[pairs.same[fold] == label])
        for fold in fold_indices(len(pairs.same), pairs.folds)
        for label in (True, False)
    ]
    chosen = None
    for each in range(1, min(map(len, strata)) + 1):
        sample = _of(pairs, np.sort(np.concatenate([stratum[:each] for stratum in strata])))
        if len(sample.rows) > faces:
            break
        chosen = sample
    if chosen is None:
        raise InputError(
            f"{faces} faces are too few for {pairs.folds} folds of {pairs.name}",
            fix=f"raise --device-faces to {4 * pairs.folds} or more",
        )
    return chosen


def _of(pairs: VerificationSet, chosen: NDArray[np.intp]) -> PairSample:
    return PairSample(chosen, np.unique(pairs.index[chosen]))
