"""What verbs print: lines and tables, in which names of others are but names."""

import json
from collections.abc import Iterable, Sequence

import typer

from ghostface_edge.reports.json_text import to_json
from ghostface_edge.reports.printable import printable


def say(text: object, *, err: bool = False) -> None:
    """One line on standard output, or on standard error."""
    typer.echo(printable(text), err=err)


def say_json(content: object) -> None:
    """Data as they are, in ASCII, so that every terminal and every reader takes them."""
    typer.echo(json.dumps(json.loads(to_json(content)), indent=2))


def say_table(rows: Iterable[Sequence[object]], heads: Sequence[str] = (), title: str = "") -> None:
    """A table; without heads, of terms and what belongs to them."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        *heads, title=Text(printable(title)) if title else None, title_justify="left", show_header=bool(heads)
    )
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    Console().print(table)
