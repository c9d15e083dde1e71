"""What a matrix took: the work of each stage, and how much of it was done at once or was there before."""

from collections.abc import Iterable, Sequence
from typing import Final

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Column, Note, Reach, Table
from ghostface_edge.reports.matrix.record import Task
from ghostface_edge.reports.section import Section

_UNSTORED: Final = "faces"
"""The stage whose outcome lies on each worker's disk and in no store."""
_READING: Final = (
    "Work is the time of all tasks, added up; the speed-up is that over the time in which at least one ran. Found in "
    "the store is what had been made before, by whatever run; decoded faces are kept by no store."
)


def work(tasks: Sequence[Task]) -> Section | None:
    """A row for each stage; None where nothing ran."""
    if not tasks:
        return None
    stages = list(dict.fromkeys(task.stage for task in tasks))
    rows = [_row(stage, [task for task in tasks if task.stage == stage]) for stage in stages]
    heads = (Column("Stage"), "Tasks", "Found in the store", "Work, s", "Mean, s", "Longest, s", "Made, MB")
    table = Table(heads, [*rows, *([_row("all", tasks)] if len(rows) > 1 else [])])
    blocks = (Note(f"{in_words(tasks)}.", reach=Reach.COMMENT), table, Note(_READING, soft=True))
    return Section("work", "Work", blocks)


def in_words(tasks: Sequence[Task]) -> str:
    """One line: how much, how much at once, how much was there before."""
    total, during = sum(task.seconds for task in tasks), _seconds_of_any(tasks)
    workers = len({task.worker for task in tasks})
    stored = [task for task in tasks if task.stage != _UNSTORED]
    at_once = f", speed-up {total / during:.2f}" if during else ""
    found = f"{_found(tasks):,} of {wording.count(len(stored), 'task')} found in the store"
    return f"{total:,.0f} s of work in {during:,.0f} s on {wording.count(workers, 'worker')}{at_once}; {found}"


def _row(stage: str, tasks: Sequence[Task]) -> list[str]:
    total = sum(task.seconds for task in tasks)
    return [
        stage,
        f"{len(tasks):,}",
        wording.MISSING if stage == _UNSTORED else f"{_found(tasks):,}",
        f"{total:,.1f}",
        f"{total / len(tasks):,.1f}",
        f"{max(task.seconds for task in tasks):,.1f}",
        f"{sum(task.bytes for task in tasks) / 1e6:,.1f}",
    ]


def _found(tasks: Iterable[Task]) -> int:
    return sum(not task.made for task in tasks if task.stage != _UNSTORED)


def _seconds_of_any(tasks: Iterable[Task]) -> float:
    """How long at least one ran; a pause before `--resume` does not count."""
    seconds, until = 0.0, 0.0
    for task in sorted(tasks, key=lambda each: each.start):
        seconds += max(0.0, task.end - max(task.start, until))
        until = max(until, task.end)
    return seconds
