"""What a matrix's cells found: of each report the figures that the page compares, and nothing else of it.

In: the record and its folder. Out: `Results`. Reports are read one after another, since all at once may be gigabytes.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from ghostface_edge.reports import wording
from ghostface_edge.reports.devices import LOCAL
from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.matrix.record import Cell, CellStatus, MatrixReport
from ghostface_edge.reports.measured import measure
from ghostface_edge.reports.measurement import Measurement
from ghostface_edge.reports.policy import Metric, Rule
from ghostface_edge.reports.printable import shortened
from ghostface_edge.reports.recommend import Considered, considered
from ghostface_edge.reports.renderings.junit import suite_of, suite_of_error
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.variant import Status, Variant
from ghostface_edge.reports.verdicts import Verdict

_RULES: Final = {
    metric: Rule.model_validate({"metric": metric, "variants": "*", "min": 0, **more})
    for metric, more in (
        *((each, {}) for each in (Metric.ACCURACY, Metric.DROP, Metric.LATENCY_RATIO, Metric.P50_MS, Metric.BYTES)),
        (Metric.FNMR_RISE, {"fmr": "0.0001"}),
    )
}
_LONGEST: Final = 200
"""Characters of a reason; a cell's own report and junit.xml have all."""


@dataclass(frozen=True, slots=True)
class Row:
    """One variant of one cell in one place."""

    cell: Cell
    variant: str
    device: str
    place: str
    """The processor where it is a worker's own, else the device."""
    pairs: tuple[str, str]
    """Name and digest of what its accuracy is of."""
    verdict: Verdict | None = None
    """Of its own checks; None where it has no figures, or nothing judged it."""
    why: str = ""
    """What speaks against it."""
    decides: bool = True
    """Whether it would ship, and is not there for comparison."""
    figures: Mapping[Metric, Measurement] | None = None
    """None where it failed or was skipped."""

    def figure(self, metric: Metric) -> Measurement | None:
        """One of its figures."""
        return None if self.figures is None else self.figures.get(metric)


@dataclass(frozen=True, slots=True)
class Results:
    """A matrix with what its cells found."""

    matrix: MatrixReport
    """A cell whose report cannot be used has failed in here."""
    rows: Sequence[Row]
    files: Mapping[str, Sequence[Considered]]
    """By place; a file's name begins with its cell's."""
    suites: Sequence[ET.Element]
    """Of JUnit, by cell."""

    @property
    def failed(self) -> list[Cell]:
        """Cells without a report."""
        return [cell for cell in self.matrix.cells if cell.status is CellStatus.FAILED]


def read_results(matrix: MatrixReport, folder: Path) -> Results:
    """Read the reports of all cells.

    Args:
        matrix: the record.
        folder: where it lies.
    """
    cells: list[Cell] = []
    rows: list[Row] = []
    files: dict[str, list[Considered]] = defaultdict(list)
    suites = []
    for recorded in matrix.cells:
        cell, report = _read(recorded, folder)
        cells.append(cell)
        if report is None:
            suites.append(suite_of_error(cell.id, cell.error or ""))
            continue
        suites.append(suite_of(report, cell.id))
        own = [_row(cell, report, variant) for variant in report.variants]
        rows += own
        for device in dict.fromkeys(row.device for row in own):
            files[_place(report, device)] += [_of_cell(cell, file) for file in considered(report, device)]
    return Results(matrix.model_copy(update={"cells": tuple(cells)}), rows, files, suites)


def _read(cell: Cell, folder: Path) -> tuple[Cell, Report | None]:
    """A cell with its report; as a failed one where that is not what the record says."""
    if cell.report is None:
        return cell, None
    try:
        report = Report.read(folder / cell.report)
    except InputError as error:
        return _failed(cell, str(error)), None
    if report.gate.verdict is not cell.verdict:
        return _failed(cell, f"its report says {report.gate.verdict}, the record {cell.verdict}"), None
    return cell, report


def _failed(cell: Cell, error: str) -> Cell:
    changed = {"status": CellStatus.FAILED, "error": error, "report": None, "verdict": None}
    return cell.model_copy(update={**changed, "exit_code": ExitCode.TOOL_FAILED})


def _place(report: Report, device: str) -> str:
    return report.host.cpu if device == LOCAL else device


def _row(cell: Cell, report: Report, variant: Variant) -> Row:
    device = variant.device or LOCAL
    where = (cell, variant.local_id, device, _place(report, device))
    pairs = (report.data.pairs.name, report.data.pairs.sha256)
    if variant.status is not Status.OK:
        return Row(*where, pairs, why=shortened(wording.without_figures(variant), _LONGEST))
    found = {metric: measure(rule, variant, report.variants) for metric, rule in _RULES.items()}
    return Row(
        *where,
        pairs,
        wording.verdict_of(report, variant),
        shortened(wording.objections(report, variant), _LONGEST),
        not wording.is_comparison(report, variant),
        {metric: figure for metric, figure in found.items() if figure is not None},
    )


def _of_cell(cell: Cell, file: Considered) -> Considered:
    path = None if file.path is None else f"{Path(cell.report or '').parent.as_posix()}/{file.path}"
    return file.model_copy(update={"variant": f"{cell.id}/{file.variant}", "path": path})
