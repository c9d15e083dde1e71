"""Looks that plots of different sections share, and the kinds of charts that several draw.

A runtime has a colour; a precision has a stroke: FP32 thin, FP16 dotted, INT8 thick, other methods of a cell dashed.
"""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ghostface_edge.reports.report import Report
from ghostface_edge.reports.svg import Axis, Chart
from ghostface_edge.reports.variant import Variant

_COLOURS = 6
_LONGEST_NAME = 34
_NAME_MARGIN, _LETTER = 20, 7.6
"""Room beside a chart's rows, in its own pixels; letters are widest on a phone."""
_FAR_APART = 8
"""Between medians of one plot."""
_SAMPLE = Markup('<svg viewBox="0 0 26 8" aria-hidden="true">{}</svg>')


def look(variant: Variant, report: Report) -> str:
    """CSS classes of a variant's marks."""
    runtimes = list(dict.fromkeys(other.runtime for other in report.variants))
    stroke = variant.precision if variant.id == f"{variant.runtime}-{variant.precision}" else "other"
    known = stroke if stroke in {"fp32", "fp16", "int8"} else "other"
    return f"c{runtimes.index(variant.runtime) % _COLOURS} {known}"


def legend(report: Report, shown: Iterable[Variant]) -> list[tuple[Markup, str]]:
    """A sample of each variant's line, with its name."""
    line = _SAMPLE.format(Markup('<path class="line {}" d="M0 4H26"/>'))
    return [(line.format(look(variant, report)), variant.id) for variant in shown]


def patches(named: Iterable[tuple[str, str]]) -> list[tuple[Markup, str]]:
    """A sample of each filling, given its CSS class and its name."""
    patch = _SAMPLE.format(Markup('<rect class="fill {}" width="26" height="8"/>'))
    return [(patch.format(css), name) for css, name in named]


def dots(named: Iterable[tuple[str, str]]) -> list[tuple[Markup, str]]:
    """A sample of each point, given its CSS class and its name."""
    dot = _SAMPLE.format(Markup('<circle class="{}" cx="13" cy="4" r="3.5"/>'))
    return [(dot.format(css), name) for css, name in named]


def named_rows(title: str, axis: Axis, names: Sequence[str], *, step: int) -> Chart:
    """A chart of one row per name, `step` pixels apart; row i is at y = i + 0.5."""
    rows, shown = max(len(names), 1), [shortened(name) for name in names]
    return Chart(
        title,
        axis,
        Axis("", 0, rows),
        height=66 + step * rows,
        left=round(_NAME_MARGIN + _LETTER * max(map(len, shown), default=0)),
        rows=shown,
    )


def shortened(name: str) -> str:
    """Keep the end of a long name, where layers differ."""
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"


def time_axis(label: str, medians: Sequence[float], highest: float) -> Axis:
    """From zero; logarithmic where one median is so long that the others would not be told apart."""
    if medians and max(medians) > _FAR_APART * min(medians):
        return Axis(f"{label}; logarithmic", 0.7 * min(medians), highest, log=True)
    return Axis(label, 0.0, highest)


def bars(title: str, label: str, rows: Sequence[tuple[str, float]], colours: Sequence[str | None] = ()) -> Markup:
    """Horizontal bars from zero, for rankings; `colours` are CSS classes, a bar without one has the first runtime's."""
    highest = max((value for _, value in rows), default=1.0) or 1.0
    chart = named_rows(title, Axis(label, 0.0, 1.05 * highest), [name for name, _ in rows], step=19)
    for row, ((name, value), colour) in enumerate(zip_longest(rows, colours)):
        chart.bar((0.0, value), (row + 0.18, row + 0.82), f"fill {colour or 'c0'}", f"{name}: {value:.4g}")
    return chart.render()


def staircase(edges: NDArray[np.float64], heights: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """Turn bins into the corners of a staircase."""
    return np.repeat(edges, 2).tolist(), [0.0, *np.repeat(heights, 2).tolist(), 0.0]
