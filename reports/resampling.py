"""Cluster bootstrap: intervals of what a variant lost, resampling whole people (or pairs)."""

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.evidence import TarDrop
from ghostface_edge.reports.metrics import tar_at_far

RESAMPLES = 10_000
_TAR_RESAMPLES = 1_000


def bootstrap_drop(
    lost: NDArray[np.integer], weights: NDArray[np.float64], clusters: NDArray[np.integer], seed: int
) -> tuple[float, float]:
    """95 % percentile interval of the weighted mean of `lost`, resampling whole clusters.

    Clusters with the same sums are interchangeable, so how often each kind is drawn is one multinomial: an exact
    cluster bootstrap without drawing every cluster. Two imagined pairs, one lost and one gained, are resampled
    along, so that "no pair flipped" is not taken for certainty: 60 pairs without a flip say less than 6,000.
    Source: Bonett and Price 2012, doi 10.3102/1076998611411915 (adding one pair to each discordant cell).

    Args:
        lost: (P,), 1 where only the reference is right, -1 where only the variant is, else 0.
        weights: (P,), of each pair in the mean.
        clusters: (P,), 0-based labels.
        seed: of the resampling.

    Returns:
        Lower and upper bound in percentage points.
    """
    imagined = weights.mean()
    sums = np.stack(
        [
            np.concatenate((np.bincount(clusters, weights=weights * lost), [imagined, -imagined])),
            np.concatenate((np.bincount(clusters, weights=weights), [imagined, imagined])),
        ],
        axis=1,
    )
    kinds, counts = np.unique(sums[sums[:, 1] > 0].round(12), axis=0, return_counts=True)
    total = int(counts.sum())
    draws = np.random.default_rng(seed).multinomial(total, counts / total, size=RESAMPLES)
    drops = (draws @ kinds[:, 0]) / (draws @ kinds[:, 1])
    low, high = np.percentile(100 * drops, [2.5, 97.5])
    return float(low), float(high)


def tar_drop(
    variant_scores: NDArray[np.float64],
    reference_scores: NDArray[np.float64],
    same: NDArray[np.bool_],
    clusters: NDArray[np.integer],
    *,
    far: float,
    seed: int,
) -> TarDrop | None:
    """Loss of TAR at one FAR with a cluster-bootstrap interval that includes the thresholds' own uncertainty.

    Returns:
        None where the impostors are too few to measure this FAR.
    """
    models = (reference_scores, variant_scores)
    reference_tar, variant_tar = (tar_at_far(scores, same, far) for scores in models)
    if reference_tar is None or variant_tar is None:
        return None
    labels = np.unique(clusters, return_inverse=True)[1]
    count = int(labels.max()) + 1
    rng = np.random.default_rng(seed)
    curves = [_ResampledTar(scores, same, labels, far) for scores in models]
    drops = np.empty(_TAR_RESAMPLES)
    chunk = 100
    for start in range(0, _TAR_RESAMPLES, chunk):
        times = rng.poisson(1.0, size=(chunk, count)).astype(np.float32)
        drops[start : start + chunk] = curves[0](times) - curves[1](times)
    low, high = np.percentile(100 * drops, [2.5, 97.5])
    drop_pp = float(100 * (reference_tar - variant_tar))
    return TarDrop(drop_pp=drop_pp, ci95_pp=around(drop_pp, (float(low), float(high))))


def around(point: float, interval: tuple[float, float]) -> tuple[float, float]:
    """Widen a percentile interval to hold its own point, which few or lopsided samples can leave outside."""
    return min(interval[0], point), max(interval[1], point)


class _ResampledTar:
    """TAR@FAR of one model under integer weights on the clusters."""

    def __init__(
        self, scores: NDArray[np.float64], same: NDArray[np.bool_], clusters: NDArray[np.integer], far: float
    ) -> None:
        self._far = far
        order = np.argsort(-scores[~same], kind="stable")
        self._impostors = scores[~same][order]
        self._impostor_clusters = clusters[~same][order]
        order = np.argsort(-scores[same], kind="stable")
        self._genuine_clusters = clusters[same][order]
        # how many genuine pairs lie strictly above each impostor
        self._accepted = np.searchsorted(-scores[same][order], -self._impostors, side="left")

    def __call__(self, times: NDArray[np.float32]) -> NDArray[np.float64]:
        """Args: times (B, clusters), how often each cluster was drawn. Returns: (B,)."""
        impostors = times[:, self._impostor_clusters]
        genuine = np.cumsum(times[:, self._genuine_clusters], axis=1, dtype=np.float64)
        allowed = self._far * impostors.sum(axis=1, dtype=np.float64)
        exceeds = np.cumsum(impostors, axis=1, dtype=np.float64) > allowed[:, None]
        first_out = np.where(exceeds.any(axis=1), exceeds.argmax(axis=1), len(self._impostors) - 1)
        accepted = self._accepted[first_out]
        above = np.where(accepted > 0, genuine[np.arange(len(times)), accepted - 1], 0.0)
        share: NDArray[np.float64] = above / np.maximum(genuine[:, -1], 1)
        return share
