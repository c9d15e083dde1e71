"""What a rule measures: every metric, alone and relative to another variant."""

import math
from typing import Any

import pytest

from ghostface_edge.reports.evidence import OperatingPoint, TarDrop, ThresholdTransfer
from ghostface_edge.reports.measured import measure
from ghostface_edge.reports.measurement import Measurement
from ghostface_edge.reports.policy import Rule
from ghostface_edge.reports.variant import Status, Variant

AT = {"far": "0.01"}
CHANGES: dict[str, dict[str, Any]] = {
    "accuracy": {
        "mean": 0.9,
        "standard_error": 0.01,
        "auc": 0.95,
        "eer": 0.1,
        "tar_at_far": {"0.01": 0.8, "0.001": None},
    },
    "versus_reference": {
        "drop_pp": 2.0,
        "ci95_pp": (1.0, 4.0),
        "flipped_pairs": 7,
        "cosine_mean": 0.97,
        "cosine_p01": 0.9,
        "cosine_min": 0.8,
        "tar_drop_pp": {"0.01": TarDrop(drop_pp=3.0, ci95_pp=(2.0, 5.0)), "0.001": None},
    },
    "latency": {
        "p50_ms": 1.5,
        "p99_ms": 2.5,
        "load_ms": 20.0,
        "peak_rss_mb": 90.0,
        "versus_fp32": 0.75,
        "versus_fp32_ci95": (0.7, 0.8),
    },
    "artifact": {"bytes": 1_000_000, "fp32_bytes": 4_000_000},
}


def _point(far: float, frr: float) -> OperatingPoint:
    return OperatingPoint(threshold=0.4, far=far, frr=frr)


@pytest.fixture(scope="module")
def int8(few_variants: list[Variant]) -> Variant:
    return _with(
        few_variants[1],
        int8_mac_share=0.97,
        thresholds={
            "0.01": ThresholdTransfer(
                reference=_point(0.01, 0.1), frozen=_point(0.02, 0.05), retuned=_point(0.01, 0.2)
            ),
            "0.001": None,
        },
        **CHANGES,
    )


@pytest.fixture(scope="module")
def fp32(few_variants: list[Variant]) -> Variant:
    return _with(few_variants[0], artifact={"bytes": 3_200_000, "fp32_bytes": None})


def _with(variant: Variant, **changes: Any) -> Variant:
    """Fields of a variant's parts, or whole fields, set to something else."""
    parts = {
        name: getattr(variant, name).model_copy(update=fields) if name in CHANGES else fields
        for name, fields in changes.items()
    }
    return variant.model_copy(update=parts)


def _rule(metric: str, **others: str) -> Rule:
    return Rule.model_validate({"metric": metric, "variants": "*", "max": 1, **others})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (_rule("accuracy"), Measurement("accuracy", 0.9, "", (0.9 - 0.0196, 0.9 + 0.0196))),
        (_rule("auc"), Measurement("AUC", 0.95)),
        (_rule("eer"), Measurement("EER", 0.1)),
        (_rule("tar_at_far", **AT), Measurement("TAR at FAR 0.01", 0.8)),
        (_rule("tar_at_far", far="0.001"), None),
        (_rule("drop_pp"), Measurement("accuracy drop", 2.0, "pp", (1.0, 4.0))),
        (_rule("tar_drop_pp", **AT), Measurement("TAR drop at FAR 0.01", 3.0, "pp", (2.0, 5.0))),
        (_rule("tar_drop_pp", far="0.001"), None),
        (_rule("cosine_mean"), Measurement("mean cosine", 0.97)),
        (_rule("cosine_p01"), Measurement("1st-percentile cosine", 0.9)),
        (_rule("cosine_min"), Measurement("lowest cosine", 0.8)),
        (_rule("flipped_pairs"), Measurement("changed decisions", 7)),
        (_rule("frozen_far", **AT), Measurement("FAR at the reference's threshold for FAR 0.01", 0.02)),
        (_rule("frozen_frr", **AT), Measurement("FRR at the reference's threshold for FAR 0.01", 0.05)),
        (_rule("frozen_frr", far="0.001"), None),
        (_rule("versus_fp32"), Measurement("latency / FP32", 0.75, "x", (0.7, 0.8))),
        (_rule("p50_ms"), Measurement("median latency", 1.5, "ms")),
        (_rule("p99_ms"), Measurement("99th-percentile latency", 2.5, "ms")),
        (_rule("load_ms"), Measurement("load time", 20.0, "ms")),
        (_rule("peak_rss_mb"), Measurement("peak memory", 90.0, "MB")),
        (_rule("bytes"), Measurement("size", 1_000_000, "bytes")),
        (_rule("size_ratio"), Measurement("size / FP32", 0.25, "x")),
        (_rule("int8_mac_share"), Measurement("MACs in INT8", 0.97)),
        (_rule("drop_pp", set="few"), None),
    ],
    ids=lambda value: value.name if isinstance(value, Rule) else "",
)
def test_every_metric_is_looked_up(int8: Variant, fp32: Variant, rule: Rule, expected: Measurement | None) -> None:
    assert measure(rule, int8, [fp32, int8]) == expected


def test_a_share_that_is_not_stated_is_not_measured(fp32: Variant) -> None:
    assert measure(_rule("int8_mac_share"), fp32, [fp32]) is None


def test_a_size_is_held_against_the_fp32_variant_where_its_report_does_not_say_more(
    int8: Variant, fp32: Variant
) -> None:
    bare = _with(int8, artifact={"fp32_bytes": None})
    assert measure(_rule("size_ratio"), bare, [fp32, bare]) == Measurement("size / FP32", 0.3125, "x")
    assert measure(_rule("size_ratio"), bare, [bare]) is None


@pytest.mark.parametrize("part", ["artifact", "accuracy", "versus_reference"])
def test_a_variant_that_lacks_a_part_has_no_figure(int8: Variant, part: str) -> None:
    failed = int8.model_copy(update={"status": Status.FAILED, "error": "killed by SIGSEGV", part: None})
    assert measure(_rule("bytes", relative_to="baseline"), int8, [int8], failed) is None


def test_what_was_not_timed_has_no_time_and_a_size(int8: Variant) -> None:
    untimed = int8.model_copy(update={"latency": None})
    assert measure(_rule("p50_ms"), untimed, [untimed]) is None
    assert measure(_rule("bytes"), untimed, [untimed]) is not None


def test_figures_are_divided_by_those_of_fp32(int8: Variant, fp32: Variant) -> None:
    other = _with(fp32, latency={"p50_ms": 1.0, "load_ms": 0.0})
    expected = Measurement("median latency / fp32", 1.5, "x", None, "1.5 against 1 ms")
    assert measure(_rule("p50_ms", relative_to="fp32"), int8, [int8, other]) == expected
    assert measure(_rule("load_ms", relative_to="fp32"), int8, [int8, other]) is None
    assert measure(_rule("p50_ms", relative_to="fp32"), int8, [int8]) is None


def test_the_first_fp32_of_the_runtime_that_was_measured_counts(int8: Variant, fp32: Variant) -> None:
    broken = fp32.model_copy(update={"status": Status.FAILED, "error": "killed"})
    elsewhere = fp32.model_copy(update={"id": "tflite-fp32", "runtime": "tflite"})
    slow = _with(fp32, latency={"p50_ms": 3.0})
    found = measure(_rule("p50_ms", relative_to="fp32"), int8, [broken, elsewhere, slow, fp32])
    assert found is not None
    assert found.value == 0.5


def test_figures_are_subtracted_and_both_intervals_count(int8: Variant) -> None:
    earlier = _with(int8, versus_reference={"drop_pp": 0.5, "ci95_pp": (0.2, 1.0)})
    found = measure(_rule("drop_pp", relative_to="baseline"), int8, [int8], earlier)
    below, above = math.hypot(1.0, 0.5), math.hypot(2.0, 0.3)
    assert found is not None
    assert (found.name, found.value, found.unit) == ("accuracy drop - baseline", 1.5, "pp")
    assert found.detail == "2 against 0.5 pp"
    assert found.interval == pytest.approx((1.5 - below, 1.5 + above))


def test_without_two_intervals_there_is_none(int8: Variant) -> None:
    rule = _rule("versus_fp32", relative_to="baseline")
    bare = _with(int8, latency={"versus_fp32_ci95": None})
    for own, earlier in ((int8, bare), (bare, int8), (bare, bare)):
        found = measure(rule, own, [own], earlier)
        assert found is not None
        assert (found.value, found.interval) == (0.0, None)
    assert measure(_rule("auc", relative_to="baseline"), int8, [int8], int8) == Measurement(
        "AUC - baseline", 0.0, "", None, "0.95 against 0.95"
    )


def test_a_baseline_is_held_against_its_own_fp32(int8: Variant, fp32: Variant) -> None:
    rule = _rule("size_ratio", relative_to="baseline")
    bare = _with(int8, artifact={"fp32_bytes": None})
    assert measure(rule, int8, [fp32, int8], bare) is None
    found = measure(_rule("size_ratio", relative_to="fp32"), int8, [fp32, int8])
    assert found is not None
    assert found.value == 0.25 - 1


def test_a_variant_that_the_baseline_lacks_is_not_compared(int8: Variant) -> None:
    assert measure(_rule("bytes", relative_to="baseline"), int8, [int8]) is None
