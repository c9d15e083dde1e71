"""Rules on devices: which rows they judge, what is lost on the way, and what they say of a device that did not run."""

from typing import Any

import pytest
from pydantic import ValidationError

from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.gate import exit_code, judge_report
from ghostface_edge.reports.policy import SHIPPED, Policy
from ghostface_edge.reports.report import Check, Report, Status, Verdict
from ghostface_edge.reports.stored_gate import contradiction

from .conftest import EMULATED, Faces, on_device

SIZE = {"metric": "bytes", "variants": "*-int8", "max": 1e9}


@pytest.fixture(scope="module")
def board(faces: Faces, report: Report) -> Report:
    """INT8 on a board with the same bytes, and FP32 beside it."""
    both = on_device(report, "onnxruntime-fp32", "other", faces, faces.noisy(0.0))
    return on_device(both, "onnxruntime-int8", "pi4", faces, faces.noisy(0.02))


@pytest.fixture(scope="module")
def emulated(faces: Faces, report: Report) -> Report:
    """INT8 under an emulated CPU that spoils it."""
    return on_device(report, "onnxruntime-int8", "cortex-a72", faces, faces.noisy(0.02), faces.noisy(1.0), **EMULATED)


def _policy(*rules: dict[str, Any], **fields: object) -> Policy:
    return Policy.model_validate({"schema_version": 1, "name": "mine", "rules": rules, **fields})


def _checks(report: Report, variant: str, *rules: dict[str, Any]) -> list[Check]:
    gate = judge_report(report, _policy(*rules) if rules else None).gate
    return [check for check in gate.checks if check.variant == variant]


def test_the_default_policy_asks_for_the_same_verdict_there(board: Report, emulated: Report) -> None:
    measured, drop = _checks(board, "onnxruntime-int8@pi4")
    assert (measured.name, measured.verdict) == ("measured", Verdict.PASS)
    assert (drop.name, drop.measured, drop.verdict) == ("device_drop_pp", 0, Verdict.PASS)
    assert judge_report(board).gate.verdict is Verdict.PASS
    gate = judge_report(emulated).gate
    (lost,) = [check for check in gate.checks if check.name == "device_drop_pp"]
    assert (lost.variant, lost.verdict) == ("onnxruntime-int8@cortex-a72", Verdict.FAIL)
    assert lost.measured is not None
    assert lost.measured > 0.5
    assert "accuracy lost on the device" in lost.reason
    assert gate.verdict is Verdict.FAIL


@pytest.mark.parametrize(("cosine_min", "verdict"), [(0.9999, Verdict.PASS), (0.99989, Verdict.INCONCLUSIVE)])
def test_what_differs_by_rounding_alone_needs_no_more_pairs(board: Report, cosine_min: float, verdict: Verdict) -> None:
    versus = board.variants[-1].versus_local
    assert versus is not None
    few = versus.model_copy(update={"ci95_pp": (-7.0, 7.0), "cosine_min": cosine_min})
    last = board.variants[-1].model_copy(update={"versus_local": few})
    _, drop = _checks(board.model_copy(update={"variants": (*board.variants[:-1], last)}), "onnxruntime-int8@pi4")
    assert drop.verdict is verdict


def test_rules_are_about_this_host_unless_they_name_devices(board: Report) -> None:
    here = [check.name for check in _checks(board, "onnxruntime-int8", SIZE)]
    assert here == ["measured", "bytes"]
    assert [check.name for check in _checks(board, "onnxruntime-int8@pi4", SIZE)] == ["measured"]
    for devices, judged in (("pi*", ["pi4"]), (["local", "pi4"], ["", "pi4"]), ("*", ["", "pi4"]), ("local", [""])):
        gate = judge_report(board, _policy({**SIZE, "devices": devices}, SIZE)).gate
        found = [check.variant.partition("@")[2] for check in gate.checks if check.name == "bytes"]
        assert sorted(set(found)) == sorted({"", *judged})
        assert gate.verdict is Verdict.PASS


@pytest.mark.parametrize("name", SHIPPED[1:])
def test_profiles_judge_this_host(board: Report, report: Report, name: str) -> None:
    policy = Policy.named(name)
    there = {check.name for check in judge_report(board, policy).gate.checks if "@" in check.variant}
    assert there == {"measured"}
    assert judge_report(board, policy).gate.verdict is judge_report(report, policy).gate.verdict


def test_rules_on_a_device_that_did_not_run_are_said(board: Report, report: Report) -> None:
    on_pi5 = {"metric": "device_drop_pp", "variants": "*-int8", "devices": ["pi5", "pi6"], "max": 1, "why": "it ships"}
    gate = judge_report(board, _policy(on_pi5, SIZE)).gate
    (said,) = [check for check in gate.checks if check.name == "rule"]
    assert said.reason == "the rule on device_drop_pp is for pi5, pi6, and no device that ran is called that"
    assert (said.verdict, said.why) == (Verdict.INCONCLUSIVE, "it ships")
    anywhere = {**on_pi5, "devices": "*"}
    assert judge_report(report, _policy(anywhere, SIZE)).gate.verdict is Verdict.PASS
    nothing = {**on_pi5, "variants": "tflite-int8", "devices": "*"}
    gate = judge_report(board, _policy(nothing, SIZE)).gate
    assert "is for tflite-int8, and no variant is called that" in next(
        c.reason for c in gate.checks if c.name == "rule"
    )


def test_what_is_lost_on_the_way_needs_a_way() -> None:
    with pytest.raises(ValidationError, match="so it needs devices"):
        _policy({"metric": "device_drop_pp", "variants": "*", "max": 1})


def test_too_few_pairs_say_how_many_would_do(faces: Faces, emulated: Report) -> None:
    row = emulated.variants[-1]
    assert row.versus_local is not None
    versus = row.versus_local.model_copy(update={"drop_pp": 0.2, "ci95_pp": (-0.5, 0.9)})
    changed = emulated.model_copy(update={"variants": (row.model_copy(update={"versus_local": versus}),)})
    (_, drop) = _checks(changed, row.id)
    assert drop.verdict is Verdict.INCONCLUSIVE
    assert "; 2,000 pairs cannot settle it, about " in drop.reason


def test_an_emulated_cpu_keeps_no_limit_of_time(emulated: Report) -> None:
    rule = {"metric": "p50_ms", "variants": "*-int8", "devices": "cortex-*", "max": 100}
    _, time = _checks(emulated, "onnxruntime-int8@cortex-a72", rule, SIZE)
    assert time.verdict is Verdict.INCONCLUSIVE
    assert "p50_ms is not known where a CPU is emulated" in time.reason
    accuracy = {"metric": "drop_pp", "variants": "*-int8", "devices": "cortex-*", "max": 100}
    assert _checks(emulated, "onnxruntime-int8@cortex-a72", accuracy, SIZE)[1].verdict is Verdict.PASS


def test_relative_to_the_fp32_of_the_same_place(board: Report) -> None:
    rule = {"metric": "p50_ms", "relative_to": "fp32", "variants": "*-int8", "devices": "*", "max": 1}
    assert _checks(board, "onnxruntime-int8", rule)[1].verdict is Verdict.PASS
    assert _checks(board, "onnxruntime-int8@pi4", rule)[1].verdict is Verdict.INCONCLUSIVE  # FP32 ran on another


def test_what_failed_there_fails_like_here(board: Report) -> None:
    none = {"accuracy": None, "versus_reference": None, "versus_local": None, "latency": None}
    broken = board.variants[-1].model_copy(update={"status": Status.FAILED, "error": "an empty output", **none})
    failed = judge_report(board.model_copy(update={"variants": (*board.variants[:-1], broken)}))
    assert failed.gate.verdict is Verdict.FAIL
    assert exit_code(failed) is ExitCode.TOOL_FAILED


def test_a_comparison_stays_one_there(faces: Faces, board: Report) -> None:
    both = on_device(board, "onnxruntime-int8-stock", "pi4", faces, faces.noisy(1.6))
    roles = {check.variant: check.role.value for check in both.gate.checks if check.name == "measured"}
    assert roles["onnxruntime-int8-stock@pi4"] == "comparison"
    assert roles["onnxruntime-int8@pi4"] == "candidate"
    alone = on_device(board, "onnxruntime-int8-stock", "pi5", faces, faces.noisy(1.6))
    roles = {check.variant: check.role.value for check in alone.gate.checks if check.name == "measured"}
    assert roles["onnxruntime-int8-stock@pi5"] == "candidate"


def test_a_stored_gate_follows_from_its_devices(board: Report, emulated: Report) -> None:
    own = _policy({"metric": "device_drop_pp", "variants": "*", "devices": "*", "max": 60}, SIZE)
    for report in (board, emulated, judge_report(board, own), judge_report(emulated, own)):
        assert contradiction(report) is None
    checks = tuple(check for check in board.gate.checks if check.variant != "onnxruntime-int8@pi4")
    without = board.model_copy(update={"gate": board.gate.model_copy(update={"checks": checks})})
    assert contradiction(without) == "its gate lacks the check measured of onnxruntime-int8@pi4"
