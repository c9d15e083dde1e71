"""What verbs print: lines and tables, in which names of others are but names."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

from ghostface_edge.pipeline.support.messages import may_colour
from ghostface_edge.reports.json_text import to_json
from ghostface_edge.reports.printable import printable

if TYPE_CHECKING:
    from rich.console import Console


def say(text: object) -> None:
    """One line on standard output."""
    typer.echo(printable(text))


def say_json(content: object) -> None:
    """Data as they are, in ASCII, so that every terminal and every reader takes them."""
    typer.echo(json.dumps(json.loads(to_json(content)), indent=2))


def say_table(rows: Iterable[Sequence[object]], heads: Sequence[str] = (), title: str = "") -> None:
    """A table; without heads, of terms and what belongs to them."""
    from rich.table import Table
    from rich.text import Text

    table = Table(
        *heads, title=Text(printable(title)) if title else None, title_justify="left", show_header=bool(heads)
    )
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    terminal().print(table)


def terminal() -> "Console":
    """Standard output for what is laid out, with colours where they are wanted."""
    from rich.console import Console

    return Console(color_system="auto" if may_colour(sys.stdout) else None)
