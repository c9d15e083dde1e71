"""Progress of a long job: bars with time left on a terminal, lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich import progress as rich_progress
from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ghostface_edge.pipeline.support import messages
from ghostface_edge.reports.printable import printable

Advance = Callable[[int], None]
Steps = Callable[[str, float], None]
_COLUMNS = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())


def so_far(advance: Advance) -> Callable[[int, int], None]:
    """For work that tells how many units are done so far, and of how many."""
    told = 0

    def tell(done: int, _total: int) -> None:
        nonlocal told
        advance(done - told)
        told = done

    return tell


class Progress:
    """Tells the user which stage runs and how far it is.

    Args:
        file: for the lines that it says, as people read them; the program's messages if None.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file
        self._console = Console(stderr=True, highlight=False)

    def say(self, text: str, **facts: object) -> None:
        """One line that stays; with facts for what reads logs."""
        if self._file is None:
            messages.say(text, **facts)
        else:
            print(printable(text), file=self._file, flush=True)

    def warn(self, text: object) -> None:
        """One line on what may be other than was meant."""
        if self._file is None:
            messages.warn(text)
        else:
            self.say(f"warning: {text}")

    @contextmanager
    def stage(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """Announce a stage; the block calls what it is given with the number of units done since."""
        started = time.monotonic()
        with self._bars() as bars:
            if bars is None:
                yield lambda _units: None
            else:
                task = bars.add_task(printable(title), total=total)
                yield lambda units: bars.advance(task, units)
        self._end(title, started, stage=title)

    @contextmanager
    def steps(self, title: str) -> Iterator[Steps]:
        """Announce a job of several steps; the block calls what it is given with a step and the share of it done."""
        started = time.monotonic()
        begun: dict[str, float] = {}
        ended: set[str] = set()
        tasks: dict[str, TaskID] = {}
        with self._bars() as bars:

            def update(step: str, share: float) -> None:
                began = begun.setdefault(step, time.monotonic())
                if bars is not None:
                    if step not in tasks:
                        tasks[step] = bars.add_task(printable(f"{title}: {step}"), total=1.0)
                    bars.update(tasks[step], completed=share)
                if share >= 1.0 and step not in ended:
                    ended.add(step)
                    self._end(f"{title}: {step}", began, stage=title, step=step)

            yield update
        self._end(title, started, stage=title)

    def _end(self, what: str, started: float, **facts: str) -> None:
        seconds = time.monotonic() - started
        self.say(f"{what} · {seconds:.1f} s", **facts, seconds=round(seconds, 3))

    @contextmanager
    def _bars(self) -> Iterator[rich_progress.Progress | None]:
        """Bars on a terminal that takes them, which are gone at the end; None elsewhere."""
        if self._file is not None or not messages.may_draw():
            yield None
            return
        with rich_progress.Progress(*_COLUMNS, console=self._console, transient=True) as bars:
            yield bars
