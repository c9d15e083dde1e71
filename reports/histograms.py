"""Distributions: scores of genuine and impostor pairs, cosines to the reference."""

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.plots import look
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.svg import Axis, Chart
from ghostface_edge.reports.variant import Variant

_BINS = 70
_WIDTH, _HEIGHT = 420, 230


def score_histogram(report: Report, curves: ReportCurves, variant: Variant) -> Markup:
    """Genuine and impostor scores: the reference as areas, the variant as lines over them."""
    own, reference = curves.scores[variant.id], curves.reference_scores
    low = float(np.floor(10 * min(own.min(), reference.min())) / 10)
    edges = np.linspace(low, 1.0, _BINS + 1)
    shares = [
        [100 * np.histogram(scores[chosen], edges)[0] / chosen.sum() for chosen in (curves.same, ~curves.same)]
        for scores in (reference, own)
    ]
    highest = 1.05 * max(float(share.max()) for model in shares for share in model)
    chart = Chart(
        f"Scores of {variant.id}",
        Axis("cosine of a pair", low, 1.0),
        Axis("% of pairs", 0.0, highest),
        width=_WIDTH,
        height=_HEIGHT,
    )
    for kind, css, share in zip(("genuine", "impostor"), ("genuine", "impostor"), shares[0], strict=True):
        chart.area(*_steps(edges, share), f"area {css}", f"FP32 reference, {kind} pairs")
    for kind, share in zip(("genuine", "impostor"), shares[1], strict=True):
        chart.line(*_steps(edges, share), f"{look(variant, report)} {kind} solid", f"{variant.id}, {kind} pairs")
    if variant.accuracy is not None:
        threshold = variant.accuracy.threshold
        chart.line([threshold] * 2, [0.0, highest], "threshold", f"threshold of {variant.id}: {threshold:.3f}")
    return chart.render()


def cosine_histogram(report: Report, curves: ReportCurves) -> Markup:
    """How far every variant's embeddings lie from the reference's, the share of images logarithmic."""
    shown = [variant for variant in report.variants if variant.id in curves.cosines and variant.precision != "fp32"]
    low = min((float(curves.cosines[variant.id].min()) for variant in shown), default=0.0)
    edges = np.linspace(max(-1.0, np.floor(10 * low) / 10), 1.0, _BINS + 1)
    x = Axis("cosine of an image's embedding to the FP32 reference's", float(edges[0]), 1.0)
    chart = Chart("Cosine to the reference", x, Axis("% of images", 0.01, 100.0, log=True))
    for variant in shown:
        cosines = curves.cosines[variant.id]
        share = 100 * np.histogram(np.minimum(cosines, 1.0), edges)[0] / len(cosines)
        hover = f"{variant.id}: mean {cosines.mean():.4f}, lowest {cosines.min():.4f}"
        chart.line(*_steps(edges, share), look(variant, report), hover)
    return chart.render()


def _steps(edges: NDArray[np.float64], heights: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """Turn bins into the corners of a staircase."""
    return np.repeat(edges, 2).tolist(), [0.0, *np.repeat(heights, 2).tolist(), 0.0]
