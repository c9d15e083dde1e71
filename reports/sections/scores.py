"""Genuine and impostor scores: what separates them in the reference, and in each variant."""

import numpy as np
from markupsafe import Markup

from ghostface_edge.reports.blocks import Figure, Grid, Note
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.plots import look, staircase
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.svg import Axis, Chart
from ghostface_edge.reports.variant import Variant

_BINS = 70
_WIDTH, _HEIGHT = 420, 230
_READING = (
    "Areas: the FP32 reference. Lines: the variant. What separates the two humps decides; the dotted line is the "
    "variant's best threshold."
)


def scores(findings: Findings) -> Section | None:
    """How far each variant moves the scores of pairs; FP32 moves none."""
    report, curves = findings.report, findings.curves
    if curves is None:
        return None
    figures = [
        Figure(score_histogram(report, curves, variant), title=variant.id)
        for variant in findings.measured
        if variant.precision != "fp32" and variant.id in curves.scores
    ]
    if not figures:
        return None
    blocks = (Note(_READING, soft=True), Grid(figures, small=True))
    return Section("scores", "Genuine and impostor scores", blocks, nav="Scores")


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
    kinds = ("genuine", "impostor")
    for kind, share in zip(kinds, shares[0], strict=True):
        chart.area(*staircase(edges, share), f"area {kind}", f"FP32 reference, {kind} pairs")
    for kind, share in zip(kinds, shares[1], strict=True):
        chart.line(*staircase(edges, share), f"{look(variant, report)} {kind} solid", f"{variant.id}, {kind} pairs")
    if variant.accuracy is not None:
        threshold = variant.accuracy.threshold
        chart.line([threshold] * 2, [0.0, highest], "threshold", f"threshold of {variant.id}: {threshold:.3f}")
    return chart.render()
