"""The table and the reasons on the terminal.

In a log nothing is cut or wrapped; on a narrow terminal the table leaves out columns, least needed first.
"""

from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from ghostface_edge.reports.blocks import (
    Align,
    Bullet,
    Bullets,
    Cell,
    Column,
    Definitions,
    Heading,
    Note,
    Reach,
    Table,
    Tone,
    plain,
)
from ghostface_edge.reports.difference import Difference
from ghostface_edge.reports.history.history import History
from ghostface_edge.reports.history.sections import changes, figures, runs
from ghostface_edge.reports.printable import printable
from ghostface_edge.reports.recommend import Recommendation
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section, SectionOf, shown
from ghostface_edge.reports.sections import SECTIONS
from ghostface_edge.reports.sections.difference import between
from ghostface_edge.reports.sections.in_short import in_short
from ghostface_edge.reports.sections.recommended import recommended

_STYLES = {
    Tone.PASS: "green",
    Tone.FAIL: "bold red",
    Tone.INCONCLUSIVE: "yellow",
    Tone.CAREFUL: "yellow",
    Tone.FAILED: "bold red",
    Tone.SKIPPED: "dim",
    Tone.BETTER: "green",
    Tone.WORSE: "bold red",
}
_UNLIMITED = 10_000


def print_report(
    report: Report, console: Console, baseline: Report | None = None, *, sections: Sequence[SectionOf] = SECTIONS
) -> None:
    """Print the table of variants, what did not pass and why, the verdict, and what it comes to in five lines."""
    console.print(_text(f"{report.model.name} on {report.data.pairs.count:,} pairs"), soft_wrap=not console.is_terminal)
    for section in shown(Findings(report, baseline=baseline), sections, Reach.TERMINAL):
        print_section(section, console)
    verdict = report.gate.verdict.value
    console.print(Text.assemble("Verdict: ", (verdict, _STYLES[Tone(verdict)])))
    print_section(in_short(report), console)


def print_difference(compared: Difference, console: Console, further: Sequence[Section] = ()) -> None:
    """Print what changed between two runs; what else there is to say follows."""
    _print_for_terminal((between(compared), *further), console)
    console.print(Text(f"Verdict: {compared.verdict_before.value} → {compared.verdict_after.value}"))


def print_recommendation(recommendation: Recommendation, console: Console) -> None:
    """Print which file to ship on a device, and why not the others."""
    print_section(recommended(recommendation), console)


def print_history(history: History, console: Console) -> None:
    """Print the newest figures, and what changed last, where it is seen."""
    _print_for_terminal((figures(history), runs(history), changes(history)), console)


def _print_for_terminal(sections: Sequence[Section], console: Console) -> None:
    for section in sections:
        blocks = tuple(block for block in section.blocks if block.reach is Reach.TERMINAL)
        print_section(replace(section, blocks=blocks), console)


def print_section(section: Section, console: Console) -> None:
    """Print a section; its title stands over its first table."""
    title = section.title
    for block in section.blocks:
        match block:
            case Table():
                _print_table(title, block, console)
                title = ""
            case Bullets():
                for item in block.items:
                    _print_line(_bullet(item), console)
            case Definitions():
                for term, text in block.items:
                    _print_line(_text(f"{term}: {plain(text)}"), console)
            case Note() | Heading():
                _print_line(_text(plain(block.text)), console)
            case _:
                pass


def _print_line(line: Text, console: Console) -> None:
    console.print(line, soft_wrap=not console.is_terminal)


def _bullet(item: Bullet) -> Text:
    aside = f" ({item.aside})" if item.aside else ""
    text = f"{plain(item.text)}{aside}"
    if item.tone is None:
        return _text(text)
    return Text.assemble((f"{item.tone.value:<12}", _STYLES.get(item.tone, "")), f"  {printable(text)}")


def _print_table(title: str, table: Table, console: Console) -> None:
    """Print all columns in a log, and as many as fit on a terminal."""
    columns = table.heads
    laid = _lay_out(title, table, columns)
    while console.is_terminal and _width(laid, console) > console.width and any(column.spare for column in columns):
        columns.remove(max(columns, key=lambda column: column.spare))
        laid = _lay_out(title, table, columns)
    if console.is_terminal:
        console.print(laid)
    else:
        laid.width = _width(laid, console)
        console.print(laid, crop=False, width=laid.width)


def _lay_out(title: str, table: Table, columns: Sequence[Column]) -> RichTable:
    shown = [place for place, column in enumerate(table.heads) if column in columns]
    laid = RichTable(title=_text(title), title_justify="left")
    for column in columns:
        laid.add_column(_text(column.name), justify="right" if column.align is Align.RIGHT else "left", no_wrap=True)
    for cells, _ in table.lines:
        laid.add_row(*(_cell(cells[place]) for place in shown))
    return laid


def _cell(cell: Cell) -> Text:
    return _text(plain(cell.text), _STYLES.get(cell.tone or Tone.NOTHING, ""))


def _text(value: str, style: str = "") -> Text:
    return Text(printable(value), style)


def _width(table: RichTable, console: Console) -> int:
    """How wide a table would be, given the room."""
    return console.measure(table, options=console.options.update(max_width=_UNLIMITED)).maximum
