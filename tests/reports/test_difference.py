from io import StringIO

import pytest
from rich.console import Console

from ghostface_edge.reports.difference import Change, Difference, Trend, VariantChange, compare
from ghostface_edge.reports.renderings.console import print_difference
from ghostface_edge.reports.renderings.html import render_difference
from ghostface_edge.reports.renderings.markdown import render
from ghostface_edge.reports.report import Report


def _variant(compared: Difference, name: str) -> VariantChange:
    return next(variant for variant in compared.variants if variant.variant == name)


def _figure(compared: Difference, name: str, title: str) -> Change:
    return next(change for change in _variant(compared, name).changes if change.title == title)


@pytest.fixture
def later(report: Report) -> Report:
    """The report again: INT8 is as broken as stock, FP32 is gone, the file has shrunk."""
    _, int8, stock = report.variants
    broken = stock.model_copy(update={"id": int8.id, "artifact": int8.artifact.model_copy(update={"bytes": 900_000})})
    tool = report.tool.model_copy(update={"packages": {"numpy": "3"}})
    return report.model_copy(update={"variants": (broken, stock), "tool": tool})


def test_the_same_run_twice_has_not_changed(report: Report) -> None:
    compared = compare(report, report)
    assert compared.notes == ()
    assert {change.trend for variant in compared.variants for change in variant.changes} == {Trend.WITHIN_NOISE}
    assert len(_variant(compared, "onnxruntime-int8").changes) == 7


def test_changes_beyond_the_noise(report: Report, later: Report) -> None:
    compared = compare(report, later)
    assert _figure(compared, "onnxruntime-int8", "Accuracy %").trend is Trend.WORSE
    assert _figure(compared, "onnxruntime-int8", "Drop pp").trend is Trend.WORSE
    assert _figure(compared, "onnxruntime-int8", "× FP32").trend is Trend.WORSE
    assert _figure(compared, "onnxruntime-int8", "Size KB").trend is Trend.BETTER
    assert _figure(compared, "onnxruntime-int8", "p50 ms").trend is Trend.WITHIN_NOISE
    assert _figure(compare(later, report), "onnxruntime-int8", "Drop pp").trend is Trend.BETTER
    assert _variant(compared, "onnxruntime-fp32").after == "absent"
    assert _variant(compared, "onnxruntime-fp32").changes == ()
    assert compared.notes == ("numpy 2 → 3",)


def test_other_pairs_leave_only_what_does_not_depend_on_them(report: Report) -> None:
    pairs = report.data.pairs.model_copy(update={"sha256": "e" * 64})
    other = report.model_copy(update={"data": report.data.model_copy(update={"pairs": pairs})})
    compared = compare(report, other)
    titles = {change.title for variant in compared.variants for change in variant.changes}
    assert titles == {"× FP32", "p50 ms", "Size KB"}
    assert "the pairs differ" in compared.notes[0]


def test_it_is_told_everywhere(report: Report, later: Report) -> None:
    compared = compare(report, later)
    console = Console(width=170, record=True, file=StringIO())
    print_difference(compared, console)
    text = console.export_text()
    assert "1,000 → 900" in text
    assert "ok → absent" in text
    markdown = render(later, baseline=report)
    assert "### Against the baseline" in markdown
    assert "| 1,000 → 900 ▲ |" in markdown
    page = render_difference(compared)
    assert page.count("<svg") == 2
    assert 'class="worse"' in page
    assert Difference.model_validate_json(compared.model_dump_json()) == compared
