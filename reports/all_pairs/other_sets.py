"""Thresholds that were chosen on one set, counted on another."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.all_against_all import AllPairs
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.operating_points import at
from ghostface_edge.reports.all_pairs.scores import AllPairScores, compare_all, threshold_of
from ghostface_edge.reports.evidence import ThresholdTransfer
from ghostface_edge.reports.metrics import cosine_scores
from ghostface_edge.reports.one_threshold import OnAnotherSet, chosen_thresholds


@dataclass(frozen=True, slots=True)
class OtherSet:
    """P pairs of a set that the thresholds were not chosen on, and who is on its images where that is known."""

    index: NDArray[np.integer]
    """(P, 2)"""
    same: NDArray[np.bool_]
    """(P,)"""
    gallery: Gallery | None


def keep_thresholds(
    all_pairs: AllPairs | None,
    transfers: Mapping[str, ThresholdTransfer | None],
    others: Mapping[str, tuple[OtherSet, NDArray[np.float32]]],
    threads: int = 1,
) -> dict[str, dict[str, OnAnotherSet]]:
    """What one model's thresholds of the first set do on others.

    Args:
        all_pairs: all images of the first set; None where it is unknown whom they show.
        transfers: of the first set's pairs.
        others: sets by name, with the model's embeddings of their images.
        threads: for comparing all images with each other.
    """
    thresholds = chosen_thresholds(all_pairs, transfers)
    found = {}
    for name, (other, embeddings) in others.items() if thresholds else ():
        gallery = other.gallery if all_pairs is not None else None
        if gallery is not None and gallery.genuine and gallery.impostors:
            found[name] = _on_all_images(thresholds, compare_all(embeddings, gallery, threads))
        else:
            found[name] = _on_pairs(thresholds, cosine_scores(embeddings, other.index), other.same)
    return found


def _on_all_images(thresholds: Mapping[str, float], scores: AllPairScores) -> dict[str, OnAnotherSet]:
    points = {rate: at(scores, threshold_of(cosine)) for rate, cosine in thresholds.items()}
    return {
        rate: OnAnotherSet(
            threshold=point.cosine,
            genuine=scores.gallery.genuine,
            impostor=scores.gallery.impostors,
            fmr=point.fmr,
            fnmr=point.fnmr,
        )
        for rate, point in points.items()
    }


def _on_pairs(
    thresholds: Mapping[str, float], scores: NDArray[np.float64], same: NDArray[np.bool_]
) -> dict[str, OnAnotherSet]:
    genuine = int(np.count_nonzero(same))
    return {
        rate: OnAnotherSet(
            threshold=cosine,
            genuine=genuine,
            impostor=len(same) - genuine,
            fmr=float((scores[~same] >= cosine).mean()),
            fnmr=float((scores[same] < cosine).mean()),
        )
        for rate, cosine in thresholds.items()
    }
