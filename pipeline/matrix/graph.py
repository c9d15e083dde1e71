"""The tasks of a matrix: the steps of its cells, each once however many need it, and the cells.

In: cells. Out: tasks with their dependencies, in an order in which they could run. A step's key is its name and what it
is made of, so that equal work of two cells is one task.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final

from ghostface_edge.pipeline.matrix.cells import PlannedCell
from ghostface_edge.pipeline.quantize.options import LimitOptions
from ghostface_edge.pipeline.run.steps import BuildVariant, Step, Steps, needs, steps_of
from ghostface_edge.reports.errors import InputError

CELL: Final = "cell"


@dataclass(frozen=True, slots=True)
class StepWork:
    """What a task of a step is given."""

    step: Step[object]
    cores: int
    limits: LimitOptions
    """Of the first recipe that needs it: they decide no outcome."""


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """One step, or one cell."""

    key: str
    stage: str
    work: StepWork | PlannedCell
    dependencies: tuple[str, ...]
    is_timed: bool
    """Whether it wants a machine that does nothing else."""
    boards: tuple[str, ...] = ()
    """That it wants for itself."""


def tasks_of(cells: Iterable[PlannedCell]) -> tuple[PlannedTask, ...]:
    """The tasks of cells, those first that others need."""
    tasks: dict[object, PlannedTask] = {}
    for cell in cells:
        own = _Adder(tasks, cell)
        steps = steps_of(cell.job)
        dependencies = tuple(dict.fromkeys(own.add(step) for step in _worth_a_task(steps)))
        tasks[cell.id] = PlannedTask(f"{CELL}-{cell.id}", CELL, cell, dependencies, True, cell.boards)
    return tuple(tasks.values())


def _worth_a_task(steps: Steps) -> Iterable[Step[object]]:
    for field in fields(steps):
        value = getattr(steps, field.name)
        for each in value if isinstance(value, tuple) else (value,):
            if each is not None and not each.is_light:
                yield each


@dataclass(frozen=True, slots=True)
class _Adder:
    tasks: dict[object, PlannedTask]
    cell: PlannedCell

    def add(self, step: Step[object]) -> str:
        """The key of a step, whose task is added, with what it needs, if it is not there yet."""
        if step not in self.tasks:
            dependencies = tuple(dict.fromkeys(self.add(each) for each in needs(step)))
            key = f"{step.name}-{hashlib.sha256(repr(step).encode()).hexdigest()[:16]}"
            work = StepWork(step, self.cell.job.cores, self.cell.job.recipe.limits)
            self.tasks[step] = PlannedTask(key, step.name, work, dependencies, _is_timed(step))
        return self.tasks[step].key


def _is_timed(step: Step[object]) -> bool:
    """Whether the clock decides what comes of it."""
    return isinstance(step, BuildVariant) and step.quantize is not None and step.quantize.recipe.latency is not None


def resources_of(task: PlannedTask, offered: Iterable[frozenset[str]]) -> dict[str, float]:
    """What a task needs of its worker: its boards, and `quiet` if a worker that has them offers that, too.

    Args:
        task: which.
        offered: by each worker.

    Raises:
        InputError: no worker has its boards, so that it would wait for ever.
    """
    boards = frozenset(f"board:{name}" for name in task.boards)
    able = [names for names in offered if boards <= names]
    if not able:
        named = ", ".join(sorted(boards))
        raise InputError(
            f"no worker offers {named}",
            fix=f'start one with `dask worker … --resources "{" ".join(f"{one}=1" for one in sorted(boards))}"`',
        )
    wanted = boards | {"quiet"} if task.is_timed and any("quiet" in names for names in able) else boards
    return dict.fromkeys(sorted(wanted), 1.0)
