from io import StringIO

from rich.console import Console

from ghostface_edge.reports.console import print_report
from ghostface_edge.reports.report import Report


def test_table_reasons_and_verdict(report: Report) -> None:
    console = Console(width=170, record=True, file=StringIO())
    print_report(report, console)
    text = console.export_text()
    assert "onnxruntime-int8-stock: accuracy drop" in text
    assert "(for comparison, does not decide)" in text
    assert text.rstrip().endswith("Verdict: pass")


def test_names_are_no_markup(report: Report) -> None:
    named = report.model_copy(update={"model": report.model.model_copy(update={"name": "[bold]model[/nothing]"})})
    console = Console(width=170, record=True, file=StringIO())
    print_report(named, console)
    assert "[bold]model[/nothing]" in console.export_text()
