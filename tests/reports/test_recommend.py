"""The file to ship on a device: what may ship there, the fastest of it, and why not the others."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.recommend import Recommendation, Yardstick, recommend
from ghostface_edge.reports.report import Report, Status, Verdict
from ghostface_edge.reports.variant import Variant

from .conftest import EMULATED, Faces, on_device

NOISE = {"onnxruntime-fp32": 0.0, "onnxruntime-int8": 0.02, "onnxruntime-int8-stock": 1.6}
NO_FIGURES = {"accuracy": None, "versus_reference": None, "versus_local": None, "latency": None}


@pytest.fixture(scope="module")
def board(faces: Faces, report: Report) -> Report:
    """FP32, INT8 and stock on a board, the same bytes as here."""
    for name, noise in NOISE.items():
        report = on_device(report, name, "pi4", faces, faces.noisy(noise))
    return report.model_copy(update={"devices": report.devices[:1]})


@pytest.fixture(scope="module")
def emulated(faces: Faces, report: Report) -> Report:
    for name in ("onnxruntime-fp32", "onnxruntime-int8"):
        report = on_device(report, name, "cortex-a72", faces, faces.noisy(NOISE[name]), **EMULATED)
    return report.model_copy(update={"devices": report.devices[:1]})


def _changed(report: Report, variant_id: str, **fields: Any) -> Report:
    variants = [row.model_copy(update=fields) if row.id == variant_id else row for row in report.variants]
    return judge_report(report.model_copy(update={"variants": tuple(variants)}))


def _timed(report: Report, variant_id: str, p50_ms: float) -> Report:
    row = _row(report, variant_id)
    assert row.latency is not None
    return _changed(report, variant_id, latency=row.latency.model_copy(update={"p50_ms": p50_ms}))


def _row(report: Report, variant_id: str) -> Variant:
    return next(row for row in report.variants if row.id == variant_id)


def _why(found: Recommendation) -> dict[str, str]:
    return {file.variant: file.why for file in found.others}


def _chosen(found: Recommendation) -> str:
    assert found.chosen is not None
    return found.chosen.variant


def test_the_fastest_that_lost_nothing(board: Report) -> None:
    found = recommend(board, "pi4")
    assert (_chosen(found), found.by, found.verdict) == ("onnxruntime-int8", Yardstick.TIME, Verdict.PASS)
    assert found.exit_code is ExitCode.PASS
    assert found.chosen is not None
    assert found.chosen.why == "the fastest there: 0.81 ms"
    assert (found.chosen.bytes, found.chosen.path) == (1_000_000, "models/onnxruntime-int8.onnx")
    assert found.chosen.accuracy == _row(board, "onnxruntime-int8").accuracy.mean
    assert _why(found) == {
        "onnxruntime-fp32": "1.02 ms, 1.25 times that of onnxruntime-int8",
        "onnxruntime-int8-stock": "kept for comparison",
    }


def test_of_equally_fast_files_the_smaller(board: Report) -> None:
    row = _row(board, "onnxruntime-int8@pi4")
    assert row.latency is not None
    alike = _timed(board, "onnxruntime-fp32@pi4", row.latency.p50_ms / 1.04)
    assert _chosen(recommend(alike, "pi4")) == "onnxruntime-int8"
    assert "and the smallest of those" in recommend(alike, "pi4").chosen.why
    assert _why(recommend(alike, "pi4"))["onnxruntime-fp32"] == "costs the same within 5 %, but is larger: 3,200 KB"
    faster = _timed(board, "onnxruntime-fp32@pi4", row.latency.p50_ms / 1.06)
    assert _chosen(recommend(faster, "pi4")) == "onnxruntime-fp32"


def test_where_a_cpu_is_emulated_instructions_stand_in_for_time(emulated: Report) -> None:
    counted = _changed(emulated, "onnxruntime-fp32@cortex-a72", instructions_per_face=9.9e6)
    counted = _changed(counted, "onnxruntime-int8@cortex-a72", instructions_per_face=11.5e6)
    found = recommend(counted, "cortex-a72")
    assert (_chosen(found), found.by) == ("onnxruntime-fp32", Yardstick.INSTRUCTIONS)
    assert found.chosen is not None
    assert found.chosen.why == "the fewest instructions there: 9.9 M instructions per face"
    assert found.chosen.p50_ms is None
    assert _why(found)["onnxruntime-int8"] == "11.5 M instructions per face, 1.16 times that of onnxruntime-fp32"
    uncounted = _changed(counted, "onnxruntime-fp32@cortex-a72", instructions_per_face=None)
    found = recommend(uncounted, "cortex-a72")
    assert (_chosen(found), _why(found)["onnxruntime-fp32"]) == ("onnxruntime-int8", "its cost there is not known")


def test_without_times_and_instructions_the_smallest(emulated: Report) -> None:
    found = recommend(emulated, "cortex-a72")
    assert (_chosen(found), found.by) == ("onnxruntime-int8", Yardstick.SIZE)
    assert _why(found)["onnxruntime-fp32"] == "3,200 KB, 3.20 times that of onnxruntime-int8"
    assert _why(found)["onnxruntime-int8-stock"] == "did not run there"


def test_what_failed_there_is_no_candidate(board: Report) -> None:
    empty = "it returned an empty\ntensor"
    broken = _changed(board, "onnxruntime-int8@pi4", status=Status.FAILED, error=empty, **NO_FIGURES)
    found = recommend(broken, "pi4")
    assert _chosen(found) == "onnxruntime-fp32"
    assert found.chosen is not None
    assert found.chosen.why.startswith("the only one that may ship there: ")
    assert _why(found)["onnxruntime-int8"] == "failed: it returned an empty tensor"


def test_what_fails_here_is_no_candidate_there(board: Report) -> None:
    versus = _row(board, "onnxruntime-int8").versus_reference
    assert versus is not None
    poor = versus.model_copy(update={"drop_pp": 3.0, "ci95_pp": (2.5, 3.5)})
    found = recommend(_changed(board, "onnxruntime-int8", versus_reference=poor), "pi4")
    assert _chosen(found) == "onnxruntime-fp32"
    assert _why(found)["onnxruntime-int8"].startswith("here: accuracy drop 3 pp [2.5, 3.5], limit -0.75 to 0.75 pp")


def _with_loss(report: Report, name: str, ci95_pp: tuple[float, float]) -> Report:
    versus = _row(report, name).versus_local
    assert versus is not None
    lost = {"drop_pp": sum(ci95_pp) / 2, "ci95_pp": ci95_pp, "cosine_min": 0.9}
    return _changed(report, name, versus_local=versus.model_copy(update=lost))


def test_nothing_to_ship_and_nothing_settled_have_exit_codes(board: Report) -> None:
    open_ = board
    for name in NOISE:
        open_ = _with_loss(open_, f"{name}@pi4", (-1.0, 1.0))
    found = recommend(open_, "pi4")
    assert (found.verdict, found.exit_code) == (Verdict.INCONCLUSIVE, ExitCode.INCONCLUSIVE)
    assert _chosen(found) == "onnxruntime-int8"
    assert "; there: accuracy lost on the device" in found.chosen.why
    settled = _with_loss(open_, "onnxruntime-fp32@pi4", (-0.1, 0.1))
    assert (recommend(settled, "pi4").verdict, _chosen(recommend(settled, "pi4"))) == ("pass", "onnxruntime-fp32")
    assert _why(recommend(settled, "pi4"))["onnxruntime-int8"].startswith("there: accuracy lost on the device 0 pp")
    lost = board
    for name in NOISE:
        lost = _with_loss(lost, f"{name}@pi4", (1.0, 2.0))
    found = recommend(lost, "pi4")
    assert (found.chosen, found.verdict, found.exit_code) == (None, Verdict.FAIL, ExitCode.GATE_FAILED)


def test_a_policy_that_does_not_ask_does_not_hide_a_loss(board: Report) -> None:
    size = {"metric": "bytes", "variants": "*", "max": 1e9}
    policy = Policy.model_validate({"schema_version": 1, "name": "mine", "rules": [size], "comparison": ["*-stock"]})
    lost = judge_report(_with_loss(board, "onnxruntime-int8@pi4", (1.0, 2.0)), policy)
    found = recommend(lost, "pi4")
    assert _chosen(found) == "onnxruntime-fp32"
    assert _why(found)["onnxruntime-int8"] == "there: +1.50 pp lost (+1.00 … +2.00)"
    wider = {"metric": "device_drop_pp", "variants": "*", "devices": "*", "max": 3}
    asked = policy.model_copy(update={"rules": Policy.model_validate({**policy.model_dump(), "rules": [wider]}).rules})
    assert _chosen(recommend(judge_report(lost, asked), "pi4")) == "onnxruntime-int8"


def test_this_host_is_a_device_too(report: Report) -> None:
    assert _chosen(recommend(report, "local")) == "onnxruntime-int8"


@pytest.mark.parametrize(("device", "fix"), [("p4", "did you mean `pi4`?"), ("zzz", "give one of local, pi4, or run")])
def test_an_unknown_device(board: Report, device: str, fix: str) -> None:
    with pytest.raises(InputError, match=f"nothing in the report ran on '{device}'") as caught:
        recommend(board, device)
    assert fix in caught.value.fix
    assert caught.value.exit_code is ExitCode.BAD_INPUT


def _verb(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ghostface_edge.pipeline", "recommend", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_verb(board: Report, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(board.to_json())
    told = _verb(tmp_path, "--device", "pi4")
    assert told.returncode == ExitCode.PASS, told.stderr
    assert "pi4: onnxruntime-int8, the fastest there: 0.81 ms (models/onnxruntime-int8.onnx)" in told.stdout
    assert "onnxruntime-fp32: 1.02 ms, 1.25 times that of onnxruntime-int8" in told.stdout
    found = json.loads(_verb(tmp_path / "report.json", "--device", "pi4", "--json").stdout)
    assert (found["verdict"], found["by"], found["chosen"]["variant"]) == ("pass", "p50_ms", "onnxruntime-int8")
