from io import StringIO

from rich.console import Console

from ghostface_edge.reports.renderings.console import print_report
from ghostface_edge.reports.report import Report


def _printed(report: Report, **settings: object) -> str:
    console = Console(record=True, file=StringIO(), **settings)
    print_report(report, console)
    return console.export_text()


def test_a_log_has_every_column_and_one_line_per_reason(report: Report) -> None:
    text = _printed(report, width=80, force_terminal=False)
    assert "TAR@FAR=1e-3 %" in text
    assert "…" not in text.replace(" … ", "")
    (reason,) = [line for line in text.splitlines() if line.startswith("fail")]
    assert "onnxruntime-int8-stock: accuracy drop" in reason
    assert reason.rstrip().endswith("(for comparison, does not decide)")
    verdict, *lines = text.rstrip().splitlines()[-6:]
    assert verdict == "Verdict: pass"
    assert [line.partition(":")[0] for line in lines] == ["Ship", "File", "Costs", "Loses", "Look at"]


def test_a_narrow_terminal_leaves_columns_out(report: Report) -> None:
    text = _printed(report, width=80, force_terminal=True)
    table = [line for line in text.splitlines() if "│" in line or "┃" in line]
    assert max(map(len, table)) <= 80
    assert "95 % interval" not in text
    assert "Drop pp" in text
    assert "onnxruntime-int8-stock" in table[-1]
    assert "95 % interval" in _printed(report, width=170, force_terminal=True)


def test_names_are_no_markup(report: Report) -> None:
    named = report.model_copy(update={"model": report.model.model_copy(update={"name": "[bold]model[/nothing]"})})
    assert "[bold]model[/nothing]" in _printed(named, width=170)


def test_estimates_are_said_to_be_estimates(deployed: Report, report: Report) -> None:
    text = _printed(deployed, width=80, force_terminal=False)
    assert "estimated by Vela 4.2.0, not measured" in text
    assert "models/u55.tflite" in text
    assert "careful       tflite-int8 on Ethos-U55-128: the compiler put the output inside the input" in text
    assert "of 24 assignments" in text
    assert "Ethos" not in _printed(report, width=80, force_terminal=False)
