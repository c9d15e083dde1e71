"""The record while it grows: what an earlier start did is kept, what it did not is left."""

from pathlib import Path

import pytest

from ghostface_edge.pipeline.matrix.cells import PlannedCell
from ghostface_edge.pipeline.matrix.graph import PlannedTask, tasks_of
from ghostface_edge.pipeline.matrix.ledger import Ledger, seconds_by_stage
from ghostface_edge.pipeline.matrix.work import Done
from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.matrix.record import FILE, CellStatus, MatrixReport
from ghostface_edge.reports.provenance import Tool
from ghostface_edge.reports.verdicts import Verdict

from .conftest import MakeCells


def _ledger(out: Path, cells: tuple[PlannedCell, ...]) -> Ledger:
    return Ledger(out, cells, Tool(version="1"), "plan.yaml", "0" * 64, "default")


def _done(*made: str, start: float = 10.0, **changed: object) -> Done:
    values = {"verdict": Verdict.PASS, "exit_code": ExitCode.PASS, **changed}
    return Done(start=start, end=start + 2, worker="tls://here", made=made, bytes=7 * len(made), **values)


@pytest.fixture
def two(make_cells: MakeCells) -> tuple[PlannedCell, ...]:
    return make_cells(seeds=(0, 1))


def test_what_ended_is_not_run_again_as_long_as_its_report_is_there(
    two: tuple[PlannedCell, ...], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = _ledger(out, two)
    first.note_cell(two[1], _done(), timed_alone=True)
    first.note_failure(two[0], "it died")
    first.write(now=True)
    written = MatrixReport.read(out / FILE)
    assert [cell.status for cell in written.cells] == [CellStatus.FAILED, CellStatus.OK]
    without_report = _ledger(out, two)
    without_report.take_over(written)
    assert without_report.left == two
    report = out / "cells" / two[1].id / "report.json"
    report.parent.mkdir(parents=True)
    report.touch()
    second = _ledger(out, two)
    second.take_over(written)
    assert second.left == two[:1]
    assert second.report().cells == written.cells[1:]
    another = _ledger(out, two[:1])
    another.take_over(written)
    assert another.report().cells == ()


def test_an_error_of_ours_is_a_failed_cell(two: tuple[PlannedCell, ...], tmp_path: Path) -> None:
    ledger = _ledger(tmp_path, two)
    cell = ledger.note_cell(two[0], _done(error="no faces (fix: name some)", verdict=None), timed_alone=True)
    assert (cell.status, cell.error, cell.where) == (CellStatus.FAILED, "no faces (fix: name some)", "tls://here")
    assert cell.seconds == 2
    assert ledger.report().exit_code is ExitCode.TOOL_FAILED


def test_a_task_is_as_long_as_it_took_to_make(two: tuple[PlannedCell, ...], tmp_path: Path) -> None:
    """A second start finds all in the store; that tells nothing of what the work takes."""
    ledger, (task, other) = _ledger(tmp_path, two), _exports(two)
    ledger.note_task(task, _done("export-1", start=10))
    ledger.note_task(task, _done(start=50))
    ledger.note_task(other, _done(start=60))
    assert [(one.start, one.bytes) for one in ledger.tasks.values()] == [(10, 7), (60, 0)]
    assert seconds_by_stage(ledger.tasks.values()) == {"export": 2}


def _exports(cells: tuple[PlannedCell, ...]) -> list[PlannedTask]:
    return [task for task in tasks_of(cells) if task.stage == "export"]
