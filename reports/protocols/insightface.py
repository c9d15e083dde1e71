"""InsightFace's verification: what most published LFW, CFP-FP and AgeDB-30 figures are.

In: embeddings (as a rule flip sums), pairs. Out: accuracy over ten contiguous folds, thresholds 0 to 4 in steps of 0.01
on the squared L2 distance of unit embeddings, strict `<`, first of equally good thresholds, population standard
deviation.
Source: deepinsight/insightface, recognition/arcface_torch/eval/verification.py, after facenet's lfw.py.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.metrics import fold_indices, normalized

_THRESHOLDS = np.arange(0, 4, 0.01)
_FINE_THRESHOLDS = np.arange(0, 4, 0.001)


@dataclass(frozen=True, slots=True)
class InsightFaceAccuracy:
    """Fractions, not percent."""

    mean: float
    standard_deviation: float
    """Of the folds, over n: what InsightFace prints behind the plus-minus sign. Not a standard error."""
    folds: tuple[float, ...]
    thresholds: tuple[float, ...]
    """Squared L2 distance chosen for each fold on the others."""
    protocol: str = "InsightFace 10-fold"


@dataclass(frozen=True, slots=True)
class InsightFaceTar:
    """True-accept rate at an interpolated threshold, averaged over folds."""

    mean: float
    standard_deviation: float
    far: float
    """The rate that the thresholds gave on the held-out folds, which is not the one aimed at."""
    protocol: str = "InsightFace 10-fold"


def squared_distances(embeddings: NDArray[np.float32], index: NDArray[np.integer]) -> NDArray[np.float64]:
    """Squared L2 distances (P,) of unit embeddings: 0 to 4.

    Args:
        embeddings: float32 (I, E), of any length.
        index: integers (P, 2), the two images of each pair.

    Raises:
        InputError: an embedding is not finite or is zero.
    """
    unit = normalized(embeddings)
    distances: NDArray[np.float64] = np.square(unit[index[:, 0]] - unit[index[:, 1]]).sum(axis=1)
    return distances


def insightface_accuracy(
    distances: NDArray[np.float64], same: NDArray[np.bool_], folds: int = 10
) -> InsightFaceAccuracy:
    """Judge squared distances (P,) in file order.

    Raises:
        InputError: fewer pairs than folds.
    """
    right = (distances[:, None] < _THRESHOLDS) == same[:, None]
    total = right.sum(axis=0)
    accuracies, thresholds = [], []
    for part in fold_indices(len(distances), folds):
        best = int(np.argmax(total - right[part].sum(axis=0)))
        thresholds.append(float(_THRESHOLDS[best]))
        accuracies.append(float(right[part, best].mean()))
    return InsightFaceAccuracy(
        float(np.mean(accuracies)), float(np.std(accuracies)), tuple(accuracies), tuple(thresholds)
    )


def insightface_tar(
    distances: NDArray[np.float64], same: NDArray[np.bool_], far: float, folds: int = 10
) -> InsightFaceTar | None:
    """True-accept rate where the training folds' false-accept rate, linear between thresholds, is `far`.

    Where several thresholds give exactly that rate, the lowest of them counts: InsightFace's own interpolation refuses
    or picks by accident there.

    Returns:
        None where `far` of the training impostors is less than one pair, or a fold lacks one of the kinds.

    Raises:
        InputError: fewer pairs than folds.
    """
    rates, false_rates = [], []
    for part in fold_indices(len(distances), folds):
        kept = np.ones(len(distances), np.bool_)
        kept[part] = False
        impostors = np.sort(distances[kept & ~same])
        genuine, held_out = distances[part][same[part]], distances[part][~same[part]]
        if far * len(impostors) < 1 or not len(genuine) or not len(held_out):
            return None
        trained = np.searchsorted(impostors, _FINE_THRESHOLDS, side="left") / len(impostors)
        threshold = _interpolated(trained, far)
        rates.append(float((genuine < threshold).mean()))
        false_rates.append(float((held_out < threshold).mean()))
    return InsightFaceTar(float(np.mean(rates)), float(np.std(rates)), float(np.mean(false_rates)))


def _interpolated(trained: NDArray[np.float64], far: float) -> float:
    """Threshold where rates that never fall cross `far`; 0 where they never reach it."""
    after = int(np.searchsorted(trained, far, side="left"))
    if after == len(trained):
        return 0.0
    if after == 0 or trained[after] == far:
        return float(_FINE_THRESHOLDS[after])
    share = (far - trained[after - 1]) / (trained[after] - trained[after - 1])
    low, high = _FINE_THRESHOLDS[after - 1], _FINE_THRESHOLDS[after]
    return float(low + share * (high - low))
