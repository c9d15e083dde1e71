"""Where a figure lies against its limits, and what would settle it."""

from typing import Any

import pytest

from ghostface_edge.reports.discordant import pairs_to_settle
from ghostface_edge.reports.gate import judge
from ghostface_edge.reports.measurement import Measurement
from ghostface_edge.reports.policy import Policy, Rule
from ghostface_edge.reports.report import Check, Variant, Verdict
from ghostface_edge.reports.variant_checks import place


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-1, 1, Verdict.PASS),
        (-1, -1, Verdict.PASS),
        (1, 1, Verdict.PASS),
        (1, 1.1, Verdict.INCONCLUSIVE),
        (-1.1, -1, Verdict.INCONCLUSIVE),
        (1.01, 1.1, Verdict.FAIL),
        (-1.1, -1.01, Verdict.FAIL),
    ],
)
def test_all_of_an_interval_decides(low: float, high: float, verdict: Verdict) -> None:
    rule = Rule.model_validate({"metric": "drop_pp", "variants": "*", "min": -1, "max": 1})
    assert place(Measurement("accuracy drop", (low + high) / 2, "pp", (low, high)), rule) is verdict
    if low == high:
        assert place(Measurement("accuracy drop", low, "pp"), rule) is verdict


def _check(variant: Variant, rule: dict[str, Any]) -> Check:
    policy = Policy.model_validate({"schema_version": 1, "name": "test", "rules": [{"variants": "*-int8", **rule}]})
    (check,) = [check for check in judge([variant], policy).checks if check.name.startswith(rule["metric"])]
    return check


def _with_drop(variant: Variant, drop_pp: float, **others: Any) -> Variant:
    wide = {"drop_pp": drop_pp, "ci95_pp": (-20, 20), "flipped_pairs": 3, "pairs": 60, **others}
    return variant.model_copy(update={"versus_reference": variant.versus_reference.model_copy(update=wide)})


DROP = {"metric": "drop_pp", "min": -0.75, "max": 0.75}


@pytest.mark.parametrize("drop_pp", [0.5, -0.5])
def test_the_nearest_limit_says_how_many_pairs_would_settle_it(few_variants: list[Variant], drop_pp: float) -> None:
    check = _check(_with_drop(few_variants[1], drop_pp), DROP)
    assert check.verdict is Verdict.INCONCLUSIVE
    needed = pairs_to_settle(0.5, 0.75, 3, 60)
    assert check.reason.endswith(f"; 60 pairs cannot settle it, about {needed:,} would")


def test_more_pairs_than_there_are_would_settle_it(few_variants: list[Variant]) -> None:
    check = _check(_with_drop(few_variants[1], 10.0, pairs=60_000), DROP)
    assert check.reason.endswith("; 60,000 pairs cannot settle it, about 60,001 would")


@pytest.mark.parametrize(("drop_pp", "pairs"), [(0.75, 60), (0.5, None)])
def test_a_drop_at_its_limit_is_settled_by_no_number(few_variants: list[Variant], drop_pp: float, pairs: int) -> None:
    check = _check(_with_drop(few_variants[1], drop_pp, pairs=pairs), DROP)
    assert check.reason.endswith("; too noisy to tell, measure longer or on more pairs")


def test_noise_of_a_clock_is_not_settled_by_pairs(few_variants: list[Variant]) -> None:
    latency = few_variants[1].latency.model_copy(update={"versus_fp32": 1.0, "versus_fp32_ci95": (0.9, 1.1)})
    check = _check(few_variants[1].model_copy(update={"latency": latency}), {"metric": "versus_fp32", "max": 1.05})
    assert check.reason.endswith("; too noisy to tell, measure longer or on more pairs")


def test_a_further_set_is_settled_by_its_own_pairs(few_variants: list[Variant]) -> None:
    variant = _with_drop(few_variants[1], 0.0)
    result = {
        "accuracy": variant.accuracy.model_dump(),
        "versus_reference": _with_drop(variant, 0.5, pairs=50).versus_reference.model_dump(),
    }
    with_set = Variant.model_validate({**variant.model_dump(), "sets": {"few": result}})
    check = _check(with_set, {**DROP, "set": "few"})
    needed = pairs_to_settle(0.5, 0.75, 3, 50)
    assert check.reason.endswith(f"; 50 pairs cannot settle it, about {needed:,} would")
