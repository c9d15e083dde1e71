"""matrix.json: read as it was written, refused where it contradicts itself; the exit code of all cells."""

from pathlib import Path

import pytest

from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.matrix.record import Axes, Cell, CellStatus, MatrixReport, Task
from ghostface_edge.reports.provenance import Tool
from ghostface_edge.reports.verdicts import Verdict

AXES = Axes(checkpoint="net.h5", recipe="balanced", targets=("tflite-int8",))
VERDICTS = {
    ExitCode.PASS: Verdict.PASS,
    ExitCode.GATE_FAILED: Verdict.FAIL,
    ExitCode.TOOL_FAILED: Verdict.FAIL,
    ExitCode.INCONCLUSIVE: Verdict.INCONCLUSIVE,
}


def _ran(name: str, code: ExitCode = ExitCode.PASS) -> Cell:
    return Cell(
        id=name,
        axes=AXES,
        status=CellStatus.OK,
        report=f"cells/{name}/report.json",
        verdict=VERDICTS[code],
        exit_code=code,
        seconds=3.5,
        where="tcp://host:1",
    )


def _died(name: str) -> Cell:
    return Cell(id=name, axes=AXES, status=CellStatus.FAILED, error="SIGSEGV", exit_code=ExitCode.TOOL_FAILED)


def _matrix(*cells: Cell, planned: int | None = None) -> MatrixReport:
    task = Task(key="cell-a", stage="cell", start=10.0, end=13.5, worker="tcp://host:1", dependencies=("export-1",))
    return MatrixReport(
        tool=Tool(version="1"),
        plan="plan.yaml",
        plan_sha256="0" * 64,
        policy="default",
        planned=len(cells) if planned is None else planned,
        cells=cells,
        tasks=(task,),
    )


def test_what_was_written_is_read(tmp_path: Path) -> None:
    matrix = _matrix(_ran("a"), _died("b"))
    path = tmp_path / "matrix.json"
    path.write_text(matrix.to_json())
    assert MatrixReport.read(path) == matrix
    assert matrix.tasks[0].seconds == 3.5


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('"status": "ok"', '"status": "failed"'), "cells.0"),
        (('"planned": 1', '"planned": 0'), "more than planned"),
        (('"seconds": 3.5', '"seconds": NaN'), "seconds"),
        (('"schema_version": 1', '"schema_version": 2'), "schema_version"),
        (('"id": "a"', '"id": "../a"'), "id"),
        (('"cells/a/report.json"', '"cells/b/report.json"'), "own folder"),
    ],
)
def test_what_contradicts_itself_is_refused_by_its_name(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    path = tmp_path / "matrix.json"
    text = _matrix(_ran("a")).to_json()
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises(InputError, match=named):
        MatrixReport.read(path)


def test_the_worst_cell_decides_how_all_ends() -> None:
    passed, failed, open_ = _ran("a"), _ran("b", ExitCode.GATE_FAILED), _ran("c", ExitCode.INCONCLUSIVE)
    assert _matrix(passed).exit_code is ExitCode.PASS
    assert _matrix(passed, open_).exit_code is ExitCode.INCONCLUSIVE
    assert _matrix(passed, open_, failed).exit_code is ExitCode.GATE_FAILED
    assert _matrix(passed, open_, failed, _ran("d", ExitCode.TOOL_FAILED)).exit_code is ExitCode.TOOL_FAILED
    assert _matrix(failed, _died("d")).exit_code is ExitCode.TOOL_FAILED


def test_a_matrix_that_has_not_ended_is_no_pass() -> None:
    assert _matrix(_ran("a"), planned=2).exit_code is ExitCode.INCONCLUSIVE
    assert _matrix(planned=0).exit_code is ExitCode.INCONCLUSIVE
