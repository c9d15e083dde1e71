"""A variant against its reference, pair by pair.

In: both models' scores of the same pairs and embeddings of the same images. Out: the `versus_reference` fields.
Two models that share most errors differ far less than two means with their standard errors suggest, so the
statistics use the pairs whose decision changed. Decisions are those of LFW View 2, each model with its own
cross-validated thresholds.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import FARS, cosines, decided_rightly, fold_indices, tar_at_far

RESAMPLES = 10_000
_TAR_RESAMPLES = 1_000
_Z95 = NormalDist().inv_cdf(0.975)
_Z_POWER = NormalDist().inv_cdf(0.8)


@dataclass(frozen=True, slots=True)
class TarDrop:
    """Loss of true-accept rate at one FAR, each model at its own threshold. Percentage points."""

    drop_pp: float
    ci95_pp: tuple[float, float]


@dataclass(frozen=True, slots=True)
class VersusReference:
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
) -> VersusReference:
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
    return VersusReference(
        drop_pp=float(100 * np.average(lost, weights=weights)),
        ci95_pp=bootstrap_drop(lost, weights, clusters, seed),
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


def mcnemar(lost: int, gained: int) -> float:
    """Exact two-sided McNemar test: a fair coin for every flipped pair.

    Args:
        lost: pairs that only the reference has right.
        gained: pairs that only the variant has right.
    """
    lost, gained = int(lost), int(gained)  # numpy's integers would overflow below
    flipped = lost + gained
    if flipped == 0:
        return 1.0
    ways = term = 1
    for index in range(min(lost, gained)):
        term = term * (flipped - index) // (index + 1)
        ways += term
    return min(1.0, ways / (1 << (flipped - 1)))


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
    return TarDrop(drop_pp=float(100 * (reference_tar - variant_tar)), ci95_pp=(float(low), float(high)))


def detectable_drop(flipped: int, pairs: int) -> float:
    """Smallest true drop, in percentage points, that this comparison would show (5 % two-sided, 80 % power).

    Source: Connor 1987, doi 10.2307/2531961, with the discordant share estimated from (flipped + 2) / (pairs + 2).
    """
    discordant = (flipped + 2) / (pairs + 2)
    return 100 * (_Z95 + _Z_POWER) * float(np.sqrt(discordant / pairs))


def pairs_to_settle(drop_pp: float, limit_pp: float, flipped: int, pairs: int) -> int | None:
    """Count the pairs after which a 95 % interval around this drop would lie on one side of the limit.

    Returns:
        None where the drop equals the limit: no number of pairs settles that.
    """
    distance = abs(drop_pp - limit_pp) / 100
    if distance < 1e-9:
        return None
    discordant = (flipped + 2) / (pairs + 2)
    return int(np.ceil((_Z95 + _Z_POWER) ** 2 * discordant / distance**2))


def owners(identities: NDArray[np.integer]) -> NDArray[np.int64]:
    """Give every pair to one person, so that pairs can be resampled by person: (P,), 0-based.

    A pair of two people goes to whoever of them occurs in more pairs: who links many pairs makes them dependent.
    """
    _, labels = np.unique(identities, return_inverse=True)
    labels = labels.reshape(identities.shape)
    occurrences = np.bincount(labels.ravel())
    first, second = labels[:, 0], labels[:, 1]
    chosen: NDArray[np.int64] = np.where(occurrences[first] >= occurrences[second], first, second)
    return chosen


def link_identities(index: NDArray[np.integer], same: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Work out who is who where only pairs are known: images linked by genuine pairs show one person.

    Args:
        index: (P, 2), the two images of each pair.
        same: (P,).

    Returns:
        (P, 2), an identity per image. A person whose images no genuine pair links counts as several.
    """
    person = np.arange(int(index.max()) + 1)
    genuine = index[same]
    while True:
        lowest = person.copy()
        np.minimum.at(lowest, genuine[:, 0], person[genuine[:, 1]])
        np.minimum.at(lowest, genuine[:, 1], person[genuine[:, 0]])
        if np.array_equal(lowest, person):
            linked: NDArray[np.int64] = person[index]
            return linked
        person = lowest


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
