"""A plan in, a report of its own for every cell out, and the record over all of them."""

import datetime
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ghostface_edge.pipeline.matrix.cells import PlannedCell
from ghostface_edge.pipeline.matrix.cluster import (
    LOCAL,
    dashboard_of,
    how_a_worker_ended,
    offered_by,
    open_cluster,
)
from ghostface_edge.pipeline.matrix.estimate import expected_seconds, spoken
from ghostface_edge.pipeline.matrix.graph import CELL, PlannedTask, resources_of, tasks_of
from ghostface_edge.pipeline.matrix.ledger import Ledger, seconds_by_stage
from ghostface_edge.pipeline.matrix.work import Done, Terms, work
from ghostface_edge.pipeline.support.code_version import code_version
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.reports.matrix.record import FILE, MatrixReport
from ghostface_edge.reports.provenance import Tool
from ghostface_edge.targets.requirements import versions

if TYPE_CHECKING:
    from distributed import Client, Future

_STATUS_S: Final = 10.0
"""Between two lines on what runs where."""
_PACKAGES: Final = ("dask", "distributed")


@dataclass(frozen=True, slots=True)
class Where:
    """The cluster."""

    address: str = LOCAL
    """Or `local`, or a YAML file for dask-jobqueue."""
    workers: int = 1
    """Where they are started from here."""


def begin(plan: Path, cells: tuple[PlannedCell, ...], out: Path, *, resume: bool) -> Ledger:
    """The record to go on with.

    Raises:
        InputError: the folder holds a matrix and is not to be gone on with, or holds another one.
    """
    moment = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    tool = Tool(version=version("ghostface-edge"), packages=versions(_PACKAGES), started=moment)
    ledger = Ledger(out, cells, tool, str(plan), file_sha256(plan), cells[0].job.policy.name)
    if os.path.lexists(out / FILE):
        if not resume:
            raise InputError(f"{out} holds a matrix", fix="go on with it by --resume, or name another folder")
        ledger.take_over(MatrixReport.read(out / FILE))
    return ledger


def run_matrix(ledger: Ledger, where: Where, progress: Progress) -> MatrixReport:
    """Run every cell that has not ended.

    Args:
        ledger: of `begin`.
        where: the cluster.
        progress: told what is done, where, and how long it may take.

    Raises:
        InputError: there is no such cluster, or no worker with a board that a cell needs.
        RuntimeMissingError: Dask is not installed.
        ToolError: the scheduler was lost.
    """
    started = time.monotonic()
    tasks = tasks_of(ledger.left)
    cells = sum(task.stage == CELL for task in tasks)
    boards = sorted({board for task in tasks for board in task.boards})
    ledger.write(now=True)
    if tasks:
        with open_cluster(where.address, where.workers, boards) as client:
            progress.say(
                f"{cells} cells in {len(tasks)} tasks on {client.scheduler_info()['address']}; {dashboard_of(client)}"
            )
            with progress.stage(f"{cells} cells", cells) as advance:
                for ended in _Running(client, ledger, tasks, progress).cells():
                    advance(ended)
    ledger.tool = ledger.tool.model_copy(update={"seconds": round(time.monotonic() - started, 1)})
    ledger.write(now=True)
    return ledger.report()


class _Running:
    """Tasks that were given to a cluster, and what comes back."""

    def __init__(self, client: "Client", ledger: Ledger, tasks: Sequence[PlannedTask], progress: Progress) -> None:
        self.client, self.ledger, self.progress = client, ledger, progress
        self.tasks = {task.key: task for task in tasks}
        self.left = dict(self.tasks)
        self.cell_count = sum(task.stage == CELL for task in tasks)
        offered = offered_by(client)
        self.resources = {task.key: resources_of(task, offered) for task in tasks}
        self.ended = 0
        self._told = 0.0

    def cells(self) -> Iterable[int]:
        """1 for every cell that ends.

        Raises:
            ToolError: the scheduler was lost.
        """
        from distributed import as_completed

        futures = submit(self.client, self.tasks.values(), self.resources, self.ledger.out)
        for future, result in as_completed(futures, loop=self.client.loop, with_results=True, raise_errors=False):
            if future.status in {"cancelled", "lost"}:
                raise ToolError("the scheduler was lost", fix="start it again, and go on with --resume")
            task = self.left.pop(future.key)
            failed = future.status == "error"
            if not failed:
                self.ledger.note_task(task, result)
            if isinstance(task.work, PlannedCell):
                self._end(task, task.work, result, failed=failed)
                yield 1
            future.release()
            self._tell()

    def _end(self, task: PlannedTask, cell: PlannedCell, result: Any, *, failed: bool) -> None:
        if failed:
            ended = self.ledger.note_failure(cell, self._why(result[1]))
        else:
            alone = "quiet" in self.resources[task.key]
            ended = self.ledger.note_cell(cell, result, timed_alone=alone)
        self.ledger.write()
        self.ended += 1
        outcome = f"failed: {ended.error}" if ended.verdict is None else str(ended.verdict)
        self.progress.say(f"[{self.ended}/{self.cell_count}] {cell.id}: {outcome} · {ended.seconds:.1f} s")

    def _why(self, error: BaseException) -> str:
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            times = error.allowed_failures + 1
            return f"the task {error.task} ended {times} workers: {how_a_worker_ended(self.client)}"
        return f"{type(error).__name__}: {error}"

    def _tell(self) -> None:
        """What runs where, and how long it may still take, now and then."""
        if time.monotonic() - self._told < _STATUS_S or not self.left:
            return
        self._told = time.monotonic()
        running = {worker: keys for worker, keys in self.client.processing().items() if keys}
        shown = "; ".join(f"{worker}: {keys[0]}" for worker, keys in sorted(running.items())[:4])
        known = seconds_by_stage(self.ledger.tasks.values())
        seconds = expected_seconds(self.left.values(), known, max(1, len(self.client.nthreads())))
        self.progress.say(f"running: {shown or 'nothing yet'}; about {spoken(seconds)} left")


def submit(
    client: "Client", tasks: Iterable[PlannedTask], resources: Mapping[str, Mapping[str, float]], out: Path
) -> "list[Future[Done]]":
    """Give a cluster tasks, all at once; their values are `Done`."""
    from dask._task_spec import Task, TaskRef

    code, graph = code_version(), {}
    terms = {alone: Terms(out.absolute(), code, beside_other_work=not alone) for alone in (True, False)}
    for task in tasks:
        told = terms["quiet" in resources[task.key]]
        graph[task.key] = Task(task.key, work, task.key, task.work, told, *map(TaskRef, task.dependencies))
    futures: list[Future[Done]] = client.get(graph, list(graph), sync=False, resources=_Resources(resources))
    return futures


@dataclass(frozen=True, slots=True)
class _Resources:
    """By task; Dask's annotations may be functions of the key."""

    by_key: Mapping[str, Mapping[str, float]]

    def __call__(self, key: str) -> Mapping[str, float]:
        return self.by_key[key]
