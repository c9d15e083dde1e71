"""The table and the reasons on the terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ghostface_edge.reports import difference, wording
from ghostface_edge.reports.difference import Difference, Trend
from ghostface_edge.reports.report import Report, Role

_TRENDS = {Trend.BETTER: "green", Trend.WORSE: "bold red", Trend.WITHIN_NOISE: ""}
_STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "failed": "bold red", "skipped": "dim"}


def print_report(report: Report, console: Console) -> None:
    """Print the table of variants, what did not pass and why, and the verdict."""
    console.print(table(report))
    for objection in wording.objections(report.gate):
        suffix = " (for comparison, does not decide)" if objection.role is Role.COMPARISON else ""
        verdict = (f"{objection.verdict.value:<12}", _STYLES[objection.verdict])
        console.print(Text.assemble(verdict, f"  {objection.text}{suffix}"))
    console.print(Text.assemble("Verdict: ", (report.gate.verdict.value, _STYLES[report.gate.verdict])))


def print_difference(compared: Difference, console: Console) -> None:
    """Print what changed between two runs."""
    columns = difference.titles(compared)
    result = Table(title="Before → after", title_justify="left")
    for column in ("Variant", "State", *columns):
        result.add_column(column, justify="left" if column in {"Variant", "State"} else "right", no_wrap=True)
    for variant in compared.variants:
        changes = difference.cells(variant, columns)
        figures = [
            Text(wording.MISSING) if change is None else Text(difference.cell(change), style=_TRENDS[change.trend])
            for change in changes
        ]
        result.add_row(Text(variant.variant), Text(difference.state(variant)), *figures)
    console.print(result)
    for note in compared.notes:
        console.print(Text(note))
    console.print(Text(f"Verdict: {compared.verdict_before.value} → {compared.verdict_after.value}"))


def table(report: Report) -> Table:
    """Lay out one row per variant."""
    result = Table(title=Text(f"{report.model.name} on {report.data.pairs.count:,} pairs"), title_justify="left")
    for column in wording.COLUMNS:
        result.add_column(column, justify="left" if column in {"Variant", "Verdict"} else "right", no_wrap=True)
    for variant in report.variants:
        name, verdict, *figures = wording.row(report, variant)
        result.add_row(Text(name), Text(verdict, style=_STYLES.get(verdict, "")), *map(Text, figures))
    return result
