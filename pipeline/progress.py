"""What a long job says while it runs: bars with time left on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

Advance = Callable[[int], None]


class Narrator:
    """Tells the user which stage runs and how far it is. Everything goes to standard error."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """One line that stays."""
        self._console.print(text, markup=False)

    @contextmanager
    def stage(self, title: str, total: int | None = None) -> Iterator[Advance]:
        """Announce a stage; the block calls what it is given with the number of units done since."""
        started = time.monotonic()
        if self._console.is_terminal:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            with Progress(*columns, console=self._console, transient=True) as progress:
                task = progress.add_task(title, total=total)
                yield lambda units: progress.advance(task, units)
        else:
            yield lambda _units: None
        self.say(f"{title} · {time.monotonic() - started:.1f} s")
        sys.stderr.flush()
