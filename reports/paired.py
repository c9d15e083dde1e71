"""A variant against its reference, pair by pair.

In: both models' scores of the same pairs and embeddings of the same images. Out: the `versus_reference` fields.
Two models that share most errors differ far less than two means with their standard errors suggest, so the
statistics use the pairs whose decision changed. Decisions are those of LFW View 2, each model with its own
cross-validated thresholds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.discordant import detectable_drop, mcnemar
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.evidence import TarDrop
from ghostface_edge.reports.metrics import cosines, decided_rightly, fold_indices
from ghostface_edge.reports.people import owners
from ghostface_edge.reports.record import FARS
from ghostface_edge.reports.resampling import around, bootstrap_drop, tar_drop


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """What a variant lost. `*_pp` are percentage points, positive where the variant is worse."""

    drop_pp: float
    ci95_pp: tuple[float, float]
    """Bootstrap percentile interval over identities (or pairs)."""
    p_value: float
    """Exact McNemar test, two-sided: could the changed decisions be chance?"""
    flipped_pairs: int
    """Pairs decided rightly by one model and wrongly by the other."""
    lost_pairs: int
    """Flipped pairs that the reference had right."""
    cosine_mean: float
    cosine_p01: float
    cosine_min: float
    """Cosine between the variant's and the reference's embedding of one image: mean, 1st percentile, minimum."""
    tar_drop_pp: dict[str, TarDrop | None]
    """By FAR; None where there are too few impostors to measure that FAR."""
    detectable_drop_pp: float
    """Smallest true drop that this many pairs would show at 5 % significance with 80 % power."""
    pairs: int


def compare(
    variant_scores: NDArray[np.float64],
    reference_scores: NDArray[np.float64],
    same: NDArray[np.bool_],
    variant_embeddings: NDArray[np.float32],
    reference_embeddings: NDArray[np.float32],
    *,
    identities: NDArray[np.integer] | None = None,
    seed: int = 0,
    folds: int = 10,
) -> PairedComparison:
    """Compare a variant with its reference on the same pairs and images.

    Args:
        variant_scores: (P,) cosines.
        reference_scores: (P,) cosines of the same pairs.
        same: (P,).
        variant_embeddings: (I, E).
        reference_embeddings: (I, E), the same images in the same order.
        identities: (P, 2), who is on each image; without it every pair is resampled on its own.
        seed: of the bootstrap.
        folds: of View 2.

    Raises:
        InputError: the inputs do not belong together, or are not finite.
    """
    if variant_scores.shape != reference_scores.shape or variant_embeddings.shape != reference_embeddings.shape:
        raise InputError(
            f"variant and reference differ in shape: scores {variant_scores.shape} and {reference_scores.shape}, "
            f"embeddings {variant_embeddings.shape} and {reference_embeddings.shape}",
            fix="evaluate both on the same pairs",
        )
    was_right = decided_rightly(reference_scores, same, folds).astype(int)
    lost = was_right - decided_rightly(variant_scores, same, folds)
    weights = np.empty(len(same))
    for part in fold_indices(len(same), folds):
        weights[part] = 1 / len(part)
    clusters = np.arange(len(same)) if identities is None else owners(identities)
    similarity = cosines(variant_embeddings, reference_embeddings)
    flipped = int(np.abs(lost).sum())
    drop_pp = float(100 * np.average(lost, weights=weights))
    return PairedComparison(
        drop_pp=drop_pp,
        ci95_pp=around(drop_pp, bootstrap_drop(lost, weights, clusters, seed)),
        p_value=mcnemar(int((lost > 0).sum()), int((lost < 0).sum())),
        flipped_pairs=flipped,
        lost_pairs=int((lost > 0).sum()),
        cosine_mean=float(similarity.mean()),
        cosine_p01=float(np.percentile(similarity, 1)),
        cosine_min=float(similarity.min()),
        tar_drop_pp={
            far: tar_drop(variant_scores, reference_scores, same, clusters, far=float(far), seed=seed) for far in FARS
        },
        detectable_drop_pp=detectable_drop(flipped, len(same)),
        pairs=len(same),
    )
