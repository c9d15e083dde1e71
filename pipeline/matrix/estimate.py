"""What a matrix would take, before it is run: what the store holds already, and seconds for the rest."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ghostface_edge.pipeline.matrix.cells import PlannedCell
from ghostface_edge.pipeline.matrix.graph import CELL, PlannedTask, StepWork, tasks_of
from ghostface_edge.pipeline.matrix.ledger import Ledger, seconds_by_stage
from ghostface_edge.pipeline.matrix.schedule import makespan
from ghostface_edge.pipeline.matrix.stores import NotThere, PeekStore
from ghostface_edge.pipeline.run.steps import Bench
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store

DEFAULT_SECONDS: Final = MappingProxyType(
    {"faces": 2.0, "export": 10.0, "reference": 60.0, "quantize": 200.0, "variant": 60.0, CELL: 30.0}
)
"""Of a task that nothing is known of: V1-0.5-2 on LFW's 6,000 pairs, on one core, roughly."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What there is to do."""

    tasks: tuple[PlannedTask, ...]
    cached: frozenset[str]
    """Keys of steps whose outcome is in the store."""
    workers: int
    seconds: float
    """That the rest may take on so many."""
    guessed: tuple[str, ...]
    """Stages whose time is a default, because no earlier task tells it."""
    ended: tuple[str, ...] = ()
    """Cells that an earlier start of the same matrix finished."""

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "cells": [{"id": name, "ended": True} for name in self.ended]
            + [
                {"id": cell.id, "ended": False, **cell.axes.model_dump(mode="json"), "missing": missing}
                for cell, missing in self._cells()
            ],
            "tasks": len(self.tasks),
            "cached": sorted(self.cached),
            "workers": self.workers,
            "seconds": round(self.seconds, 1),
            "guessed": list(self.guessed),
        }

    def as_lines(self) -> Iterator[str]:
        """For people."""
        for name in self.ended:
            yield f"{name}: ended"
        for cell, missing in self._cells():
            yield f"{cell.id}: " + (f"to make: {', '.join(missing)}" if missing else "all in the store but its report")
        steps = [task for task in self.tasks if task.stage != CELL]
        cells = len(self.tasks) - len(steps)
        yield f"{cells} cells to run; {len(self.cached)} of the {len(steps)} steps before them are cached here"
        basis = f"guessed for {', '.join(self.guessed)}" if self.guessed else "by this matrix's earlier tasks"
        yield f"about {spoken(self.seconds)} on {self.workers} workers ({basis})"

    def _cells(self) -> Iterator[tuple[PlannedCell, list[str]]]:
        """Each with the steps that it still waits for."""
        for task in self.tasks:
            if isinstance(task.work, PlannedCell):
                missing = [key for key in task.dependencies if key not in self.cached]
                yield task.work, sorted({key.rsplit("-", 1)[0] for key in missing})


def look_ahead(ledger: Ledger, workers: int) -> Preview:
    """What a matrix still has to do; nothing is written but logs of what reads faces, which go."""
    with Store().scratch() as logs:
        tasks = tasks_of(ledger.left)
        found = preview(tasks, seconds_by_stage(ledger.tasks.values()), workers, logs)
    return replace(found, ended=tuple(ledger.ended))


def preview(tasks: Sequence[PlannedTask], known: Mapping[str, float], workers: int, logs: Path) -> Preview:
    """Look into this machine's store, step by step, and make nothing.

    Args:
        tasks: in the order of `tasks_of`.
        known: seconds by stage of earlier tasks.
        workers: that would share the work.
        logs: folder for what children print that read faces.

    Raises:
        InputError: faces cannot be used.
    """
    cached: set[str] = set()
    steps = [(task, task.work) for task in tasks if isinstance(task.work, StepWork)]
    needed = {key for task, _ in steps for key in task.dependencies}
    cores = max((work.cores for _, work in steps), default=1)
    with Bench(StageContext(PeekStore(), logs, Progress(io.StringIO()), cores)) as bench:
        for task, work in steps:
            if not cached.issuperset(task.dependencies):
                continue
            try:
                bench.take(work.step)
            except NotThere:
                continue
            cached.add(task.key)
            if task.key not in needed:
                del bench.taken[work.step]  # the embeddings of thousands
    left = [task for task in tasks if task.key not in cached]
    guessed = tuple(dict.fromkeys(task.stage for task in left if task.stage not in known))
    return Preview(tuple(tasks), frozenset(cached), workers, expected_seconds(left, known, workers), guessed)


def expected_seconds(tasks: Iterable[PlannedTask], known: Mapping[str, float], workers: int) -> float:
    """Seconds that tasks may take on so many workers, by the mean of earlier tasks of their stages."""
    listed = tuple(tasks)
    seconds = {task.key: known.get(task.stage, DEFAULT_SECONDS[task.stage]) for task in listed}
    return makespan(seconds, {task.key: task.dependencies for task in listed}, workers)


def spoken(seconds: float) -> str:
    """A duration for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
