"""The table and the reasons on the terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ghostface_edge.reports import wording
from ghostface_edge.reports.report import Report, Role, Verdict

_STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "failed": "bold red", "skipped": "dim"}


def print_report(report: Report, console: Console) -> None:
    """Print the table of variants, what did not pass and why, and the verdict."""
    console.print(table(report))
    for variant in report.variants:
        if variant.error:
            console.print(Text(f"{variant.id} {variant.status.value}: {variant.error}", style=_STYLES[variant.status]))
    for check in report.gate.checks:
        if check.verdict is not Verdict.PASS and check.name != "measured":
            suffix = " (for comparison, does not decide)" if check.role is Role.COMPARISON else ""
            line = Text.assemble((check.verdict.value, _STYLES[check.verdict]), f"  {check.reason}{suffix}")
            console.print(line)
    console.print(Text.assemble("Verdict: ", (report.gate.verdict.value, _STYLES[report.gate.verdict])))


def table(report: Report) -> Table:
    """Lay out one row per variant."""
    result = Table(title=Text(f"{report.model.name} on {report.data.pairs.count:,} pairs"), title_justify="left")
    for column in wording.COLUMNS:
        result.add_column(column, justify="left" if column in {"Variant", "Verdict"} else "right", no_wrap=True)
    for variant in report.variants:
        *figures, verdict = wording.row(report, variant)
        result.add_row(*map(Text, figures), Text(verdict, style=_STYLES.get(verdict, "")))
    return result
