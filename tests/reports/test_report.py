import json
import subprocess
import sys
from pathlib import Path

import pytest

from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.report import MAX_REPORT_BYTES, SCHEMA_FILE, Report, json_schema


def _changed(report: Report, *path: str | int, value: object) -> str:
    content = json.loads(report.to_json())
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(content)


def test_round_trip(report: Report) -> None:
    assert Report.from_json(report.to_json(), "report.json") == report


def test_the_shipped_schema_is_the_models() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == json_schema(), "write json_schema() to report.schema.json"
    schema = json.loads(json_schema())
    assert {"schema_version", "tool", "host", "model", "data", "variants", "gate"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("variants", 0, "accuracy", "mean"), float("nan"), r"variants\.0\.accuracy\.mean"),
        (("variants", 0, "accuracy", "mean"), 98.7, r"variants\.0\.accuracy\.mean"),
        (("variants", 0, "latency", "p50_ms"), float("inf"), r"variants\.0\.latency\.p50_ms"),
        (("variants", 0, "latency"), None, "status is ok, but latency is missing"),
        (("variants", 0, "accuracy", "tar_at_far"), {"0.01": 1.0}, "lacks 0.001"),
        (("variants", 0, "accuracy", "folds"), [0.5, 0.5], "the mean is not that of the folds"),
        (("variants", 0, "status"), "failed", "error does not say why"),
        (("variants", 1, "id"), "onnxruntime-fp32", "more than once: onnxruntime-fp32"),
        (("variants", 0, "surprise"), 1, r"variants\.0\.surprise"),
        (("schema_version",), 2, "schema_version 2, this tool reads 1"),
        (("gate", "verdict"), "maybe", r"gate\.verdict"),
    ],
)
def test_broken_reports_are_refused(report: Report, path: tuple, value: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        Report.from_json(_changed(report, *path, value=value), "report.json")
    assert caught.value.exit_code is ExitCode.BAD_INPUT


@pytest.mark.parametrize("text", ["", "[]", "null", "nonsense", "{}"])
def test_what_is_no_report(text: str) -> None:
    with pytest.raises(InputError, match=r"report\.json"):
        Report.from_json(text, "report.json")


def test_truncated_and_missing_files(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(report.to_json()[:-200])
    with pytest.raises(InputError, match="is no JSON"):
        Report.read(tmp_path / "report.json")
    with pytest.raises(InputError, match="cannot be read"):
        Report.read(tmp_path / "missing.json")
    with pytest.raises(InputError, match="is a folder, not a file"):
        Report.read(tmp_path)


def test_judging_and_refusing_load_no_numpy(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(report.to_json())
    program = (
        "import sys; from pathlib import Path; from ghostface_edge.reports.gate import judge_report; "
        "from ghostface_edge.reports.report import Report; "
        "judge_report(Report.read(Path('report.json'))); assert not {'numpy', 'onnx', 'torch'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_report_of_no_size_that_a_run_writes_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "report.json").open("wb") as file:
        file.truncate(MAX_REPORT_BYTES + 1)
    with pytest.raises(InputError, match="25,165,825 bytes, more than the 25,165,824"):
        Report.read(tmp_path / "report.json")


def test_a_million_faults_are_one():
    """Each that pydantic collects costs a kilobyte."""
    text = json.dumps({"schema_version": 1, "variants": [{}] * 1000})
    with pytest.raises(InputError) as refused:
        Report.from_json(text, "report.json")
    assert refused.value.message.endswith("tool: Field required (and 9 more)")
