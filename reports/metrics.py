"""Verification accuracy from scores: LFW View 2, ROC, AUC, EER, TAR@FAR.

In: one cosine per pair and whether the pair is of one person. Out: the accuracy fields of a report.
A pair is accepted where `score >= threshold`; every threshold lies between scores that occur, so ties
are never split and no grid decides.
Source: Huang et al. 2007, LFW technical report 07-49, section "View 2".
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.record import FARS


@dataclass(frozen=True, slots=True)
class VerificationAccuracy:
    """What one set of scores is worth. Fractions, not percent."""

    mean: float
    """Mean over the folds of the accuracy at the threshold chosen on the other folds."""
    standard_error: float
    """Standard deviation of the folds (n - 1) over the square root of their number."""
    folds: tuple[float, ...]
    auc: float
    eer: float
    threshold: float
    """The cosine that is right most often over all pairs: for use, not for the figures above."""
    tar_at_far: dict[str, float | None]
    """True-accept rate by FAR; None where there are too few impostors to measure that FAR at all."""


def verification_accuracy(
    scores: NDArray[np.float64], same: NDArray[np.bool_], folds: int = 10
) -> VerificationAccuracy:
    """Judge scores by LFW View 2, in file order.

    Args:
        scores: (P,), higher is more alike.
        same: (P,), True where both images show one person.
        folds: number of contiguous folds.

    Raises:
        InputError: fewer pairs than folds, a non-finite score, or pairs of one kind only.
    """
    right = decided_rightly(scores, same, folds)
    parts = fold_indices(len(scores), folds)
    accuracies = np.array([right[part].mean() for part in parts])
    far, tar, _ = roc(scores, same)
    return VerificationAccuracy(
        mean=float(accuracies.mean()),
        standard_error=float(accuracies.std(ddof=1) / np.sqrt(folds)),
        folds=tuple(accuracies.tolist()),
        auc=float(np.trapezoid(tar, far)),
        eer=_equal_error_rate(far, tar),
        threshold=best_threshold(scores, same),
        tar_at_far={name: tar_at_far(scores, same, float(name)) for name in FARS},
    )


def fold_indices(pairs: int, folds: int) -> list[NDArray[np.intp]]:
    """Cut `pairs` pairs into contiguous folds whose sizes differ by one at most."""
    if folds < 2 or pairs < folds:
        raise InputError(f"{pairs} pairs cannot be cut into {folds} folds", fix="give at least one pair per fold")
    return np.array_split(np.arange(pairs), folds)


def fold_thresholds(scores: NDArray[np.float64], same: NDArray[np.bool_], folds: int = 10) -> NDArray[np.float64]:
    """Choose each fold's threshold on all the other folds: (folds,)."""
    _check(scores, same)
    parts = fold_indices(len(scores), folds)
    kept = np.ones(len(scores), dtype=np.bool_)
    thresholds = np.empty(folds)
    for fold, part in enumerate(parts):
        kept[part] = False
        thresholds[fold] = best_threshold(scores[kept], same[kept])
        kept[part] = True
    return thresholds


def decided_rightly(scores: NDArray[np.float64], same: NDArray[np.bool_], folds: int = 10) -> NDArray[np.bool_]:
    """Whether each pair is decided rightly at its own fold's threshold: (P,)."""
    right = np.empty(len(scores), np.bool_)
    thresholds = fold_thresholds(scores, same, folds)
    for part, threshold in zip(fold_indices(len(scores), folds), thresholds, strict=True):
        right[part] = (scores[part] >= threshold) == same[part]
    return right


def best_threshold(scores: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    """Find the threshold that is right most often.

    Where several cuts are equally good, the middle one of them is taken, and of its two scores the midpoint.
    """
    order = np.argsort(scores, kind="stable")
    ordered, genuine = scores[order], same[order]
    # right[k]: pairs decided rightly if the k lowest are rejected
    right = np.concatenate(([0], np.cumsum(~genuine))) + np.concatenate(([0], np.cumsum(genuine[::-1])))[::-1]
    splits_tie = np.concatenate(([False], ordered[1:] == ordered[:-1], [False]))
    right[splits_tie] = -1
    cuts = np.flatnonzero(right == right.max())
    return _between(ordered, int(cuts[(len(cuts) - 1) // 2]))


def roc(
    scores: NDArray[np.float64], same: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Trace the ROC at every score that occurs.

    Returns:
        far, tar, thresholds: (K + 1,) each for K distinct scores, from accepting nothing (threshold inf) to all.
    """
    _check(scores, same)
    order = np.argsort(-scores, kind="stable")
    ordered, genuine = scores[order], same[order]
    last_of_tie = np.concatenate((ordered[1:] != ordered[:-1], [True]))
    tar = np.cumsum(genuine)[last_of_tie] / genuine.sum()
    far = np.cumsum(~genuine)[last_of_tie] / (~genuine).sum()
    return (
        np.concatenate(([0.0], far)),
        np.concatenate(([0.0], tar)),
        np.concatenate(([np.inf], ordered[last_of_tie])),
    )


def threshold_at_far(scores: NDArray[np.float64], same: NDArray[np.bool_], far: float) -> float | None:
    """Find the lowest threshold that accepts at most a fraction `far` of the impostors.

    Returns:
        A cosine, or None where `far` times the number of impostors is below one pair: such a FAR cannot be measured.
    """
    _check(scores, same)
    impostors = np.sort(scores[~same])[::-1]
    allowed = int(np.floor(far * len(impostors) * (1 + 1e-12)))
    if allowed < 1:
        return None
    if allowed >= len(impostors):
        return float(scores.min())
    # strictly above the first impostor that must stay out, and as low as any score that occurs
    above = scores[scores > impostors[allowed]]
    return float(above.min()) if len(above) else float(np.nextafter(impostors[allowed], np.inf))


def tar_at_far(scores: NDArray[np.float64], same: NDArray[np.bool_], far: float) -> float | None:
    """True-accept rate at `threshold_at_far`; None where that FAR cannot be measured."""
    threshold = threshold_at_far(scores, same, far)
    return None if threshold is None else float((scores[same] >= threshold).mean())


def cosine_scores(embeddings: NDArray[np.float32], index: NDArray[np.integer]) -> NDArray[np.float64]:
    """Compare the two images of every pair.

    Args:
        embeddings: float32 (I, E), one row per distinct image, of any length.
        index: integers (P, 2), the two images of each pair.

    Returns:
        float64 (P,), cosines.

    Raises:
        InputError: an embedding is not finite or is zero.
    """
    unit = normalized(embeddings)
    return inner_products(unit[index[:, 0]], unit[index[:, 1]])


def cosines(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compare two sets of embeddings row by row.

    Args:
        first: float32 (N, E), of any length.
        second: float32 (N, E).

    Returns:
        float64 (N,).

    Raises:
        InputError: an embedding is not finite or is zero.
    """
    return inner_products(normalized(first), normalized(second))


def inner_products(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply row by row: (N, E) and (N, E) give (N,); of `normalized` rows, their cosines."""
    products: NDArray[np.float64] = np.einsum("ne,ne->n", first, second)
    return products


def normalized(embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """Scale every row to length 1 in float64, refusing rows that have no direction."""
    rows = embeddings.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    broken = ~np.isfinite(lengths) | (lengths == 0)
    if broken.any():
        raise InputError(
            f"{int(broken.sum())} of {len(rows)} embeddings are zero or not finite, the first is row "
            f"{int(np.flatnonzero(broken)[0])}",
            fix="the model that made them is broken for these faces: check its weights and its input scaling",
        )
    unit: NDArray[np.float64] = rows / lengths[:, None]
    return unit


def _between(ordered: NDArray[np.float64], cut: int) -> float:
    """Find a threshold that rejects exactly the `cut` lowest scores."""
    if cut == 0:
        return float(ordered[0])
    if cut == len(ordered):
        return float(np.nextafter(ordered[-1], np.inf))
    low, high = ordered[cut - 1], ordered[cut]
    middle = low + (high - low) / 2
    return float(middle if middle > low else high)


def _equal_error_rate(far: NDArray[np.float64], tar: NDArray[np.float64]) -> float:
    """Find where FAR equals 1 - TAR on the ROC's polyline."""
    gap = far - (1 - tar)
    after = int(np.argmax(gap >= 0))
    before = max(after - 1, 0)
    step = gap[after] - gap[before]
    share = -gap[before] / step if step > 0 else 0.0
    return float(far[before] + share * (far[after] - far[before]))


def _check(scores: NDArray[np.float64], same: NDArray[np.bool_]) -> None:
    if scores.shape != same.shape or scores.ndim != 1:
        raise InputError(f"{scores.shape} scores for {same.shape} pairs", fix="give one score and one label per pair")
    if len(scores) == 0:
        raise InputError("there are no pairs", fix="give pairs to compare")
    if not np.isfinite(scores).all():
        first = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise InputError(
            f"{int((~np.isfinite(scores)).sum())} of {len(scores)} scores are not finite, the first is pair {first}",
            fix="check the embeddings of that pair",
        )
    genuine = int(same.sum())
    if genuine in {0, len(same)}:
        raise InputError(
            f"{genuine} of {len(same)} pairs are of one person: both kinds are needed",
            fix="use pairs with the same and with different people",
        )
