"""The report's plots: which curve goes where, in which look.

A runtime has a colour; a precision has a stroke: FP32 thin, FP16 dotted, INT8 thick, other methods of a cell dashed.
"""

import numpy as np
from markupsafe import Markup

from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.metrics import roc
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.svg import Axis, Chart
from ghostface_edge.reports.variant import Status, Variant

_COLOURS = 6


def look(variant: Variant, report: Report) -> str:
    """CSS classes of a variant's marks."""
    runtimes = list(dict.fromkeys(other.runtime for other in report.variants))
    stroke = variant.precision if variant.id == f"{variant.runtime}-{variant.precision}" else "other"
    known = stroke if stroke in {"fp32", "fp16", "int8"} else "other"
    return f"c{runtimes.index(variant.runtime) % _COLOURS} {known}"


def measured(report: Report) -> list[Variant]:
    """Variants that have figures."""
    return [variant for variant in report.variants if variant.status is Status.OK]


def roc_plot(report: Report, curves: ReportCurves) -> Markup:
    """TAR over FAR, FAR logarithmic down to one impostor."""
    impostors = int((~curves.same).sum())
    lowest = 1 / impostors
    traces = []
    for variant in measured(report):
        if variant.id in curves.scores:
            far, tar, _ = roc(curves.scores[variant.id], curves.same)
            traces.append((variant, far, tar))
    # leave room for what would ship; a ruined model may leave the frame at the bottom
    starts = [
        float(tar[far <= max(lowest, 1e-3)].max())
        for variant, far, tar in traces
        if "other" not in look(variant, report)
    ]
    bottom = max(0.0, min(np.floor(10 * (start - 0.02)) / 10 for start in starts or [0.0]))
    chart = Chart(
        "ROC", Axis("FAR (false-accept rate)", lowest, 1.0, log=True), Axis("TAR (true-accept rate)", bottom, 1.0)
    )
    for variant, far, tar in traces:
        shown = far >= lowest
        start = float(tar[far <= lowest].max())
        xs, ys = np.concatenate(([lowest], far[shown])), np.concatenate(([start], tar[shown]))
        chart.line(np.repeat(xs, 2)[1:].tolist(), np.repeat(ys, 2)[:-1].tolist(), look(variant, report), variant.id)
    return chart.render()


def latency_plot(report: Report, curves: ReportCurves) -> Markup:
    """One row per variant: quartiles as a box, median as a line, a whisker to p99."""
    rows = [variant for variant in measured(report) if variant.latency is not None]
    highest = max((variant.latency.p99_ms for variant in rows if variant.latency), default=1.0)
    chart = Chart(
        "Latency",
        Axis("ms per face, batch 1: median, quartiles, whisker to 90 % and 99 %", 0.0, highest * 1.04),
        Axis("", 0, max(len(rows), 1)),
        height=70 + 26 * max(len(rows), 1),
        left=190,
        rows=[variant.id for variant in rows],
    )
    for row, variant in enumerate(rows):
        if variant.latency is None:
            continue
        css, latency = look(variant, report), variant.latency
        hover = f"{variant.id}: p50 {latency.p50_ms:.2f}, p90 {latency.p90_ms:.2f}, p99 {latency.p99_ms:.2f} ms"
        chart.bar((latency.p50_ms, latency.p99_ms), (row + 0.47, row + 0.53), f"fill {css}", hover)
        chart.bar((latency.p50_ms, latency.p90_ms), (row + 0.42, row + 0.58), f"fill {css}", hover)
        samples = curves.latency_ms.get(variant.id)
        low, high = (latency.p50_ms, latency.p50_ms) if samples is None else np.percentile(samples, [25, 75])
        chart.bar((float(low), float(high)), (row + 0.2, row + 0.8), f"fill {css}", hover)
        chart.bar((latency.p50_ms, latency.p50_ms), (row + 0.14, row + 0.86), "median", hover)
    return chart.render()
