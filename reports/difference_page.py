"""Two runs compared, as a self-contained page with tables and plots."""

from pathlib import Path

from markupsafe import Markup

from ghostface_edge.reports import difference
from ghostface_edge.reports.difference import Difference, cell
from ghostface_edge.reports.html import page
from ghostface_edge.reports.svg import Axis, Chart
from ghostface_edge.reports.write import write_text


def write_difference(compared: Difference, path: Path) -> None:
    """Write the comparison as a self-contained page."""
    plots = [
        _dumbbells(compared, "Drop pp", "accuracy lost, pp"),
        _dumbbells(compared, "× FP32", "latency over FP32's"),
    ]
    html = page(
        "difference.html.j2",
        title="Two runs compared",
        compared=compared,
        columns=difference.titles(compared),
        table=difference,
        plots=[plot for plot in plots if plot is not None],
    )
    write_text(path, html)


def _dumbbells(compared: Difference, title: str, label: str) -> Markup | None:
    """One row per variant: a hollow dot before, a full one after."""
    rows = [
        (variant.variant, change)
        for variant in compared.variants
        for change in variant.changes
        if change.title == title
    ]
    if not rows:
        return None
    ends = [end for _, change in rows for end in (change.before, change.after)]
    low, high = min(0.0, *ends), max(ends)
    chart = Chart(
        title,
        Axis(label, low, low + 1.05 * max(high - low, 0.01)),
        Axis("", 0, len(rows)),
        height=70 + 24 * len(rows),
        left=168,
        rows=[name for name, _ in rows],
    )
    for row, (name, change) in enumerate(rows):
        hover = f"{name}: {cell(change)}"
        css = change.trend.value.replace(" ", "-")
        chart.line([change.before, change.after], [row + 0.5] * 2, f"trend {css}", hover)
        chart.dot(change.before, row + 0.5, "before", hover)
        chart.dot(change.after, row + 0.5, f"after {css}", hover)
    return chart.render()
