"""Accuracy over latency of all cells in one plot, with the front of each place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ghostface_edge.reports import plots, wording
from ghostface_edge.reports.blocks import Figure
from ghostface_edge.reports.matrix.results import Row
from ghostface_edge.reports.measurement import Measurement
from ghostface_edge.reports.policy import Metric
from ghostface_edge.reports.printable import shortened
from ghostface_edge.reports.record import Interval
from ghostface_edge.reports.svg import Axis, Chart

MOST_DOTS: Final = 400
_MOST_WHISKERS: Final = 80
"""Beside those of the fronts; more would hide what they belong to."""
_MOST_NAMED, _COLOURS = 12, 6
_ROOM, _LEAST_ROOM = 0.08, 0.1
"""Above and below what is drawn: of its height, and in points."""
_HEIGHT: Final = 420
_READING: Final = (
    "Accuracy over the median time of one face; upper left is better. A line through a dot is its 95 % interval. Large "
    "dots, joined by a line, are the Pareto front of a place and a set of pairs: nothing there is faster and as good."
)


@dataclass(frozen=True, slots=True)
class _Dot:
    """A row that has both figures, in percent and milliseconds."""

    row: Row
    ms: float
    percent: float
    ends: Interval

    @classmethod
    def of(cls, row: Row, accuracy: Measurement, time: Measurement) -> "_Dot":
        low, high = accuracy.interval or (accuracy.value, accuracy.value)
        return cls(row, time.value, 100 * accuracy.value, (100 * low, 100 * min(high, 1.0)))

    @property
    def group(self) -> tuple[str, tuple[str, str]]:
        """What it may be compared within."""
        return self.row.place, self.row.pairs


def over_time(rows: Sequence[Row]) -> Figure | None:
    """Draw all rows that have a time; None where none has."""
    found = ((row, row.figure(Metric.ACCURACY), row.figure(Metric.P50_MS)) for row in rows)
    dots = [_Dot.of(row, accuracy, time) for row, accuracy, time in found if accuracy and time]
    if not dots:
        return None
    groups = list(dict.fromkeys(dot.group for dot in dots))
    fronts = [_front([dot for dot in dots if dot.group == group]) for group in groups]
    ahead = [dot for front in fronts for dot in front]
    in_front = set(map(id, ahead))
    behind = [dot for dot in dots if id(dot) not in in_front]
    drawn = behind[: max(0, MOST_DOTS - len(ahead))]
    shown = [*drawn, *ahead[:MOST_DOTS]]
    visible = set(map(id, shown))
    low, high = min(dot.ends[0] for dot in shown), max(dot.ends[1] for dot in shown)
    room = max(_ROOM * (high - low), _LEAST_ROOM)
    chart = Chart(
        "Accuracy over latency of all cells",
        plots.time_axis("median ms per face", [dot.ms for dot in shown], 1.1 * max(dot.ms for dot in shown)),
        Axis("accuracy, %", low - room, high + room),
        height=_HEIGHT,
    )
    colours = {group: f"c{number % _COLOURS}" for number, group in enumerate(groups)}
    for dot in drawn:
        _draw(chart, dot, colours[dot.group], whisker=len(drawn) <= _MOST_WHISKERS)
    for front in fronts:
        line = [dot for dot in front if id(dot) in visible]
        if len(line) > 1:
            css = f"solid {colours[line[0].group]}"
            chart.line([dot.ms for dot in line], [dot.percent for dot in line], css, f"front: {_named(line[0])}")
        for dot in line:
            _draw(chart, dot, colours[dot.group], whisker=True, ahead=True)
    named = [(f"fill {colours[group]}", f"{group[0]}, {group[1][0]}") for group in groups[:_MOST_NAMED]]
    return Figure(chart.render(), caption=" ".join(_caption(rows, dots, shown, drawn)), legend=plots.dots(named))


def _front(dots: Sequence[_Dot]) -> list[_Dot]:
    """Those that nothing is both faster and as accurate as, the fastest first."""
    front: list[_Dot] = []
    for dot in sorted(dots, key=lambda each: (each.ms, -each.percent)):
        if not front or dot.percent > front[-1].percent:
            front.append(dot)
    return front


def _draw(chart: Chart, dot: _Dot, colour: str, *, whisker: bool, ahead: bool = False) -> None:
    low, high = dot.ends
    hover = f"{_named(dot)}: {dot.percent:.2f} % ({low:.2f} … {high:.2f}), {dot.ms:.2f} ms; {dot.row.cell.id}"
    if whisker:
        chart.line([dot.ms] * 2, [low, high], f"whisker solid {colour}", hover)
    css = f"fill {colour}" if ahead else f"fill {colour} fp32"
    chart.dot(dot.ms, dot.percent, css, hover, radius=6 if ahead else 3.5)


def _named(dot: _Dot) -> str:
    return f"{dot.row.variant} on {shortened(dot.row.place)}, {dot.row.pairs[0]}"


def _caption(rows: Sequence[Row], dots: Sequence[_Dot], shown: Sequence[_Dot], drawn: Sequence[_Dot]) -> list[str]:
    said = [_READING]
    if len(drawn) > _MOST_WHISKERS:
        said.append("Intervals are drawn on the fronts alone, of all others they are in the hover.")
    if left := len(dots) - len(shown):
        said.append(f"{wording.count(left, 'dot')} behind the fronts {'is' if left == 1 else 'are'} left out.")
    if timeless := sum(row.figures is not None for row in rows) - len(dots):
        said.append(f"{wording.count(timeless, 'row')} without a time {'is' if timeless == 1 else 'are'} not here.")
    return said
