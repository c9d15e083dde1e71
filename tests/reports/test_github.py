from pathlib import Path

import pytest

from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.gate import judge
from ghostface_edge.reports.github import annotations, append_summary, set_outputs
from ghostface_edge.reports.report import Report, Status, Variant


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


def read_outputs(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def test_outputs_name_the_verdict_and_the_file_to_ship(report: Report, tmp_path: Path) -> None:
    environment = {"GITHUB_OUTPUT": str(tmp_path / "outputs")}
    set_outputs(Path("out/report.json"), report, environment)
    int8 = report.variants[1]
    assert int8.artifact
    assert int8.versus_reference
    assert read_outputs(tmp_path / "outputs") == {
        "verdict": "pass",
        "exit-code": "0",
        "report": "out/report.json",
        "variant": int8.id,
        "model": f"out/{int8.artifact.path}",
        "drop-pp": f"{int8.versus_reference.drop_pp:.2f}",
    }


def test_no_file_may_ship_and_no_path_sets_another_output(report: Report, tmp_path: Path) -> None:
    broken = [one.model_copy(update={"status": Status.FAILED, "error": "boom"}) for one in report.variants]
    failed = report.model_copy(update={"variants": tuple(broken), "gate": judge(broken)})
    set_outputs(Path("a\nverdict=pass/report.json"), failed, {"GITHUB_OUTPUT": str(tmp_path / "outputs")})
    outputs = read_outputs(tmp_path / "outputs")
    assert outputs["report"] == "a\\nverdict=pass/report.json"
    assert (outputs["verdict"], outputs["exit-code"]) == ("fail", "3")
    assert outputs["variant"] == outputs["model"] == outputs["drop-pp"] == ""


def test_a_runner_without_outputs_gets_none(report: Report) -> None:
    set_outputs(Path("report.json"), report, {})
    with pytest.raises(InputError, match="cannot be written"):
        set_outputs(Path("report.json"), report, {"GITHUB_OUTPUT": "/nonexistent/outputs"})
