from pathlib import Path

import pytest

from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.gate import judge
from ghostface_edge.reports.github import annotations, append_summary
from ghostface_edge.reports.report import Variant


def test_annotations_cannot_be_broken_out_of(variants: list[Variant]) -> None:
    hostile = variants[0].model_copy(update={"id": "a,b::c", "status": "failed", "error": "50 %\n::error::injected"})
    whole, *_, line = annotations(judge([hostile]))
    assert whole.startswith("::warning title=* variants::")
    assert line.startswith("::error title=a%2Cb%3A%3Ac measured::")
    assert "50 %25" in line
    assert "\n" not in line


def test_annotations_of_comparisons_are_warnings(variants: list[Variant]) -> None:
    lines = annotations(judge(variants))
    assert lines
    assert all(line.startswith("::warning title=onnxruntime-int8-stock") for line in lines)


def test_summaries_add_up(tmp_path: Path) -> None:
    environment = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    append_summary("## one\n", environment)
    append_summary("## two\n", environment)
    assert (tmp_path / "summary.md").read_text() == "## one\n## two\n"


@pytest.mark.parametrize("environment", [{}, {"GITHUB_STEP_SUMMARY": "/nonexistent/summary.md"}])
def test_no_step_is_running(environment: dict[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        append_summary("text", environment)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
