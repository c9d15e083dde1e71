"""Runs of minutes on a device: how its times and its clock went."""

from collections.abc import Callable, Iterator

from markupsafe import Markup

from ghostface_edge.reports.blocks import Block, Figure, Grid, Heading
from ghostface_edge.reports.devices import Device, Sample, Sustained
from ghostface_edge.reports.svg import Axis, Chart

_COLOURS = 6
_LINE = Markup('<svg viewBox="0 0 26 8" aria-hidden="true"><path class="line {}" d="M0 4H26"/></svg>')


def sustained(device: Device) -> Iterator[Block]:
    """Plot every run's medians over time, and the clock where the device tells it."""
    if not device.sustained:
        return
    plots = [
        _plot(device, "p50 ms", lambda sample: sample.p50_ms),
        _plot(device, "MHz", lambda sample: sample.at.frequency_mhz),
        _plot(device, "°C", lambda sample: sample.at.temperature_c),
    ]
    yield Heading(f"Sustained on {device.name}")
    yield Grid([plot for plot in plots if plot is not None])


def _plot(device: Device, label: str, figure: Callable[[Sample], float | None]) -> Figure | None:
    lines = []
    for run in device.sustained:
        points = [(sample.seconds / 60, value) for sample in run.samples if (value := figure(sample)) is not None]
        if points:
            lines.append((run, points))
    if not lines:
        return None
    highest = max(value for _, points in lines for _, value in points)
    lowest = min(0.0, *(value for _, points in lines for _, value in points))
    longest = max(minutes for _, points in lines for minutes, _ in points)
    chart = Chart(
        f"{label} of {device.name} over time",
        Axis("minutes", 0.0, max(longest, 0.1)),
        Axis(label, lowest, lowest + 1.08 * max(highest - lowest, 1e-6)),
    )
    for number, (run, points) in enumerate(lines):
        css = f"c{number % _COLOURS} int8"
        for minutes, value in points:
            chart.dot(
                minutes, value, f"fill {css}", f"{_name(run)}: {value:.4g} {label} after {minutes:.1f} min", radius=2
            )
        chart.line([minutes for minutes, _ in points], [value for _, value in points], css, _told(run))
    legend = [(_LINE.format(f"c{number % _COLOURS} int8"), _told(run)) for number, (run, _) in enumerate(lines)]
    return Figure(chart.render(), title=label, legend=legend)


def _name(run: Sustained) -> str:
    return f"{run.variant}, {run.streams} at a time"


def _told(run: Sustained) -> str:
    return f"{_name(run)}: p90 {run.p90_ms:.2f} ms, {run.faces_per_second:.3g} faces/s"
