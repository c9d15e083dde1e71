"""Cross-precision: does a gallery enrolled by one variant serve probes embedded by another?

An FP32-enrolled database meets INT8 devices in the field, and devices of different runtimes meet each other. Every
pair's first image is the gallery's, its second the probe.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.discordant import mcnemar
from ghostface_edge.reports.evidence import CrossPrecision
from ghostface_edge.reports.metrics import decided_rightly, fold_indices, inner_products, normalized, tar_at_far
from ghostface_edge.reports.record import FARS

TOLERATED_PP = 0.1
"""Accuracy that may be lost before enrolling again is worth it, in percentage points."""
_SIGNIFICANCE = 0.05


def cross_precision(
    embeddings: Mapping[str, NDArray[np.float32]],
    index: NDArray[np.integer],
    same: NDArray[np.bool_],
    *,
    folds: int = 10,
) -> CrossPrecision:
    """Compare every variant's gallery with every variant's probes.

    Args:
        embeddings: by variant id, float32 (I, E) of the same images.
        index: (P, 2).
        same: (P,).
        folds: of View 2.
    """
    unit = {name: normalized(rows) for name, rows in embeddings.items()}
    scores = {
        (gallery, probe): inner_products(unit[gallery][index[:, 0]], unit[probe][index[:, 1]])
        for gallery in unit
        for probe in unit
    }
    right = {pair: decided_rightly(of_pair, same, folds) for pair, of_pair in scores.items()}
    parts = fold_indices(len(same), folds)
    accuracy = {pair: float(np.mean([decided[part].mean() for part in parts])) for pair, decided in right.items()}
    measurable = [far for far in FARS if float(far) * (~same).sum() >= 1]
    far = min(measurable, key=float) if measurable else None

    def table(value: Callable[[str, str], object]) -> tuple[tuple[object, ...], ...]:
        return tuple(tuple(value(gallery, probe) for probe in unit) for gallery in unit)

    def loss_pp(gallery: str, probe: str) -> float:
        return 100 * (accuracy[probe, probe] - accuracy[gallery, probe])

    def needs_enrolment(gallery: str, probe: str) -> bool:
        mixed, enrolled_again = right[gallery, probe], right[probe, probe]
        chance = mcnemar(int((enrolled_again & ~mixed).sum()), int((mixed & ~enrolled_again).sum()))
        return loss_pp(gallery, probe) > TOLERATED_PP and chance < _SIGNIFICANCE

    return CrossPrecision.model_validate(
        {
            "variants": tuple(unit),
            "far": far,
            "accuracy": table(lambda gallery, probe: accuracy[gallery, probe]),
            "tar": table(lambda gallery, probe: far and tar_at_far(scores[gallery, probe], same, float(far))),
            "cosine": table(lambda gallery, probe: float(inner_products(unit[gallery], unit[probe]).mean())),
            "loss_pp": table(loss_pp),
            "reenroll": table(needs_enrolment),
        }
    )
