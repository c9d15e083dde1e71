from datetime import date

import pytest

from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.explain import explain
from ghostface_edge.reports.gate import EXIT_CODES, exit_code, judge, judge_report
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.provenance import Gallery
from ghostface_edge.reports.report import Check, Gate, LeakGuard, Report, Role, Status, Variant, Verdict
from ghostface_edge.reports.verdicts import overall

TODAY = date(2030, 6, 15)


def _only(gate: Gate, variant: str, name: str) -> Check:
    (check,) = [check for check in gate.checks if (check.variant, check.name) == (variant, name)]
    return check


def _policy(*rules: dict, **others: object) -> Policy:
    return Policy.model_validate({"schema_version": 1, "name": "test", "rules": rules, **others})


def _with_latency(variant: Variant, ratio: float, low: float, high: float) -> Variant:
    latency = variant.latency.model_copy(update={"versus_fp32": ratio, "versus_fp32_ci95": (low, high)})
    return variant.model_copy(update={"latency": latency})


def test_stock_fails_and_says_why_while_a_good_variant_passes(variants: list[Variant]) -> None:
    gate = judge(variants)
    assert gate.verdict is Verdict.PASS
    stock = [check for check in gate.checks if check.variant == "onnxruntime-int8-stock"]
    assert {check.role for check in stock} == {Role.COMPARISON}
    drop = _only(gate, "onnxruntime-int8-stock", "drop_pp")
    assert drop.verdict is Verdict.FAIL
    assert drop.reason.startswith("onnxruntime-int8-stock: accuracy drop")
    assert drop.reason.endswith("limit -0.75 to 0.75 pp")
    assert "\n" not in drop.reason


def test_stock_decides_while_it_stands_alone(variants: list[Variant]) -> None:
    fp32, _, stock = variants
    assert judge([fp32, stock]).verdict is Verdict.FAIL


def test_sixty_pairs_are_inconclusive(few_variants: list[Variant]) -> None:
    gate = judge(few_variants)
    assert gate.verdict is Verdict.INCONCLUSIVE
    drop = _only(gate, "onnxruntime-int8", "drop_pp")
    assert drop.verdict is Verdict.INCONCLUSIVE
    assert "60 pairs cannot settle it, about" in drop.reason
    assert "at least 100 pairs of different people" in _only(gate, "onnxruntime-int8", "tar_drop_pp@0.01").reason


def test_a_rule_that_no_variant_matches_is_said_and_never_passes(variants: list[Variant]) -> None:
    fits = {"metric": "bytes", "variants": "*-int8", "max": 1e9}
    for pattern in ("nosuch-*", "ONNXRUNTIME-INT8", "openvino-int8", "*-int4", "*_int8"):
        gate = judge(variants, _policy(fits, {"metric": "bytes", "variants": pattern, "max": 1e9, "why": "flash"}))
        assert gate.verdict is Verdict.INCONCLUSIVE
        (check,) = [check for check in gate.checks if check.name == "rule"]
        assert (check.variant, check.role, check.why) == ("*", Role.CANDIDATE, "flash")
        assert check.reason == f"the rule on bytes is for {pattern}, and no variant is called that"
        assert check.reason in explain(gate)
    one_fits = _policy(fits, {"metric": "bytes", "variants": ["nosuch-*", "*-fp32"], "max": 1e9})
    assert judge(variants, one_fits).verdict is Verdict.PASS


def test_a_run_need_not_have_every_kind_that_a_policy_knows(variants: list[Variant]) -> None:
    assert {variant.precision for variant in variants} == {"fp32", "int8"}
    assert any(rule.variants == ("*-fp16",) for rule in Policy.read().rules)
    assert judge(variants[1:2], _policy({"metric": "bytes", "variants": "*-int8", "max": 1e9})).verdict is Verdict.PASS


def test_without_a_judged_int8_variant_nothing_passes(variants: list[Variant]) -> None:
    fp32, int8, _ = variants
    gate = judge([fp32])
    assert gate.verdict is Verdict.INCONCLUSIVE
    check = _only(gate, "*", "int8")
    assert (check.measured, check.reason) == (0, "no rule of the policy judged an INT8 variant that would ship")
    unanswered = _policy({"metric": "drop_pp", "variants": "*-int8", "max": 1, "set": "not measured"})
    assert _only(judge([fp32, int8], unanswered), "*", "int8").measured == 0
    only_fp32 = _policy({"metric": "bytes", "variants": "*-fp32", "max": 1e9})
    assert judge(variants, only_fp32).verdict is Verdict.INCONCLUSIVE
    one = _policy({"metric": "bytes", "variants": "onnxruntime-int8", "max": 1e9})
    assert judge(variants, one).verdict is Verdict.PASS
    other = Variant.model_validate({**int8.model_dump(), "id": "tflite-int8", "runtime": "tflite"})
    assert _only(judge([*variants, other], one), "*", "int8").reason.startswith("tflite-int8 would ship")


def test_failed_and_skipped_variants_never_pass(variants: list[Variant]) -> None:
    fp32 = variants[0]
    died = fp32.model_copy(update={"id": "tflite-fp32", "status": "failed", "error": "killed by SIGSEGV\nat load"})
    gone = fp32.model_copy(update={"id": "openvino-fp32", "status": "skipped", "error": "pip install openvino"})
    assert judge([fp32, died]).verdict is Verdict.FAIL
    assert "SIGSEGV at load" in _only(judge([fp32, died]), "tflite-fp32", "measured").reason
    assert judge([fp32, gone]).verdict is Verdict.INCONCLUSIVE
    assert judge([]).verdict is Verdict.INCONCLUSIVE
    assert _only(judge([]), "*", "variants").measured == 0
    assert overall([]) is Verdict.INCONCLUSIVE


def test_a_gain_beyond_the_limit_fails_too(variants: list[Variant]) -> None:
    variant = variants[1]
    versus = variant.versus_reference.model_copy(update={"drop_pp": -3.0, "ci95_pp": (-4.0, -2.0)})
    gate = judge([variant.model_copy(update={"versus_reference": versus})])
    assert _only(gate, "onnxruntime-int8", "drop_pp").verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.9, 0.99, Verdict.PASS), (0.9, 1.1, Verdict.INCONCLUSIVE), (1.01, 1.1, Verdict.FAIL)],
)
def test_latency_is_judged_by_its_noise(variants: list[Variant], low: float, high: float, verdict: Verdict) -> None:
    policy = _policy({"metric": "versus_fp32", "variants": "*", "max": 1.0})
    gate = judge([_with_latency(variants[1], (low + high) / 2, low, high)], policy)
    assert _only(gate, "onnxruntime-int8", "versus_fp32").verdict is verdict
    assert gate.verdict is verdict


def test_size_limits(variants: list[Variant]) -> None:
    absolute = _policy({"metric": "bytes", "variants": "*-int8", "max": 900_000})
    assert judge(variants, absolute).verdict is Verdict.FAIL
    ratio = _policy({"metric": "size_ratio", "variants": "*-int8", "max": 0.32})
    assert _only(judge(variants, ratio), "onnxruntime-int8", "size_ratio").measured == pytest.approx(1 / 3.2)
    assert judge(variants[1:2], ratio).verdict is Verdict.INCONCLUSIVE


def test_relative_to_fp32(variants: list[Variant]) -> None:
    policy = _policy({"metric": "p50_ms", "relative_to": "fp32", "variants": "*-stock", "max": 1.2}, comparison=[])
    check = _only(judge(variants, policy), "onnxruntime-int8-stock", "p50_ms vs fp32")
    assert check.measured == pytest.approx(1.5)
    assert check.verdict is Verdict.FAIL


def test_baseline_of_the_same_pairs(report: Report) -> None:
    gate = judge_report(report, baseline=report).gate
    assert gate.verdict is Verdict.PASS
    assert gate.baseline == "GhostFaceNetV1-0.5-2 (undated)"
    dated = report.model_copy(update={"tool": report.tool.model_copy(update={"started": "2030-06-14T00:00:00+00:00"})})
    assert (
        judge(report.variants, baseline=dated, today=TODAY).baseline
        == f"{report.model.name} (2030-06-14T00:00:00+00:00)"
    )
    assert _only(gate, "onnxruntime-int8", "bytes vs baseline").measured == 1.0
    assert _only(gate, "onnxruntime-int8", "accuracy vs baseline").measured == 0.0
    slower = [
        _with_latency(variant, 1.3, 1.28, 1.32) if variant.id == "onnxruntime-int8" else variant
        for variant in report.variants
    ]
    gate = judge(slower, data=report.data, baseline=report)
    assert gate.verdict is Verdict.FAIL
    assert "1.3 against 0.8" in _only(gate, "onnxruntime-int8", "versus_fp32 vs baseline").reason


@pytest.mark.parametrize("what", ["pairs", "gallery"])
def test_baseline_of_other_faces_never_passes(report: Report, what: str) -> None:
    pairs = report.data.pairs.model_copy(update={"sha256": "e" * 64})
    gallery = Gallery(path="people", sha256="e" * 64, name="people", images=9, people=3)
    other_data = {"pairs": {"pairs": pairs}, "gallery": {"gallery": gallery}}[what]
    other = report.model_copy(update={"data": report.data.model_copy(update=other_data)})
    gate = judge_report(report, baseline=other).gate
    assert gate.verdict is Verdict.INCONCLUSIVE
    assert "other faces" in _only(gate, "*", "baseline").reason


def test_a_variant_that_the_baseline_had_is_missed(report: Report) -> None:
    gate = judge(report.variants[:1], data=report.data, baseline=report)
    assert gate.verdict is Verdict.INCONCLUSIVE
    assert "onnxruntime-int8 is in the baseline" in _only(gate, "*", "baseline").reason


def test_a_required_baseline_that_is_not_given(variants: list[Variant]) -> None:
    rule = {"metric": "accuracy", "relative_to": "baseline", "variants": "*-fp32", "min": -0.1}
    size = {"metric": "bytes", "variants": "*-int8", "max": 1e9}
    assert judge(variants, _policy(rule, size)).verdict is Verdict.INCONCLUSIVE
    assert judge(variants, _policy(rule, size, baseline="optional")).verdict is Verdict.PASS


def test_zero_pairs_and_leaks_never_pass(report: Report) -> None:
    none = report.data.model_copy(update={"pairs": report.data.pairs.model_copy(update={"count": 0})})
    gate = judge(report.variants, data=none)
    assert gate.verdict is Verdict.INCONCLUSIVE
    assert _only(gate, "*", "pairs").measured == 0
    calibration = report.data.calibration.model_copy(update={"identities_shared_with_pairs": 3})
    gate = judge(report.variants, data=report.data.model_copy(update={"calibration": calibration}))
    assert gate.verdict is Verdict.INCONCLUSIVE
    assert "3 people" in _only(gate, "*", "leak").reason


@pytest.mark.parametrize(("allowed", "verdict"), [(("Ada", "Bea"), Verdict.PASS), (("Ada",), Verdict.INCONCLUSIVE)])
def test_leaks_that_were_allowed_by_name(report: Report, allowed: tuple[str, ...], verdict: Verdict) -> None:
    guard = LeakGuard(checked=("by name",), found=("Ada", "Bea"), allowed=allowed)
    calibration = report.data.calibration.model_copy(update={"identities_shared_with_pairs": 2, "leak_guard": guard})
    gate = judge(report.variants, data=report.data.model_copy(update={"calibration": calibration}))
    assert gate.verdict is verdict
    assert _only(gate, "*", "leak").verdict is verdict


def test_required_variants(variants: list[Variant]) -> None:
    rule = {"metric": "accuracy", "variants": "*-fp32", "min": 0}
    gate = judge(variants, _policy(rule, require=["onnxruntime-*", "tflite-int8"]))
    assert gate.verdict is Verdict.INCONCLUSIVE
    assert _only(gate, "*", "required").limit == "tflite-int8"


def test_a_set_that_was_not_measured(variants: list[Variant]) -> None:
    rule = {"metric": "drop_pp", "variants": "*-int8", "max": 1, "set": "cfp_fp"}
    assert judge(variants, _policy(rule)).verdict is Verdict.INCONCLUSIVE
    variant = variants[1]
    result = {"accuracy": variant.accuracy, "versus_reference": variant.versus_reference}
    measured = Variant.model_validate({**variant.model_dump(), "sets": {"cfp_fp": result}})
    gate = judge([measured], _policy(rule))
    assert gate.verdict is Verdict.PASS
    assert _only(gate, "onnxruntime-int8", "drop_pp on cfp_fp").set == "cfp_fp"


@pytest.mark.parametrize(("expires", "verdict"), [("2030-06-15", Verdict.PASS), ("2030-06-14", Verdict.FAIL)])
def test_waivers_hold_until_their_day(variants: list[Variant], expires: str, verdict: Verdict) -> None:
    waiver = {"check": "bytes", "variants": "*-int8", "reason": "flash is ample", "owner": "Ada", "expires": expires}
    policy = _policy({"metric": "bytes", "variants": "*-int8", "max": 1}, waivers=[waiver])
    gate = judge(variants, policy, today=TODAY)
    assert gate.verdict is verdict
    check = _only(gate, "onnxruntime-int8", "bytes")
    assert check.waiver is not None
    state = {Verdict.PASS: "waived by Ada until", Verdict.FAIL: "the waiver of Ada expired on"}[verdict]
    assert f"{state} {expires}: flash is ample" in check.reason


def test_a_clock_set_back_revives_no_waiver(report: Report) -> None:
    waiver = {"check": "bytes", "variants": "*-int8", "reason": "r", "owner": "Ada", "expires": "2030-06-15"}
    policy = _policy({"metric": "bytes", "variants": "*-int8", "max": 1}, waivers=[waiver])

    def made(moment: str | None) -> Report:
        return report.model_copy(update={"tool": report.tool.model_copy(update={"started": moment})})

    def verdict(moment: str | None, before: str | None = None) -> Verdict:
        earlier = None if before is None else made(before)
        return judge_report(made(moment), policy, baseline=earlier, today=TODAY).gate.verdict

    assert verdict(None) is verdict("2030-06-15T23:00:00+00:00") is Verdict.PASS
    assert verdict("2030-06-16T01:00:00+02:00") is Verdict.PASS  # the 15th in UTC
    assert verdict("2030-06-16T01:00:00+00:00") is Verdict.FAIL
    assert verdict(None, before="2030-06-16T01:00:00+00:00") is Verdict.FAIL


def test_a_report_from_the_future_is_no_evidence(report: Report) -> None:
    tool = report.tool.model_copy(update={"started": "2030-06-17T00:00:00+00:00"})
    future = report.model_copy(update={"tool": tool})
    assert judge_report(future, today=date(2030, 6, 16)).gate.verdict is Verdict.PASS  # clocks differ
    gate = judge_report(future, today=TODAY).gate
    assert gate.verdict is Verdict.INCONCLUSIVE
    assert "made on 2030-06-17, after the 2030-06-15" in _only(gate, "*", "date").reason
    assert _only(judge_report(report, baseline=future, today=TODAY).gate, "*", "date")


def test_a_waiver_for_something_else_changes_nothing(variants: list[Variant]) -> None:
    waiver = {"check": "eer", "variants": "*", "reason": "r", "owner": "o", "expires": "2031-01-01"}
    policy = _policy({"metric": "bytes", "variants": "*-int8", "max": 1}, waivers=[waiver])
    assert judge(variants, policy, today=TODAY).verdict is Verdict.FAIL


def test_missing_evidence_cannot_be_waived(report: Report) -> None:
    anything = {"check": "*", "variants": "*", "reason": "in a hurry", "owner": "Ada", "expires": "2031-01-01"}
    policy = _policy({"metric": "bytes", "variants": "*", "max": 1}, waivers=[anything], comparison=[])
    assert judge(report.variants, policy, today=TODAY).verdict is Verdict.PASS
    none = report.data.model_copy(update={"pairs": report.data.pairs.model_copy(update={"count": 0})})
    assert judge(report.variants, policy, data=none, today=TODAY).verdict is Verdict.INCONCLUSIVE
    assert judge(report.variants, policy, data=none, baseline=report, today=TODAY).verdict is Verdict.INCONCLUSIVE
    assert judge([], policy, today=TODAY).verdict is Verdict.INCONCLUSIVE
    assert judge(report.variants[:1], policy, today=TODAY).verdict is Verdict.INCONCLUSIVE
    idle = _policy({"metric": "bytes", "variants": "nosuch-*", "max": 1}, waivers=[anything])
    assert judge(report.variants, idle, today=TODAY).verdict is Verdict.INCONCLUSIVE


def test_explanation_names_every_check(variants: list[Variant]) -> None:
    text = explain(judge(variants))
    assert text.startswith("pass: Every check")
    assert "onnxruntime-int8-stock (for comparison" in text
    assert "because the mean accuracy hides damage" in text


def test_every_verdict_has_an_exit_code() -> None:
    assert {verdict.value: int(code) for verdict, code in EXIT_CODES.items()} == {
        "pass": 0,
        "fail": 1,
        "inconclusive": 4,
    }


def _with_failed(report: Report, variant_id: str, policy: Policy | None = None) -> Report:
    broken = {"status": Status.FAILED, "error": "killed by SIGSEGV"}
    variants = tuple(
        variant.model_copy(update=broken) if variant.id == variant_id else variant for variant in report.variants
    )
    return judge_report(report.model_copy(update={"variants": variants}), policy, today=TODAY)


def test_only_a_failed_variant_that_would_ship_is_the_tools_fault(report: Report) -> None:
    assert exit_code(report) is ExitCode.PASS
    assert exit_code(_with_failed(report, "onnxruntime-int8")) is ExitCode.TOOL_FAILED
    assert exit_code(_with_failed(report, "onnxruntime-int8-stock")) is ExitCode.PASS
    none = report.data.model_copy(update={"pairs": report.data.pairs.model_copy(update={"count": 0})})
    assert exit_code(judge_report(report.model_copy(update={"data": none}))) is ExitCode.INCONCLUSIVE
    too_large = _policy({"metric": "bytes", "variants": "*-int8", "max": 1})
    assert exit_code(judge_report(report, too_large)) is ExitCode.GATE_FAILED


def test_a_waived_failure_leaves_the_verdict_to_the_others(report: Report) -> None:
    waiver = {"check": "measured", "variants": "*-int8", "reason": "later", "owner": "Ada", "expires": "2031-01-01"}
    policy = _policy({"metric": "bytes", "variants": "*-int8", "max": 1e9}, waivers=[waiver])
    other = {**report.variants[1].model_dump(), "id": "tflite-int8", "runtime": "tflite"}
    two = report.model_copy(update={"variants": (*report.variants, Variant.model_validate(other))})
    assert exit_code(_with_failed(two, "onnxruntime-int8", policy)) is ExitCode.PASS
    assert exit_code(_with_failed(report, "onnxruntime-int8", policy)) is ExitCode.INCONCLUSIVE
