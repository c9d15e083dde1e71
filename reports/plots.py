"""The report's main plots: which curve goes where, in which look.

A runtime has a colour; a precision has a stroke: FP32 thin, FP16 dotted, INT8 thick, other methods of a cell dashed.
"""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from markupsafe import Markup

from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.evidence import CurveStep, ProfileRole
from ghostface_edge.reports.metrics import roc
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.svg import Axis, Chart
from ghostface_edge.reports.time_shares import TimeShares
from ghostface_edge.reports.variant import Status, Variant

_COLOURS = 6
_SMALLEST_DROP_PP = 0.01
_FAR_APART = 8
"""Between medians of one plot."""
_LONGEST_NAME = 34
_NAMES = 262
"""Room for such a name."""
_LEAST_LABELLED = 0.06
"""Share of a bar that has room for its own figure."""


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
    lowest = 1 / int((~curves.same).sum())
    traces = []
    for variant in measured(report):
        if variant.id in curves.scores:
            far, tar, _ = roc(curves.scores[variant.id], curves.same)
            traces.append((variant, far, tar))
    # the frame is for what would ship; a ruined model may leave it at the bottom
    starts = [
        float(tar[far <= lowest].max(initial=0.0))
        for variant, far, tar in traces
        if "other" not in look(variant, report)
    ]
    bottom = max(0.0, float(np.floor(20 * (min(starts, default=0.0) - 0.01)) / 20))
    x = Axis("FAR (share of impostor pairs accepted)", lowest, 1.0, log=True)
    chart = Chart("ROC", x, Axis("TAR (share of genuine pairs accepted)", bottom, 1.0))
    for variant, far, tar in traces:
        css = look(variant, report)
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


def latency_plot(report: Report, curves: ReportCurves) -> Markup:
    """One row per variant: quartiles as a box, median as a line, a whisker to p90 and p99."""
    rows = [(variant, variant.latency) for variant in measured(report) if variant.latency is not None]
    chart = Chart(
        "Latency",
        _time_axis(
            "ms per face: quartiles, median, whisker to 90 and 99 %",
            [latency.p50_ms for _, latency in rows],
            1.04 * max((latency.p99_ms for _, latency in rows), default=1.0),
        ),
        Axis("", 0, max(len(rows), 1)),
        height=70 + 26 * max(len(rows), 1),
        left=168,
        rows=[variant.id for variant, _ in rows],
    )
    for row, (variant, latency) in enumerate(rows):
        css = f"fill {look(variant, report)}"
        hover = f"{variant.id}: p50 {latency.p50_ms:.2f}, p90 {latency.p90_ms:.2f}, p99 {latency.p99_ms:.2f} ms"
        chart.bar((latency.p50_ms, latency.p99_ms), (row + 0.47, row + 0.53), css, hover)
        chart.bar((latency.p50_ms, latency.p90_ms), (row + 0.42, row + 0.58), css, hover)
        samples = curves.latency_ms.get(variant.id)
        low, high = (latency.p50_ms, latency.p50_ms) if samples is None else np.percentile(samples, [25, 75])
        chart.bar((float(low), float(high)), (row + 0.2, row + 0.8), css, hover)
        chart.bar((latency.p50_ms, latency.p50_ms), (row + 0.14, row + 0.86), "median", hover)
    return chart.render()


def _time_axis(label: str, medians: Sequence[float], highest: float) -> Axis:
    """From zero; logarithmic where one variant is so slow that the others would not be told apart."""
    if medians and max(medians) > _FAR_APART * min(medians):
        return Axis(f"{label}; logarithmic", 0.7 * min(medians), highest, log=True)
    return Axis(label, 0.0, highest)


def pareto_plot(report: Report) -> Markup:
    """Accuracy lost over time taken; the area of a dot is the file's size."""
    points = [(variant, variant.versus_reference, variant.latency, variant.artifact) for variant in measured(report)]
    shown = [
        (variant, versus, latency, artifact.bytes)
        for variant, versus, latency, artifact in points
        if versus is not None and latency is not None and artifact is not None
    ]
    medians = [latency.p50_ms for _, _, latency, _ in shown]
    worst = max((versus.ci95_pp[1] for _, versus, _, _ in shown), default=1.0)
    largest = max((size for *_, size in shown), default=1)
    y = Axis("accuracy lost, pp", _SMALLEST_DROP_PP / 2, max(1.0, 1.5 * worst), log=True)
    x = _time_axis("median ms per face", medians, 1.15 * max(medians, default=1.0))
    chart = Chart("Accuracy, time and size", x, y)
    for variant, versus, latency, size in sorted(shown, key=lambda point: -point[3]):
        css = look(variant, report)
        hover = (
            f"{variant.id}: {versus.drop_pp:+.2f} pp [{versus.ci95_pp[0]:.2f}, {versus.ci95_pp[1]:.2f}], "
            f"{latency.p50_ms:.2f} ms, {size / 1000:,.0f} KB"
        )
        chart.line([latency.p50_ms] * 2, list(versus.ci95_pp), f"{css} solid whisker", hover)
        lost = max(versus.drop_pp, _SMALLEST_DROP_PP)
        chart.dot(latency.p50_ms, lost, f"fill {css}", hover, radius=4 + 10 * (size / largest) ** 0.5)
    return chart.render()


def role_plot(rows: Sequence[TimeShares]) -> Markup:
    """One bar per variant, stacked by what the time goes into."""
    chart = Chart(
        "Shares of time",
        Axis("% of one inference's time", 0.0, 100.0),
        Axis("", 0, len(rows)),
        height=66 + 26 * len(rows),
        left=168,
        rows=[shares.variant.id for shares in rows],
    )
    for row, shares in enumerate(rows):
        start = 0.0
        for role in ProfileRole:
            share = shares.roles[role]
            if share > 0:
                hover = f"{shares.variant.id}: {role} {100 * share:.1f} %, {share * shares.ms:.3f} ms"
                ends = (100 * start, 100 * (start + share))
                chart.bar(ends, (row + 0.14, row + 0.86), f"fill {role}", hover)
                if share >= _LEAST_LABELLED:
                    chart.text(sum(ends) / 2, row + 0.5, f"{100 * share:.0f}")
            start += share
    return chart.render()


def curve_plot(curve: Sequence[CurveStep]) -> Markup:
    """Cosine on held-out faces from step to step, downwards: mean and 1st percentile."""
    lowest = min(0.98, *(value for step in curve for value in (step.cosine_mean, step.cosine_p01)))
    chart = Chart(
        "Steps of the quantization",
        Axis("cosine to the float network, held-out calibration faces", float(np.floor(50 * lowest) / 50), 1.0),
        Axis("", 0, len(curve)),
        height=66 + 30 * len(curve),
        left=_NAMES,
        rows=[shortened(step.step) for step in curve],
    )
    middles = [row + 0.5 for row in range(len(curve))]
    for name, css, values in (
        ("1st percentile", "c0 other", [step.cosine_p01 for step in curve]),
        ("mean", "c0 int8", [step.cosine_mean for step in curve]),
    ):
        chart.line(values, middles, css, name)
        for step, middle, value in zip(curve, middles, values, strict=True):
            chart.dot(value, middle, f"fill {css}", f"{step.step}: {name} {value:.4f}", radius=4.5)
    return chart.render()


def shortened(name: str) -> str:
    """Keep the end of a long name, where layers differ."""
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"


def bars(title: str, label: str, rows: Sequence[tuple[str, float]], colours: Sequence[str | None] = ()) -> Markup:
    """Horizontal bars from zero, for rankings; `colours` are CSS classes, a bar without one has the first runtime's."""
    highest = max((value for _, value in rows), default=1.0) or 1.0
    chart = Chart(
        title,
        Axis(label, 0.0, 1.05 * highest),
        Axis("", 0, max(len(rows), 1)),
        height=66 + 19 * max(len(rows), 1),
        left=_NAMES,
        rows=[shortened(name) for name, _ in rows],
    )
    for row, ((name, value), colour) in enumerate(zip_longest(rows, colours)):
        chart.bar((0.0, value), (row + 0.18, row + 0.82), f"fill {colour or 'c0'}", f"{name}: {value:.4g}")
    return chart.render()
