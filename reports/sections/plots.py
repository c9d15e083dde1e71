"""Accuracy, time and size as plots: ROC, what was lost over time taken, and latency."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Figure, Grid
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.metrics import roc
from ghostface_edge.reports.plots import legend, look, named_rows, staircase, time_axis
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.svg import Axis, Chart
from ghostface_edge.reports.variant import Variant

_SMALLEST_DROP_PP = 0.01
_COSINE_BINS = 70
_COSINES = "Cosine between each image's embedding by the variant and by the reference."
_ROC = (
    "ROC down to one impostor pair. Colour is the runtime; FP32 thin, FP16 dotted, INT8 thick, other methods dashed. "
    "A curve that is missing lies below the frame."
)
_PARETO = (
    "Accuracy lost (logarithmic, losses below 0.01 pp at the bottom) over time taken; lower left is better. The area "
    "of a dot is the size of the file, the line its 95 % interval."
)


def plots(findings: Findings) -> Section | None:
    """What an engineer chooses by."""
    report, measured = findings.report, findings.measured
    if not measured:
        return None
    key = legend(report, measured)
    figures = []
    if findings.curves is not None:
        figures.append(Figure(roc_plot(findings, findings.curves), caption=_ROC, legend=key))
    figures.append(Figure(pareto_plot(findings), caption=_PARETO, legend=key))
    latency = measured[0].latency
    assert latency is not None
    taken = f"{wording.count(latency.threads, 'thread')}, {latency.runs} runs"
    caption = f"Latency of one face, {taken}, taken in turns with the FP32 of the same runtime (C: TFLite's)."
    figures.append(Figure(latency_plot(findings), caption=caption))
    if findings.curves is not None and (moved := _moved(findings.curves, measured)):
        figures.append(
            Figure(cosine_histogram(report, findings.curves, moved), caption=_COSINES, legend=legend(report, moved))
        )
    return Section("plots", "Accuracy, time and size", (Grid(figures),), nav="Plots")


def roc_plot(findings: Findings, curves: ReportCurves) -> Markup:
    """TAR over FAR, FAR logarithmic down to one impostor."""
    lowest = 1 / int((~curves.same).sum())
    traces = []
    for variant in findings.measured:
        if variant.id in curves.scores:
            far, tar, _ = roc(curves.scores[variant.id], curves.same)
            traces.append((variant, look(variant, findings.report), far, tar))
    # the frame is for what would ship; a ruined model may leave it at the bottom
    starts = [float(tar[far <= lowest].max(initial=0.0)) for _, css, far, tar in traces if "other" not in css]
    bottom = max(0.0, float(np.floor(20 * (min(starts, default=0.0) - 0.01)) / 20))
    x = Axis("FAR (share of impostor pairs accepted)", lowest, 1.0, log=True)
    chart = Chart("ROC", x, Axis("TAR (share of genuine pairs accepted)", bottom, 1.0))
    for variant, css, far, tar in traces:
        # what comes next is inside the frame: leaves out the run along its left and bottom edges
        inside = (np.append(far[1:], 1.0) > lowest) & (np.append(tar[1:], 1.0) > bottom)
        xs, ys = np.repeat(far[inside], 2)[1:], np.repeat(tar[inside], 2)[:-1]
        chart.line(xs.tolist(), ys.tolist(), css, variant.id)
        for decade in (1e-3, 1e-2, 1e-1):
            reached = float(tar[far <= decade].max(initial=0.0))
            if decade >= lowest and reached >= bottom:
                hover = f"{variant.id}: TAR {100 * reached:.2f} % at FAR {decade:g}"
                chart.dot(decade, reached, f"fill {css}", hover, radius=3.5)
    return chart.render()


def latency_plot(findings: Findings) -> Markup:
    """One row per variant: quartiles as a box, median as a line, a whisker to p90 and p99."""
    rows = [(variant, variant.latency) for variant in findings.measured if variant.latency is not None]
    axis = time_axis(
        "ms per face: quartiles, median, whisker to 90 and 99 %",
        [latency.p50_ms for _, latency in rows],
        1.04 * max((latency.p99_ms for _, latency in rows), default=1.0),
    )
    chart = named_rows("Latency", axis, [variant.id for variant, _ in rows], step=26)
    samples_ms = {} if findings.curves is None else findings.curves.latency_ms
    for row, (variant, latency) in enumerate(rows):
        css = f"fill {look(variant, findings.report)}"
        hover = f"{variant.id}: p50 {latency.p50_ms:.2f}, p90 {latency.p90_ms:.2f}, p99 {latency.p99_ms:.2f} ms"
        chart.bar((latency.p50_ms, latency.p99_ms), (row + 0.47, row + 0.53), css, hover)
        chart.bar((latency.p50_ms, latency.p90_ms), (row + 0.42, row + 0.58), css, hover)
        samples = samples_ms.get(variant.id)
        low, high = (latency.p50_ms, latency.p50_ms) if samples is None else np.percentile(samples, [25, 75])
        chart.bar((float(low), float(high)), (row + 0.2, row + 0.8), css, hover)
        chart.bar((latency.p50_ms, latency.p50_ms), (row + 0.14, row + 0.86), "median", hover)
    return chart.render()


def pareto_plot(findings: Findings) -> Markup:
    """Accuracy lost over time taken; the area of a dot is the file's size."""
    shown = [
        (variant, variant.versus_reference, variant.latency, variant.artifact.deployed_bytes)
        for variant in findings.measured
        if variant.versus_reference is not None and variant.latency is not None and variant.artifact is not None
    ]
    medians = [latency.p50_ms for _, _, latency, _ in shown]
    worst = max((versus.ci95_pp[1] for _, versus, _, _ in shown), default=1.0)
    largest = max((size for *_, size in shown), default=1)
    y = Axis("accuracy lost, pp", _SMALLEST_DROP_PP / 2, max(1.0, 1.5 * worst), log=True)
    chart = Chart(
        "Accuracy, time and size", time_axis("median ms per face", medians, 1.15 * max(medians, default=1.0)), y
    )
    for variant, versus, latency, size in sorted(shown, key=lambda point: -point[3]):
        css = look(variant, findings.report)
        hover = (
            f"{variant.id}: {versus.drop_pp:+.2f} pp [{versus.ci95_pp[0]:.2f}, {versus.ci95_pp[1]:.2f}], "
            f"{latency.p50_ms:.2f} ms, {size / 1000:,.0f} KB"
        )
        chart.line([latency.p50_ms] * 2, list(versus.ci95_pp), f"{css} solid whisker", hover)
        lost = max(versus.drop_pp, _SMALLEST_DROP_PP)
        chart.dot(latency.p50_ms, lost, f"fill {css}", hover, radius=4 + 10 * (size / largest) ** 0.5)
    return chart.render()


def cosine_histogram(report: Report, curves: ReportCurves, shown: list[Variant]) -> Markup:
    """How far every variant's embeddings lie from the reference's, the share of images logarithmic."""
    low = min(float(curves.cosines[variant.id].min()) for variant in shown)
    edges = np.linspace(max(-1.0, np.floor(10 * low) / 10), 1.0, _COSINE_BINS + 1)
    x = Axis("cosine of an image's embedding to the FP32 reference's", float(edges[0]), 1.0)
    chart = Chart("Cosine to the reference", x, Axis("% of images", 0.01, 100.0, log=True))
    for variant in shown:
        cosines = curves.cosines[variant.id]
        share = 100 * np.histogram(np.minimum(cosines, 1.0), edges)[0] / len(cosines)
        hover = f"{variant.id}: mean {cosines.mean():.4f}, lowest {cosines.min():.4f}"
        chart.line(*staircase(edges, share), look(variant, report), hover)
    return chart.render()


def _moved(curves: ReportCurves, measured: Sequence[Variant]) -> list[Variant]:
    """Variants whose embeddings differ from the reference, where cosines are at hand."""
    return [variant for variant in measured if variant.precision != "fp32" and variant.id in curves.cosines]
