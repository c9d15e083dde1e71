"""Small matrices whose cells have real reports."""

from pathlib import Path

from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.matrix.record import Axes, Cell, CellStatus, MatrixReport, Task
from ghostface_edge.reports.provenance import Tool
from ghostface_edge.reports.report import Report


def ran(name: str, report: Report, folder: Path, *, checkpoint: str = "net.h5") -> Cell:
    """A cell with this report in the folder."""
    path = folder / "cells" / name / "report.json"
    path.parent.mkdir(parents=True)
    path.write_text(report.to_json())
    return Cell(
        id=name,
        axes=Axes(checkpoint=checkpoint, recipe="balanced", targets=("onnxruntime-int8",), pairs=("sets/lfw.bin",)),
        status=CellStatus.OK,
        report=f"cells/{name}/report.json",
        verdict=report.gate.verdict,
        exit_code=ExitCode.PASS,
        seconds=3.5,
        timed_alone=True,
    )


def died(name: str, error: str) -> Cell:
    """A cell without one."""
    axes = Axes(checkpoint="net.h5", recipe="fast", targets=("tflite-int8",))
    return Cell(id=name, axes=axes, status=CellStatus.FAILED, error=error, exit_code=ExitCode.TOOL_FAILED)


def task(stage: str, start: float, end: float, worker: str, *made: str) -> Task:
    """A step with what it made."""
    return Task(key=f"{stage}-{start}", stage=stage, start=start, end=end, worker=worker, made=made, bytes=len(made))


def matrix_of(*cells: Cell, planned: int | None = None, tasks: tuple[Task, ...] = ()) -> MatrixReport:
    """The record of cells."""
    return MatrixReport(
        tool=Tool(version="1"),
        plan="plans/nightly.yaml",
        plan_sha256="0" * 64,
        policy="default",
        planned=len(cells) if planned is None else planned,
        cells=cells,
        tasks=tasks,
    )
