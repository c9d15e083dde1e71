"""The table and the reasons on the terminal.

In a log nothing is cut or wrapped; on a narrow terminal the table leaves out columns, least needed first.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ghostface_edge.reports import deployment, difference, wording
from ghostface_edge.reports.difference import Difference, Trend
from ghostface_edge.reports.report import Report, Role

_TRENDS = {Trend.BETTER: "green", Trend.WORSE: "bold red", Trend.WITHIN_NOISE: ""}
_STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "failed": "bold red", "skipped": "dim"}
_NAMING = ("Variant", "Verdict", "State", "Accelerator", "Compiled model")
_LEAST_NEEDED = (
    "Compiled model",
    "MACs/cycle",
    "95 % interval",
    "p50 ms",
    "Size KB",
    "TAR@FAR=1e-3 %",
    "Cosine",
    "× FP32",
    "State",
)
_UNLIMITED = 10_000


def print_report(report: Report, console: Console) -> None:
    """Print the table of variants, what did not pass and why, and the verdict."""
    rows = []
    for variant in report.variants:
        name, verdict, *figures = wording.row(report, variant)
        rows.append([Text(name), Text(verdict, style=_STYLES.get(verdict, "")), *map(Text, figures)])
    title = f"{report.model.name} on {report.data.pairs.count:,} pairs"
    _print_table(title, wording.COLUMNS, rows, console)
    for objection in wording.objections(report.gate):
        suffix = " (for comparison, does not decide)" if objection.role is Role.COMPARISON else ""
        mark = (f"{objection.verdict.value:<12}", _STYLES[objection.verdict])
        line = Text.assemble(mark, f"  {objection.text}{suffix}")
        console.print(line, soft_wrap=not console.is_terminal)
    _print_deployment(report, console)
    console.print(Text.assemble("Verdict: ", (report.gate.verdict.value, _STYLES[report.gate.verdict])))


def _print_deployment(report: Report, console: Console) -> None:
    """Print a search's gain, and what compilers estimate; nothing where there is neither."""
    notes = [note for variant in report.variants if (note := wording.latency_search(variant)) is not None]
    estimates = deployment.estimate_rows(report)
    if estimates:
        rows = [[Text(cell) for cell in row] for row in estimates]
        _print_table(deployment.estimates_title(report), deployment.ESTIMATE_COLUMNS, rows, console)
    for note in notes:
        console.print(Text(note), soft_wrap=not console.is_terminal)
    for warning in deployment.estimate_warnings(report):
        line = Text.assemble((f"{'careful':<12}", "yellow"), f"  {warning}")
        console.print(line, soft_wrap=not console.is_terminal)


def print_difference(compared: Difference, console: Console) -> None:
    """Print what changed between two runs."""
    columns = difference.titles(compared)
    rows = []
    for variant in compared.variants:
        figures = [
            Text(wording.MISSING) if change is None else Text(difference.cell(change), style=_TRENDS[change.trend])
            for change in difference.cells(variant, columns)
        ]
        rows.append([Text(variant.variant), Text(difference.state(variant)), *figures])
    _print_table("Before → after", ("Variant", "State", *columns), rows, console)
    for note in compared.notes:
        console.print(Text(note), soft_wrap=not console.is_terminal)
    console.print(Text(f"Verdict: {compared.verdict_before.value} → {compared.verdict_after.value}"))


def _print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Text]], console: Console) -> None:
    """Print all columns in a log, and as many as fit on a terminal."""
    left_out: set[str] = set()
    table = _lay_out(title, columns, rows, left_out)
    for column in _LEAST_NEEDED:
        if not console.is_terminal or _width(table, console) <= console.width:
            break
        left_out.add(column)
        table = _lay_out(title, columns, rows, left_out)
    if console.is_terminal:
        console.print(table)
    else:
        table.width = _width(table, console)
        console.print(table, crop=False, width=table.width)


def _lay_out(title: str, columns: Sequence[str], rows: Sequence[Sequence[Text]], left_out: set[str]) -> Table:
    shown = [place for place, column in enumerate(columns) if column not in left_out]
    table = Table(title=Text(title), title_justify="left")
    for place in shown:
        table.add_column(columns[place], justify="left" if columns[place] in _NAMING else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(row[place] for place in shown))
    return table


def _width(table: Table, console: Console) -> int:
    """How wide a table would be, given the room."""
    return console.measure(table, options=console.options.update(max_width=_UNLIMITED)).maximum
