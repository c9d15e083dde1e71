"""What plots need beyond the report's figures: scores, samples, cosines."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ReportCurves:
    """Arrays behind a report, by variant id. Plots leave out what is not there."""

    same: NDArray[np.bool_]
    """(P,)"""
    scores: Mapping[str, NDArray[np.float64]]
    """(P,) cosines of every variant with status ok, in the pairs' order."""
    reference_scores: NDArray[np.float64]
    """(P,) cosines of the FP32 reference."""
    latency_ms: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """(N,) samples in the order taken."""
    cosines: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """(I,) cosine of every image's embedding to the reference's."""
    images: Mapping[int, bytes] = field(default_factory=dict)
    """Encoded faces of the pairs by place, so that changed decisions can be shown, as far as they are at hand."""
    gallery_images: Mapping[int, bytes] = field(default_factory=dict)
    """Of what is compared all against all, so that names can be looked at."""
    contact_sheets: Mapping[str, bytes] = field(default_factory=dict)
    """JPEG of many aligned faces, by what they are, so that a person sees a wrong alignment."""
