"""Threshold transfer: the threshold in the field was tuned on FP32; what does it do with the variant?

In: both models' scores of the same pairs and a false-accept rate. Out: the operating points to ship with the model.
"""

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.evidence import OperatingPoint, ThresholdTransfer
from ghostface_edge.reports.metrics import threshold_at_far
from ghostface_edge.reports.record import FARS


def transfer_thresholds(
    variant_scores: NDArray[np.float64], reference_scores: NDArray[np.float64], same: NDArray[np.bool_]
) -> dict[str, ThresholdTransfer | None]:
    """Freeze the reference's threshold at every FAR and apply it to the variant.

    Args:
        variant_scores: (P,) cosines.
        reference_scores: (P,) cosines.
        same: (P,).

    Returns:
        By FAR as it is spelt in the report; None where there are too few impostors to measure it.
    """
    return {name: _transfer(variant_scores, reference_scores, same, float(name)) for name in FARS}


def operating_point(scores: NDArray[np.float64], same: NDArray[np.bool_], threshold: float) -> OperatingPoint:
    """Count what a threshold accepts and rejects."""
    accepted = scores >= threshold
    return OperatingPoint(threshold=threshold, far=float(accepted[~same].mean()), frr=float((~accepted[same]).mean()))


def _transfer(
    variant_scores: NDArray[np.float64], reference_scores: NDArray[np.float64], same: NDArray[np.bool_], far: float
) -> ThresholdTransfer | None:
    deployed = threshold_at_far(reference_scores, same, far)
    retuned = threshold_at_far(variant_scores, same, far)
    if deployed is None or retuned is None:
        return None
    return ThresholdTransfer(
        reference=operating_point(reference_scores, same, deployed),
        frozen=operating_point(variant_scores, same, deployed),
        retuned=operating_point(variant_scores, same, retuned),
    )
