"""Plots of a history: one figure of one variant over the runs, with intervals, levels and changes."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from markupsafe import Markup

from ghostface_edge.reports.history.series import IN_POINTS, Change, Point, Quantity, Series
from ghostface_edge.reports.svg import Axis, Chart

_UNITS = {Quantity.ACCURACY: "accuracy, %", Quantity.FNMR: "FNMR, %", Quantity.LATENCY: "× FP32", Quantity.BYTES: "KB"}
_ROOM, _LEAST_ROOM = 0.08, 0.004
"""Above and below what is drawn: of its height, and of its middle."""
_WIDTH, _HEIGHT = 440, 220
"""Three beside each other on a page, with letters that can be read."""


def chart(series: Series, names: Sequence[str], colour: str) -> Markup:
    """Draw a series.

    Args:
        series: what is drawn.
        names: of all runs of the history, which are its x axis.
        colour: CSS class.
    """
    scale = scale_of(series.quantity)
    ends = [end * scale for point in series.points for end in (point.value, *(point.ci95 or ()))]
    room = max(_ROOM * (max(ends) - min(ends)), _LEAST_ROOM * max(map(abs, ends)), 1e-9)
    drawing = Chart(
        f"{series.variant}: {_UNITS[series.quantity]}",
        Axis("", -0.5, len(names) - 0.5, names=names),
        Axis(_UNITS[series.quantity], min(ends) - room, max(ends) + room),
        width=_WIDTH,
        height=_HEIGHT,
    )
    for level, start in _levels(series):
        middle = scale * median(point.value for point in level)
        css = f"solid {colour}" if start is None else f"trend {_word(start)}"
        ends_at = [level[0].run - 0.4, level[-1].run + 0.4]
        drawing.line(ends_at, [middle] * 2, css, f"{series.variant}: {figure(series.quantity, middle / scale)}")
    starts = {change.run: change for change in series.changes}
    for point in series.points:
        hover = f"{names[point.run]}: {figure(series.quantity, point.value)}"
        if point.ci95 is not None:
            low, high = point.ci95
            hover += f" ({figure(series.quantity, low)} … {figure(series.quantity, high)})"
            drawing.line([point.run] * 2, [low * scale, high * scale], f"whisker solid {colour}", hover)
        first = starts.get(point.run)
        css = f"fill {colour}" if first is None else f"after {_word(first)}"
        drawing.dot(point.run, point.value * scale, css, hover, radius=3 if first is None else 6)
    return drawing.render()


def scale_of(quantity: Quantity) -> float:
    """From the figure to what is written of it."""
    return 100.0 if quantity in IN_POINTS else 0.001 if quantity is Quantity.BYTES else 1.0


def figure(quantity: Quantity, value: float) -> str:
    """Write a figure with its unit."""
    match quantity:
        case Quantity.LATENCY:
            return f"{value:.3f}×"
        case Quantity.BYTES:
            return f"{value / 1000:,.1f} KB"
        case _:
            return f"{100 * value:.2f} %"


def _levels(series: Series) -> list[tuple[Sequence[Point], Change | None]]:
    """Points of each level, with the change that began it."""
    places = {point.run: place for place, point in enumerate(series.points)}
    starts = [0, *(places[change.run] for change in series.changes), len(series.points)]
    pieces = [series.points[start:end] for start, end in pairwise(starts)]
    return list(zip(pieces, (None, *series.changes), strict=True))


def _word(change: Change) -> str:
    return "worse" if change.is_worse else "better"
