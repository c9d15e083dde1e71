"""Loss, learning rate and verification accuracy over the steps of a run, as a picture."""

from collections.abc import Sequence
from pathlib import Path

from ghostface_edge.pipeline.train.state import History
from ghostface_edge.reports.svg import Axis, Chart, standalone
from ghostface_edge.reports.write import write_text

_HEIGHT = 210


def plot_curves(history: History, path: Path, title: str) -> None:
    """Write three charts below each other as an `.svg`."""
    accuracies = [100 * value for value in history.accuracies]
    last = max([*history.loss_steps, *history.validation_steps], default=1)
    charts = [
        _chart("margin softmax loss", history.loss_steps, history.losses, last, "c0 solid"),
        _chart("learning rate", history.loss_steps, history.rates, last, "c5 solid"),
        _chart("verification, %", history.validation_steps, accuracies, last, "c1 solid"),
    ]
    for step, accuracy in zip(history.validation_steps, accuracies, strict=True):
        charts[-1].dot(step, accuracy, "fill c1", f"{accuracy:.2f} % after {step:,} steps", radius=3)
    write_text(path, standalone(title, charts))


def _chart(label: str, steps: Sequence[int], values: Sequence[float], last: int, css: str) -> Chart:
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.05 * (high - low) or abs(high) or 1.0
    chart = Chart(label, Axis("step", 0, last), Axis(label, low - room, high + room), height=_HEIGHT)
    chart.line(steps, values, css, label)
    return chart
