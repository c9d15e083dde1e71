"""A small chart in SVG: axes, gridlines, lines, boxes, with hover texts.

Colours are CSS classes, so that one drawing serves light and dark; no style attributes, so that a strict content
security policy holds. Every text from outside is escaped.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from statistics import NormalDist

from markupsafe import Markup

from ghostface_edge.reports.printable import printable

WIDTH, HEIGHT = 640, 360
_TWO_DECADES = 100
_NORMAL = NormalDist()
_RATES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99)
"""That a normal-deviate axis names."""
_RARE = 1e-4
_MOST_NAMES, _LONGEST_NAME = 4, 10
"""Beside each other under an axis."""
_VISIBLE = 0.5
"""Least distance of two points of a line, in pixels."""
_TITLE = 28
"""Height of a file's title."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 12, 46


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: what it shows, from where to where, linear, logarithmic or in normal deviates."""

    label: str
    low: float
    high: float
    log: bool = False
    deviate: bool = False
    """Error rates by the normal distribution's quantile: scores that are normal give straight DET curves (Martin et al.
    1997)."""
    names: Sequence[str] = ()
    """Of the whole numbers from 0, in place of figures."""

    def place(self, value: float) -> float:
        """Map a value to 0..1, clipped to the axis."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            return (math.log10(at) - math.log10(low)) / (math.log10(high) - math.log10(low))
        if self.deviate:
            low, high, at = (_NORMAL.inv_cdf(rate) for rate in (low, high, at))
        return (at - low) / (high - low)

    def ticks(self) -> list[tuple[float, str]]:
        """Round values within the axis, with their labels; of names, as many as there is room for."""
        if self.names:
            every = -(-len(self.names) // _MOST_NAMES)
            return [(float(place), _short(self.names[place])) for place in range(0, len(self.names), every)]
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            if self.high / self.low < _TWO_DECADES:
                values = [factor * 10.0**power for power in range(first - 1, last + 1) for factor in (1, 2, 5)]
                return [(value, f"{value:g}") for value in values if self.low <= value <= self.high]
            return [(10.0**power, _power(power)) for power in range(first, last + 1)]
        if self.deviate:
            return [(rate, _rate(rate)) for rate in _RATES if self.low <= rate <= self.high]
        step = _round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return [(index * step, f"{index * step:.{digits}f}") for index in range(first, last + 1)]


@dataclass(slots=True)
class Chart:
    """Collects shapes between two axes and writes them out."""

    title: str
    x: Axis
    y: Axis
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    rows: Sequence[str] = ()
    """Names of horizontal rows, which then replace the y axis' ticks; row i is at y = i + 0.5."""
    _shapes: list[Markup] = field(default_factory=list)

    def px(self, x: float) -> float:
        """Horizontal position in the drawing."""
        return self.left + self.x.place(x) * (self.width - self.left - _RIGHT)

    def py(self, y: float) -> float:
        """Vertical position in the drawing; rows count from the top."""
        share = self.y.place(y)
        return _TOP + (share if self.rows else 1 - share) * (self.height - _TOP - _BOTTOM)

    def line(self, xs: Sequence[float], ys: Sequence[float], css: str, hover: str) -> None:
        """Draw a polyline; a point nearer to the one before than an eye tells is left out, unless it is the last."""
        places = [(round(self.px(x), 1), round(self.py(y), 1)) for x, y in zip(xs, ys, strict=True)]
        kept = places[:1]
        for place in places[1:-1]:
            if max(abs(place[0] - kept[-1][0]), abs(place[1] - kept[-1][1])) >= _VISIBLE:
                kept.append(place)
        kept += [place for place in places[1:][-1:] if place != kept[-1]]
        points = " ".join(f"{x:g},{y:g}" for x, y in kept)
        self._add(
            Markup('<polyline class="line {}" points="{}"><title>{}</title></polyline>').format(
                css, points, printable(hover)
            )
        )

    def area(self, xs: Sequence[float], ys: Sequence[float], css: str, hover: str) -> None:
        """Fill a closed outline."""
        points = " ".join(f"{self.px(x):.1f},{self.py(y):.1f}" for x, y in zip(xs, ys, strict=True))
        self._add(
            Markup('<polygon class="{}" points="{}"><title>{}</title></polygon>').format(css, points, printable(hover))
        )

    def bar(self, x: tuple[float, float], y: tuple[float, float], css: str, hover: str) -> None:
        """Draw a filled rectangle between two corners."""
        left, right = sorted((self.px(x[0]), self.px(x[1])))
        top, bottom = sorted((self.py(y[0]), self.py(y[1])))
        self._add(
            Markup(
                '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
            ).format(css, left, top, max(right - left, 0.5), max(bottom - top, 0.5), printable(hover))
        )

    def dot(self, x: float, y: float, css: str, hover: str, radius: float = 5) -> None:
        """Draw a point."""
        self._add(
            Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{:g}"><title>{}</title></circle>').format(
                css, self.px(x), self.py(y), radius, printable(hover)
            )
        )

    def text(self, x: float, y: float, label: str) -> None:
        """Write a short text, its middle at a point."""
        self._add(
            Markup('<text class="inside" x="{:.1f}" y="{:.1f}" text-anchor="middle" dy="0.35em">{}</text>').format(
                self.px(x), self.py(y), printable(label)
            )
        )

    def render(self) -> Markup:
        """Write the SVG element."""
        return Markup(
            '<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}" preserveAspectRatio="xMidYMid meet">'
            "{}{}</svg>"
        ).format(
            "rows" if self.rows else "curves",
            self.width,
            self.height,
            printable(self.title),
            self._axes(),
            Markup("").join(self._shapes),
        )

    def _add(self, shape: Markup) -> None:
        self._shapes.append(shape)

    def _axes(self) -> Markup:
        parts = []
        bottom = self.height - _BOTTOM
        for value, label in self.x.ticks():
            at = self.px(value)
            parts.append(Markup('<path class="grid" d="M{:.1f} {}V{}"/>').format(at, _TOP, bottom))
            parts.append(
                Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                    at, bottom + 16, label
                )
            )
        rows = [(index + 0.5, name) for index, name in enumerate(self.rows)]
        named = rows or self.y.ticks()
        for value, label in named:
            at = self.py(value)
            if not self.rows:
                parts.append(
                    Markup('<path class="grid" d="M{} {:.1f}H{}"/>').format(self.left, at, self.width - _RIGHT)
                )
            parts.append(
                Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end" dy="0.35em">{}</text>').format(
                    self.left - 8, at, printable(label)
                )
            )
        parts.append(
            Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(self.left, _TOP, bottom, self.width - _RIGHT)
        )
        middle = (self.left + self.width - _RIGHT) / 2
        parts.append(
            Markup('<text class="label" x="{:.0f}" y="{}" text-anchor="middle">{}</text>').format(
                middle, self.height - 8, self.x.label
            )
        )
        if not self.rows:
            parts.append(
                Markup(
                    '<text class="label" transform="translate(15 {:.0f}) rotate(-90)" text-anchor="middle">{}</text>'
                ).format((_TOP + bottom) / 2, self.y.label)
            )
        return Markup("").join(parts)


def standalone(title: str, charts: Sequence[Chart]) -> str:
    """Write charts below each other as a file of its own, light or dark as its reader prefers."""
    style = (files("ghostface_edge.reports") / "templates" / "report.css").read_text(encoding="utf-8")
    placed, top = [], _TITLE
    for chart in charts:
        frame = Markup('<svg y="{}" width="{}" height="{}">{}</svg>')
        placed.append(frame.format(top, chart.width, chart.height, chart.render()))
        top += chart.height
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif"><style>{style}</style><rect class="page" width="{width}" height="{height}"/>'
        '<text class="label" x="{middle}" y="20" text-anchor="middle">{title}</text>{charts}</svg>\n'
    ).format(
        width=max(chart.width for chart in charts),
        height=top,
        middle=max(chart.width for chart in charts) / 2,
        style=Markup(style),  # noqa: S704 - our own file
        title=printable(title),
        charts=Markup("").join(placed),
    )


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def _short(name: str) -> str:
    """What fits under a tick: the day of a moment, the beginning of a longer name."""
    fits = len(name) <= _LONGEST_NAME or name[_LONGEST_NAME] == " "
    return printable(name[:_LONGEST_NAME] if fits else f"{name[: _LONGEST_NAME - 1]}…")


def _rate(rate: float) -> str:
    """In percent, which is too long for what is rare."""
    return f"{100 * rate:g} %" if rate >= _RARE else _power(round(math.log10(rate)))


def _power(power: int) -> str:
    if -4 <= power <= 3:
        return f"{10.0**power:g}"
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
