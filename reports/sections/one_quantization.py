"""What is known about one quantization: what each step gave, what each part costs, which ranges are unstable."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Block, Column, Figure, Folded, Grid, Heading, Note, Table
from ghostface_edge.reports.evidence import CurveStep, RangeStability, Sensitivity
from ghostface_edge.reports.plots import bars, named_rows
from ghostface_edge.reports.quantizations import Quantization
from ghostface_edge.reports.svg import Axis

_COSTLIEST = 15
_LEAST_STABLE = 10
_STEPS = (
    "Agreement with the float network on held-out calibration faces, from the first step at the top to the last. "
    "Thick: mean. Dashed: 1st percentile."
)
_STABILITY = (
    "Each tensor's extent, lowest to highest value, was taken on four disjoint subsets of the calibration faces. "
    "Spread is the largest minus the smallest extent, against their mean: 0 % means that any quarter of the faces "
    "tells the range. Where it is large, a few faces decide the extent, and more or more varied calibration faces may "
    "help."
)


def evidence_of(found: Quantization) -> list[Block]:
    """Heading and figures of one quantization."""
    aside = "share one quantization" if len(found.variants) > 1 else ""
    blocks: list[Block] = [Heading(", ".join(found.variants), aside)]
    if found.as_above:
        blocks.append(Note("Stability of ranges and cost of single parts as above.", soft=True))
    figures = []
    if found.curve:
        figures.append(_steps(found.curve))
    if found.sensitivity:
        figures.append(_costs(found.sensitivity))
    if found.range_stability:
        figures.append(_stability(found.range_stability))
    return [*blocks, Grid(figures)] if figures else blocks


def _steps(curve: Sequence[CurveStep]) -> Figure:
    rows = [
        (step.step, f"{step.cosine_mean:.4f}", f"{step.cosine_p01:.4f}", wording.number(step.sqnr_db, ".1f"))
        for step in curve
    ]
    table = Table((Column("Step"), "Cosine", "1st percentile", "SQNR dB"), rows)
    return Figure(curve_plot(curve), "What each step gave", _STEPS, blocks=(table,))


def _costs(parts: Sequence[Sensitivity]) -> Figure:
    rows = [(part.name, f"{1 - part.cosine:.6f}", wording.number(part.sqnr_db, ".1f")) for part in parts]
    table = Table((Column("Part"), "1 − cosine", "SQNR dB"), rows)
    summary = f"Table, {wording.count(len(parts), 'part')}, the costliest first"
    costs = [(part.name, 1 - part.cosine) for part in parts[:_COSTLIEST]]
    plot = bars("Sensitivity", "1 − cosine to the float network", costs)
    return Figure(plot, "What quantizing one part alone costs", blocks=(Folded(summary, (table,)),))


def _stability(groups: Sequence[RangeStability]) -> Figure:
    spreads = [(group.tensor, 100 * group.spread) for group in groups[:_LEAST_STABLE]]
    return Figure(
        bars("Stability of ranges", "spread, % of the mean extent", spreads), "Least stable ranges", _STABILITY
    )


def curve_plot(curve: Sequence[CurveStep]) -> Markup:
    """Cosine on held-out faces from step to step, downwards: mean and 1st percentile."""
    lowest = min(0.98, *(value for step in curve for value in (step.cosine_mean, step.cosine_p01)))
    label = "cosine to the float network, held-out calibration faces"
    axis = Axis(label, float(np.floor(50 * lowest) / 50), 1.0)
    chart = named_rows("Steps of the quantization", axis, [step.step for step in curve], step=30)
    middles = [row + 0.5 for row in range(len(curve))]
    for name, css, values in (
        ("1st percentile", "c0 other", [step.cosine_p01 for step in curve]),
        ("mean", "c0 int8", [step.cosine_mean for step in curve]),
    ):
        chart.line(values, middles, css, name)
        for step, middle, value in zip(curve, middles, values, strict=True):
            chart.dot(value, middle, f"fill {css}", f"{step.step}: {name} {value:.4f}", radius=4.5)
    return chart.render()
