"""From embeddings to everything a report says about accuracy.

In: the reference's and every variant's embeddings of the same distinct images, and the pairs. Out: per variant the
accuracy, the paired comparison, thresholds, flips; over all variants the cross-precision matrix; the arrays for plots.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.cross_precision import cross_precision
from ghostface_edge.reports.devices import VersusLocal
from ghostface_edge.reports.evidence import CrossPrecision, Flip, PersonChange, ThresholdTransfer
from ghostface_edge.reports.flips import Names, by_person, find_flips
from ghostface_edge.reports.metrics import cosine_scores, cosines, verification_accuracy
from ghostface_edge.reports.paired import compare
from ghostface_edge.reports.people import link_identities
from ghostface_edge.reports.transfer import transfer_thresholds
from ghostface_edge.reports.variant import Accuracy, VersusReference


@dataclass(frozen=True, slots=True)
class PairSet:
    """P pairs over I distinct images."""

    index: NDArray[np.integer]
    """(P, 2)"""
    same: NDArray[np.bool_]
    """(P,)"""
    folds: int = 10
    names: Names | None = None
    """Who is on the two images of every pair, where known."""

    def identities(self) -> NDArray[np.int64]:
        """Number the people on the pairs' images, by name or else by genuine pairs: (P, 2)."""
        if self.names is None:
            return link_identities(self.index, self.same)
        numbers = np.unique(np.array(self.names), return_inverse=True)[1]
        return numbers.reshape(-1, 2).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Assessment:
    """One variant, judged; the fields of a report's variant of the same names."""

    accuracy: Accuracy
    versus_reference: VersusReference
    thresholds: dict[str, ThresholdTransfer | None]
    flips: tuple[Flip, ...]
    fold_drops_pp: tuple[float, ...]
    people: tuple[PersonChange, ...]
    scores: NDArray[np.float64]
    """(P,)"""
    cosines: NDArray[np.float64]
    """(I,) of every image's embedding to the reference's."""


def assess(
    pairs: PairSet, embeddings: NDArray[np.float32], reference: NDArray[np.float32], reference_name: str, *, seed: int
) -> Assessment:
    """Judge a variant against the reference.

    Args:
        pairs: what to compare.
        embeddings: float32 (I, E), the variant's.
        reference: float32 (I, E), the reference's.
        reference_name: as the report shall name it.
        seed: of the bootstrap.

    Raises:
        InputError: embeddings that are zero, not finite, or not of the same images.
    """
    scores, reference_scores = cosine_scores(embeddings, pairs.index), cosine_scores(reference, pairs.index)
    accuracy = verification_accuracy(scores, pairs.same, pairs.folds)
    before = verification_accuracy(reference_scores, pairs.same, pairs.folds)
    versus = compare(
        scores,
        reference_scores,
        pairs.same,
        embeddings,
        reference,
        identities=pairs.identities(),
        seed=seed,
        folds=pairs.folds,
    )
    flips = find_flips(scores, reference_scores, pairs.same, pairs.index, names=pairs.names, folds=pairs.folds)
    return Assessment(
        accuracy=Accuracy.of(accuracy),
        versus_reference=VersusReference.of(reference_name, versus),
        thresholds=transfer_thresholds(scores, reference_scores, pairs.same),
        flips=flips,
        fold_drops_pp=tuple((100 * (np.array(before.folds) - np.array(accuracy.folds))).tolist()),
        people=() if pairs.names is None else by_person(flips, pairs.names),
        scores=scores,
        cosines=cosines(embeddings, reference),
    )


def assess_there(pairs: PairSet, there: NDArray[np.float32], here: NDArray[np.float32], *, seed: int) -> VersusLocal:
    """Compare what one file gives on a device with what it gives on this host.

    Args:
        pairs: of the faces that ran there.
        there: float32 (I, E), the device's embeddings.
        here: float32 (I, E), this host's, of the same faces.
        seed: of the bootstrap.

    Raises:
        InputError: embeddings that are zero, not finite, or not of the same images.
    """
    compared = compare(
        cosine_scores(there, pairs.index),
        cosine_scores(here, pairs.index),
        pairs.same,
        there,
        here,
        identities=pairs.identities(),
        seed=seed,
        folds=pairs.folds,
    )
    equal = there.view(np.uint32) == here.view(np.uint32)
    return VersusLocal.of(
        compared,
        faces=len(here),
        equal_bytes=int(equal.all(axis=1).sum()),
        max_abs=float(np.abs(there - here).max()),
    )


def assess_galleries(pairs: PairSet, embeddings: Mapping[str, NDArray[np.float32]]) -> CrossPrecision:
    """Compare every variant's gallery with every variant's probes."""
    return cross_precision(embeddings, pairs.index, pairs.same, folds=pairs.folds)
