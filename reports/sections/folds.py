"""Drop by fold: whether a loss is everywhere or in a few pairs."""

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Cell, Column, Layout, Note, Table
from ghostface_edge.reports.section import Findings, Section


def folds(findings: Findings) -> Section | None:
    """A row per variant, a column per fold of View 2."""
    folded = [variant for variant in findings.report.local_variants if variant.fold_drops_pp]
    if not folded:
        return None
    count, pairs = len(folded[0].fold_drops_pp), findings.report.data.pairs.count
    columns: tuple[Column | str, ...] = (Column("Variant"), *(f"{fold + 1}" for fold in range(count)))
    rows: list[tuple[Cell | str, ...]] = [
        (variant.id, *(wording.loss(drop) for drop in variant.fold_drops_pp)) for variant in folded
    ]
    reading = (
        f"Percentage points against the reference; a fold of {pairs // count} pairs moves in steps of "
        f"{100 * count / pairs:.2f} pp."
    )
    blocks = (Table(columns, rows, Layout.HEAT), Note(reading, soft=True))
    return Section("folds", "Drop by fold", blocks)
