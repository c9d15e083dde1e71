"""What became of a matrix so far, written beside its cells whenever one has ended."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ghostface_edge.pipeline.matrix.cells import PlannedCell
from ghostface_edge.pipeline.matrix.graph import PlannedTask
from ghostface_edge.pipeline.matrix.work import Done
from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.matrix.record import FILE, Cell, CellStatus, MatrixReport, Task, report_of
from ghostface_edge.reports.provenance import Tool
from ghostface_edge.reports.write import write_text

_WRITING_SHARE = 0.05
"""Of the time: the record of thousands of cells is not written after each of them."""


@dataclass(slots=True)
class Ledger:
    """The record while it grows.

    Args:
        out: folder of the matrix.
        cells: all that are planned.
        tool, plan, plan_sha256, policy: see `MatrixReport`.
    """

    out: Path
    cells: tuple[PlannedCell, ...]
    tool: Tool
    plan: str
    plan_sha256: str
    policy: str
    ended: dict[str, Cell] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    _written: float = 0.0
    _took: float = 0.0

    def take_over(self, earlier: MatrixReport) -> None:
        """Keep what an earlier, ended matrix in the same folder did for the same cells."""
        planned = {cell.id for cell in self.cells}
        for cell in earlier.cells:
            whole = cell.status is CellStatus.OK and (self.out / report_of(cell.id)).is_file()
            if cell.id in planned and whole:
                self.ended[cell.id] = cell
        self.tasks = {task.key: task for task in earlier.tasks}

    @property
    def left(self) -> tuple[PlannedCell, ...]:
        """Cells that have not ended."""
        return tuple(cell for cell in self.cells if cell.id not in self.ended)

    def note_task(self, task: PlannedTask, done: Done) -> None:
        """A task was done."""
        earlier = self.tasks.get(task.key)
        if earlier is not None and earlier.made and not done.made:
            return  # found in the store: what it took to make it is what is worth keeping
        self.tasks[task.key] = Task(
            key=task.key,
            stage=task.stage,
            start=done.start,
            end=max(done.start, done.end),
            worker=done.worker,
            dependencies=task.dependencies,
            made=done.made,
            bytes=done.bytes,
        )

    def note_cell(self, cell: PlannedCell, done: Done, *, timed_alone: bool) -> Cell:
        """A cell has a report, or an error of ours in its place."""
        seconds = max(0.0, done.end - done.start)
        if done.error is not None or done.verdict is None:
            return self.note_failure(cell, done.error or "it has no verdict", seconds=seconds, where=done.worker)
        self.ended[cell.id] = Cell(
            id=cell.id,
            axes=cell.axes,
            status=CellStatus.OK,
            report=report_of(cell.id),
            verdict=done.verdict,
            exit_code=done.exit_code,
            seconds=seconds,
            where=done.worker,
            timed_alone=timed_alone,
        )
        return self.ended[cell.id]

    def note_failure(self, cell: PlannedCell, error: str, *, seconds: float = 0.0, where: str | None = None) -> Cell:
        """A cell has no report."""
        self.ended[cell.id] = Cell(
            id=cell.id,
            axes=cell.axes,
            status=CellStatus.FAILED,
            error=error,
            exit_code=ExitCode.TOOL_FAILED,
            seconds=seconds,
            where=where,
        )
        return self.ended[cell.id]

    def report(self) -> MatrixReport:
        """As it is now."""
        return MatrixReport(
            tool=self.tool,
            plan=self.plan,
            plan_sha256=self.plan_sha256,
            policy=self.policy,
            planned=len(self.cells),
            cells=tuple(self.ended[cell.id] for cell in self.cells if cell.id in self.ended),
            tasks=tuple(self.tasks.values()),
        )

    def write(self, *, now: bool = False) -> None:
        """Write matrix.json, if that takes no more than its share of the time."""
        started = time.monotonic()
        if now or (started - self._written) * _WRITING_SHARE >= self._took:
            write_text(self.out / FILE, self.report().to_json())
            self._written = time.monotonic()
            self._took = self._written - started


def seconds_by_stage(tasks: Iterable[Task]) -> Mapping[str, float]:
    """Mean time of each stage where it was made and not found."""
    taken: dict[str, list[float]] = {}
    for task in tasks:
        if task.made:
            taken.setdefault(task.stage, []).append(task.seconds)
    return {stage: sum(each) / len(each) for stage, each in taken.items()}
