"""What changed between two runs, as a section: of a report against its baseline, or of a page of its own."""

from markupsafe import Markup

from ghostface_edge.reports import difference, wording
from ghostface_edge.reports.blocks import (
    Align,
    Block,
    Bullet,
    Bullets,
    Cell,
    Column,
    Figure,
    Grid,
    Note,
    Reach,
    Table,
    Tone,
)
from ghostface_edge.reports.difference import Change, Difference, Trend, VariantChange, compare
from ghostface_edge.reports.plots import named_rows
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.svg import Axis

_TONES = {Trend.BETTER: Tone.BETTER, Trend.WORSE: Tone.WORSE, Trend.WITHIN_NOISE: None}
_PLOTTED = (("Drop pp", "accuracy lost, pp"), ("× FP32", "latency over FP32's"))
_SPARE = ("× FP32", "Cosine", "TAR@FAR=1e-3 %", "Size KB", "p50 ms")
_READING = (
    "Before → after; one figure where both are written alike. Better and worse are coloured only where the change is "
    "more than its noise. Milliseconds of two sessions drift with the machine; × FP32 is taken within one session."
)


def against_baseline(findings: Findings) -> Section | None:
    """What changed since the baseline, where there is one."""
    if findings.baseline is None:
        return None
    return between(compare(findings.baseline, findings.report), "Against the baseline")


def between(compared: Difference, title: str = "Before → after") -> Section:
    """What changed between two runs."""
    titles = difference.titles(compared)
    columns = [Column(name, Align.RIGHT, 2 + _SPARE.index(name) if name in _SPARE else 0) for name in titles]
    table = Table(
        (Column("Variant"), Column("State", spare=1), *columns),
        [_row(variant, titles) for variant in compared.variants],
        reach=Reach.TERMINAL,
    )
    plots = [plot for title, label in _PLOTTED if (plot := _dumbbells(compared, title, label)) is not None]
    blocks: list[Block] = []
    if compared.notes:
        blocks.append(Bullets([Bullet(note) for note in compared.notes], reach=Reach.TERMINAL))
    blocks += [table, Note(_READING, soft=True)]
    if plots:
        blocks.append(Grid([Figure(plot, caption="Hollow: before. Full: after.") for plot in plots]))
    return Section("difference", title, blocks)


def _row(variant: VariantChange, titles: list[str]) -> list[Cell | str]:
    changes = [
        wording.MISSING
        if change is None
        else Cell(difference.cell(change), _TONES[change.trend], change.after, change.trend.value)
        for change in difference.cells(variant, titles)
    ]
    return [variant.variant, difference.state(variant), *changes]


def _dumbbells(compared: Difference, title: str, label: str) -> Markup | None:
    """One row per variant: a hollow dot before, a full one after."""
    rows: list[tuple[str, Change]] = [
        (variant.variant, change)
        for variant in compared.variants
        for change in variant.changes
        if change.title == title
    ]
    if not rows:
        return None
    ends = [end for _, change in rows for end in (change.before, change.after)]
    low, high = min(0.0, *ends), max(ends)
    axis = Axis(label, low, low + 1.05 * max(high - low, 0.01))
    chart = named_rows(title, axis, [name for name, _ in rows], step=24)
    for row, (name, change) in enumerate(rows):
        hover = f"{name}: {difference.cell(change)}"
        css = change.trend.value.replace(" ", "-")
        chart.line([change.before, change.after], [row + 0.5] * 2, f"trend {css}", hover)
        chart.dot(change.before, row + 0.5, "before", hover)
        chart.dot(change.after, row + 0.5, f"after {css}", hover)
    return chart.render()
