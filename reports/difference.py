"""What changed between two runs: per variant the figures before and after, and whether that is more than noise.

In: two reports. Out: a `Difference`, which the renderings lay out as a table.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from ghostface_edge.reports.measured import measure
from ghostface_edge.reports.policy import AS_RATIO, Metric, RelativeTo, Rule
from ghostface_edge.reports.record import Record
from ghostface_edge.reports.report import Report, Verdict
from ghostface_edge.reports.variant import Status, Variant


class Trend(StrEnum):
    """Which way a figure went."""

    BETTER = "better"
    WORSE = "worse"
    WITHIN_NOISE = "within noise"


class Change(Record):
    """One figure of one variant, before and after, as it is written in tables."""

    title: str
    before: float
    after: float
    digits: int
    trend: Trend


class VariantChange(Record):
    """One variant in both runs; without changes where one of them has no figures for it."""

    variant: str
    before: str
    """Its status in the first run, `absent` if it was not there."""
    after: str
    changes: tuple[Change, ...]


class Difference(Record):
    """Two runs compared."""

    verdict_before: Verdict
    verdict_after: Verdict
    notes: tuple[str, ...]
    """What else differs, and what can therefore not be compared."""
    variants: tuple[VariantChange, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    """A figure, and the metric whose interval says whether it moved."""

    title: str
    metric: Metric
    digits: int
    scale: float
    judged_by: Metric | None
    """None where runs do not compare: medians of two sessions drift with the machine."""
    higher_is_better: bool
    """Of the metric it is judged by."""
    far: Literal["0.01", "0.001"] | None = None
    of_pairs: bool = True
    """Whether the figure depends on the pairs."""


_COLUMNS = (
    _Column("Accuracy %", Metric.ACCURACY, 2, 100, Metric.ACCURACY, higher_is_better=True),
    _Column("Drop pp", Metric.DROP, 2, 1, Metric.DROP, higher_is_better=False),
    _Column("TAR@FAR=1e-3 %", Metric.TAR, 2, 100, Metric.TAR_DROP, higher_is_better=False, far="0.001"),
    _Column("Cosine", Metric.COSINE_MEAN, 4, 1, Metric.COSINE_MEAN, higher_is_better=True),
    _Column("× FP32", Metric.LATENCY_RATIO, 2, 1, Metric.LATENCY_RATIO, higher_is_better=False, of_pairs=False),
    _Column("p50 ms", Metric.P50_MS, 2, 1, None, higher_is_better=False, of_pairs=False),
    _Column("Size KB", Metric.BYTES, 0, 0.001, Metric.BYTES, higher_is_better=False, of_pairs=False),
)


def compare(before: Report, after: Report) -> Difference:
    """Compare two reports, variant by variant."""
    first = {variant.id: variant for variant in before.variants}
    second = {variant.id: variant for variant in after.variants}
    same_pairs = before.data.pairs.sha256 == after.data.pairs.sha256
    columns = [column for column in _COLUMNS if same_pairs or not column.of_pairs]
    return Difference(
        verdict_before=before.gate.verdict,
        verdict_after=after.gate.verdict,
        notes=tuple(_notes(before, after)),
        variants=tuple(
            _variant_change(name, first.get(name), second.get(name), columns, after) for name in {**first, **second}
        ),
    )


def _notes(before: Report, after: Report) -> list[str]:
    notes = []
    if before.data.pairs.sha256 != after.data.pairs.sha256:
        notes.append("the pairs differ, so accuracy is not compared")
    if before.model.sha256 != after.model.sha256:
        notes.append(f"the model differs: {before.model.name} and {after.model.name}")
    if before.data.calibration.sha256 != after.data.calibration.sha256:
        notes.append("the calibration faces differ")
    if (before.host.cpu, before.host.machine) != (after.host.cpu, after.host.machine):
        notes.append(f"the hosts differ ({before.host.cpu} and {after.host.cpu}), so milliseconds do not compare")
    packages = sorted({*before.tool.packages, *after.tool.packages})
    notes += [
        f"{name} {before.tool.packages.get(name, 'absent')} → {after.tool.packages.get(name, 'absent')}"
        for name in packages
        if before.tool.packages.get(name) != after.tool.packages.get(name)
    ]
    if before.tool.version != after.tool.version:
        notes.append(f"{after.tool.name} {before.tool.version} → {after.tool.version}")
    return notes


def _variant_change(
    name: str, before: Variant | None, after: Variant | None, columns: list[_Column], report: Report
) -> VariantChange:
    changes: list[Change] = []
    if before is not None and after is not None and before.status is after.status is Status.OK:
        found = [_change(column, before, after, report) for column in columns]
        changes = [change for change in found if change is not None]
    return VariantChange(
        variant=name,
        before="absent" if before is None else before.status.value,
        after="absent" if after is None else after.status.value,
        changes=tuple(changes),
    )


def _change(column: _Column, before: Variant, after: Variant, report: Report) -> Change | None:
    rule = Rule(metric=column.metric, variants=("*",), far=column.far, min=0)
    old, new = measure(rule, before, ()), measure(rule, after, report.variants)
    if old is None or new is None:
        return None
    change = Change(
        title=column.title,
        before=old.value * column.scale,
        after=new.value * column.scale,
        digits=column.digits,
        trend=Trend.WITHIN_NOISE,
    )
    visible = round(change.after - change.before, column.digits) != 0
    return change.model_copy(update={"trend": _trend(column, before, after, report)}) if visible else change


def _trend(column: _Column, before: Variant, after: Variant, report: Report) -> Trend:
    if column.judged_by is None:
        return Trend.WITHIN_NOISE
    rule = Rule(metric=column.judged_by, variants=("*",), far=column.far, min=0, relative_to=RelativeTo.BASELINE)
    moved = measure(rule, after, report.variants, before)
    if moved is None:
        return Trend.WITHIN_NOISE
    unmoved = 1.0 if column.judged_by in AS_RATIO else 0.0
    low, high = moved.interval or (moved.value, moved.value)
    if low <= unmoved <= high:
        return Trend.WITHIN_NOISE
    return Trend.BETTER if (low > unmoved) == column.higher_is_better else Trend.WORSE


def cell(change: Change) -> str:
    """Write `98.72 → 98.50`, or one figure where both are written alike."""
    before, after = f"{change.before:,.{change.digits}f}", f"{change.after:,.{change.digits}f}"
    return after if before == after else f"{before} → {after}"


def titles(compared: Difference) -> list[str]:
    """Columns that at least one variant fills, in their order."""
    present = {change.title for variant in compared.variants for change in variant.changes}
    return [column.title for column in _COLUMNS if column.title in present]


def cells(variant: VariantChange, columns: list[str]) -> list[Change | None]:
    """One variant's changes in the order of `columns`."""
    by_title = {change.title: change for change in variant.changes}
    return [by_title.get(title) for title in columns]


def state(variant: VariantChange) -> str:
    """Write whether a variant is in both runs."""
    return variant.after if variant.before == variant.after else f"{variant.before} → {variant.after}"
