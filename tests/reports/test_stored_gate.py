from datetime import date

import pytest

from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.report import Report, Role, Verdict
from ghostface_edge.reports.stored_gate import contradiction

from .test_at_fmr import known, with_all_pairs

POLICY = {
    "schema_version": 1,
    "name": "ours",
    "require": ["onnxruntime-fp32", "nosuch-*"],
    "rules": [
        {"metric": "drop_pp", "variants": "*-int8*", "max": 0.75, "min": -0.75, "why": "that is what we promised"},
        {"metric": "tar_at_far", "far": "0.01", "variants": "*-int8", "min": 0.125},
        {"metric": "tar_drop_pp", "far": "0.001", "variants": "*", "max": 2},
        {"metric": "accuracy", "variants": ["*"], "relative_to": "fp32", "min": -0.5},
        {"metric": "bytes", "variants": ["*-int8"], "relative_to": "baseline", "max": 1.05},
        {"metric": "cosine_mean", "variants": ["*-int8"], "relative_to": "baseline", "min": -0.1, "max": 0.1},
        {"metric": "accuracy", "variants": ["onnxruntime-int8"], "set": "cfp", "min": 0.5},
        {"metric": "fnmr_rise_pp", "variants": "*-int8", "fmr": "lowest", "max": 3},
        {"metric": "fnmr_rise_pp", "variants": "*-int8", "fmr": "0.0001", "max": 3},
        {"metric": "fnmr_rise_pp", "variants": "*-int8", "fmr": "0.001", "threshold": "frozen", "max": 3},
        {"metric": "fnmr_at_fmr", "variants": "*-int8", "fmr": "0.00001", "max": 0.5},
        {"metric": "fmr", "variants": "*-int8", "fmr": "0.0001", "max": 0.0001},
    ],
    "waivers": [
        {"check": "required", "variants": "*", "reason": "later", "owner": "A. Person", "expires": "2026-12-31"},
        {"check": "drop_pp", "variants": "*-stock", "reason": "known", "owner": "A. Person", "expires": "2020-01-01"},
    ],
}
TODAY = date(2026, 11, 3)


@pytest.fixture
def dated(report):
    return report.model_copy(update={"tool": report.tool.model_copy(update={"started": "2026-11-02T10:00:00+00:00"})})


@pytest.fixture(
    params=[f"{policy}{what}" for policy in ("default", "ours") for what in ("", ", names known", ", after a baseline")]
)
def judged(request, dated):
    if request.param.endswith("names known"):
        dated = dated.model_copy(update={"variants": tuple(with_all_pairs(dated.variants, known()))})
    policy = Policy.model_validate(POLICY) if request.param.startswith("ours") else None
    baseline = dated if request.param.endswith("baseline") else None
    return judge_report(dated, policy, baseline=baseline, today=TODAY)


def changed(report, number, **fields):
    """The report with other fields in one check of its gate."""
    checks = list(report.gate.checks)
    checks[number] = checks[number].model_copy(update=fields)
    return with_checks(report, checks)


def with_checks(report, checks, **fields):
    return report.model_copy(update={"gate": report.gate.model_copy(update={"checks": tuple(checks), **fields})})


def test_what_a_gate_says_follows_from_what_it_judged(judged):
    assert contradiction(judged) is None


def test_it_follows_from_the_file_too_and_on_any_later_day(judged):
    assert contradiction(Report.model_validate_json(judged.to_json())) is None


def test_every_field_of_a_check_is_held_to_the_figures(judged):
    for number, check in enumerate(judged.gate.checks):
        wrong = [
            *({"verdict": verdict} for verdict in Verdict if verdict is not check.verdict),
            *({"role": role} for role in Role if role is not check.role),
            {"measured": 0.123 if check.measured is None else 1e9},
            {"name": "cosine_min", "variant": "onnxruntime-int8", "limit": "<= 2"},
            {"variant": "onnxruntime-int4"},
        ]
        if not check.name.endswith("vs baseline"):  # of these the other half is in the baseline
            wrong += [
                {"limit": "at most enough"},
                {"limit": "<= 1e9 pp"},
                {"reason": "onnxruntime-int8: all is well"},
                {"unit": "lightyears"},
            ]
            wrong += [{"measured": check.measured + 1e-6}, {"ci95": (-1e9, 1e9)}] if check.measured is not None else []
            if check.ci95 is not None:
                low, high = check.ci95
                wrong += [{"ci95": None}, {"ci95": (low, high + 1e-6)}, {"ci95": (low - 1e-6, high)}]
        for fields in wrong:
            assert contradiction(changed(judged, number, **fields)) is not None, (check, fields)


def test_no_check_may_be_left_out_or_made_up(judged):
    for number, check in enumerate(judged.gate.checks):
        rest = [*judged.gate.checks[:number], *judged.gate.checks[number + 1 :]]
        if check.name == "measured" or (judged.gate.policy == "default" and "baseline" not in check.name):
            said = contradiction(with_checks(judged, rest))
            assert said == f"its gate lacks the check {check.name} of {check.variant}"
    made_up = judged.gate.checks[-1].model_copy(update={"name": "auc", "limit": ">= 0", "reason": "fine"})
    assert contradiction(with_checks(judged, [*judged.gate.checks, made_up])) is not None


def test_a_policy_that_only_compares_with_a_baseline(dated):
    policy = Policy.model_validate({**POLICY, "rules": [POLICY["rules"][4]]})
    judged = judge_report(dated, policy, baseline=dated, today=TODAY)
    assert [check.name for check in judged.gate.checks if check.variant == "onnxruntime-int8"] == [
        "measured",
        "bytes vs baseline",
    ]
    assert contradiction(judged) is None
    alone = judged.gate.model_copy(update={"baseline": None})
    assert contradiction(judged.model_copy(update={"gate": alone})) is not None


def test_a_report_without_any_variant_that_was_measured(dated):
    failed = [
        variant.model_validate(
            {
                **variant.model_dump(include={"id", "runtime", "precision", "method"}),
                "status": "failed",
                "error": "it crashed",
            }
        )
        for variant in dated.variants
    ]
    report = judge_report(dated.model_copy(update={"variants": tuple(failed)}), Policy.model_validate(POLICY))
    assert contradiction(report) is None
    assert contradiction(changed(report, -1, verdict=Verdict.PASS)) is not None


def test_rules_are_left_out_only_where_nobody_is_known(dated):
    lenient = Policy.model_validate({**POLICY, "all_pairs": "optional"})
    for policy in (None, lenient):
        judged = judge_report(dated, policy, today=TODAY)
        assert judged.gate.not_judged
        assert contradiction(judged) is None
        for name in ("drop_pp", "fnmr_rise_pp", "fnmr_rise_pp@0.001: all is well", "all is well"):
            assert contradiction(with_checks(judged, judged.gate.checks, not_judged=(name,))) is not None
        silent = with_checks(judged, judged.gate.checks, not_judged=())
        assert contradiction(silent) is None  # as before there were such rules
        identified = dated.model_copy(update={"variants": tuple(with_all_pairs(dated.variants, known()))})
        claimed = judge_report(identified, policy, today=TODAY)
        left_out = with_checks(claimed, claimed.gate.checks, not_judged=judged.gate.not_judged)
        assert "could not be judged" in contradiction(left_out)


def test_a_waiver_counts_as_it_did_on_the_day_of_the_report(dated):
    judged = judge_report(dated, Policy.model_validate(POLICY), today=TODAY)
    waived = next(number for number, check in enumerate(judged.gate.checks) if check.name == "required")
    held = judged.gate.checks[waived]
    assert held.verdict is Verdict.PASS
    for change in (
        {"waiver": None},
        {"waiver": held.waiver.model_copy(update={"expires": date(2026, 11, 1)})},
        {"waiver": held.waiver.model_copy(update={"check": "drop_pp"})},
        {"waiver": held.waiver.model_copy(update={"variants": "onnxruntime-*"})},
    ):
        assert contradiction(changed(judged, waived, **change)) is not None
    undated = judged.model_copy(update={"tool": judged.tool.model_copy(update={"started": None})})
    assert contradiction(undated) is None


def test_a_check_of_the_whole_run_can_complain_but_not_praise(judged):
    complaint = judged.gate.checks[0].model_copy(
        update={"name": "rule", "variant": "*", "limit": "x", "measured": None, "verdict": Verdict.INCONCLUSIVE}
    )
    assert contradiction(with_checks(judged, [*judged.gate.checks, complaint])) is None
    praise = complaint.model_copy(update={"verdict": Verdict.PASS})
    assert "check rule of * does not follow" in contradiction(with_checks(judged, [*judged.gate.checks, praise]))
    assert contradiction(with_checks(judged, [complaint, *judged.gate.checks, praise])) is not None
