"""Progress of a long job: bars with time left on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich import progress as rich_progress
from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

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
        file: for what it says; standard error if None.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self._console = Console(file=file, stderr=file is None, highlight=False)

    def say(self, text: str) -> None:
        """One line that stays."""
        self._console.print(printable(text), markup=False, soft_wrap=True)

    @contextmanager
    def stage(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """Announce a stage; the block calls what it is given with the number of units done since."""
        started = time.monotonic()
        if self._console.is_terminal:
            with rich_progress.Progress(*_COLUMNS, console=self._console, transient=True) as bars:
                task = bars.add_task(printable(title), total=total)
                yield lambda units: bars.advance(task, units)
        else:
            yield lambda _units: None
        self.say(f"{title} · {time.monotonic() - started:.1f} s")
        sys.stderr.flush()

    @contextmanager
    def steps(self, title: str) -> Iterator[Steps]:
        """Announce a job of several steps; the block calls what it is given with a step and the share of it done."""
        started = time.monotonic()
        begun: dict[str, float] = {}
        with rich_progress.Progress(*_COLUMNS, console=self._console, transient=True) as bars:
            tasks: dict[str, TaskID] = {}

            def update(step: str, share: float) -> None:
                if step not in tasks:
                    begun[step] = time.monotonic()
                    tasks[step] = bars.add_task(
                        printable(f"{title}: {step}"), total=1.0, visible=self._console.is_terminal
                    )
                bars.update(tasks[step], completed=share)
                if share >= 1.0 and step in begun:
                    self.say(f"{title}: {step} · {time.monotonic() - begun.pop(step):.1f} s")

            yield update
        self.say(f"{title} · {time.monotonic() - started:.1f} s")
