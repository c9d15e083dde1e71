"""Look up what a policy's rule measures: value, unit, interval.

In: a rule, a variant with status ok, the other variants, maybe the same variant of a baseline. Out: a `Measurement`,
or None where the report does not state it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ghostface_edge.reports.at_fmr import figure_at_fmr
from ghostface_edge.reports.measurement import Measurement
from ghostface_edge.reports.policy import AS_RATIO, AT_AN_FMR, Metric, RelativeTo, Rule
from ghostface_edge.reports.variant import (
    Accuracy,
    Artifact,
    Latency,
    SetResult,
    Status,
    Variant,
    VersusReference,
)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """A variant with status ok, its parts known to be there, on one set of pairs."""

    rule: Rule
    variant: Variant
    artifact: Artifact
    accuracy: Accuracy
    versus: VersusReference
    latency: Latency | None
    """None where its times do not count."""
    fp32: Variant | None


def measure(
    rule: Rule, variant: Variant, variants: Sequence[Variant], baseline: Variant | None = None
) -> Measurement | None:
    """Look up a rule's figure of a variant, relative to what the rule says.

    Args:
        rule: which figure.
        variant: whose.
        variants: of the same report.
        baseline: the variant of the same id in an earlier report.
    """
    fp32 = fp32_of(variant, variants)
    own = _figure(rule, variant, fp32)
    if own is None or rule.relative_to is RelativeTo.NOTHING:
        return own
    other = fp32 if rule.relative_to is RelativeTo.FP32 else baseline
    # a baseline's ratios are to its own FP32, which its report need not hold any more
    before = None if other is None else _figure(rule, other, fp32 if rule.relative_to is RelativeTo.FP32 else None)
    return None if before is None else _relative(own, before, rule)


def fp32_of(variant: Variant, variants: Sequence[Variant]) -> Variant | None:
    """Find the FP32 variant of the same runtime in the same place."""
    for other in variants:
        is_of_it = (other.runtime, other.device) == (variant.runtime, variant.device)
        if is_of_it and other.precision == "fp32" and other.status is Status.OK:
            return other
    return None


def _figure(rule: Rule, variant: Variant, fp32: Variant | None) -> Measurement | None:
    if rule.metric in AT_AN_FMR:
        return figure_at_fmr(rule, variant.all_pairs)
    result = _on_set(rule, variant)
    if result is None or variant.artifact is None:
        return None
    evidence = _Evidence(
        rule, variant, variant.artifact, result.accuracy, result.versus_reference, variant.latency, fp32
    )
    return _FIGURES[rule.metric](evidence)


def _on_set(rule: Rule, variant: Variant) -> SetResult | None:
    if rule.set is not None:
        return variant.sets.get(rule.set)
    if variant.accuracy is None or variant.versus_reference is None:
        return None
    return SetResult(accuracy=variant.accuracy, versus_reference=variant.versus_reference)


def _relative(own: Measurement, before: Measurement, rule: Rule) -> Measurement | None:
    """Divide or subtract; the two errors are taken as independent, which is cautious for the same pairs."""
    detail = f"{own.value:.4g} against {before.value:.4g}{own.unit and ' ' + own.unit}"
    if rule.metric in AS_RATIO:
        if before.value == 0:
            return None
        return Measurement(f"{own.name} / {rule.relative_to}", own.value / before.value, "x", None, detail)
    interval = None
    if own.interval is not None and before.interval is not None:
        below = math.hypot(own.value - own.interval[0], before.interval[1] - before.value)
        above = math.hypot(own.interval[1] - own.value, before.value - before.interval[0])
        interval = (own.value - before.value - below, own.value - before.value + above)
    return replace(
        own,
        name=f"{own.name} - {rule.relative_to}",
        value=own.value - before.value,
        interval=interval,
        detail=detail,
    )


def _accuracy(at: _Evidence) -> Measurement:
    half = 1.96 * at.accuracy.standard_error
    return Measurement("accuracy", at.accuracy.mean, "", (at.accuracy.mean - half, at.accuracy.mean + half))


def _tar(at: _Evidence) -> Measurement | None:
    tar = at.accuracy.tar_at_far.get(at.rule.far or "")
    return None if tar is None else Measurement(f"TAR at FAR {at.rule.far}", tar)


def _drop(at: _Evidence) -> Measurement:
    return Measurement("accuracy drop", at.versus.drop_pp, "pp", at.versus.ci95_pp)


def _tar_drop(at: _Evidence) -> Measurement | None:
    drop = at.versus.tar_drop_pp.get(at.rule.far or "")
    return None if drop is None else Measurement(f"TAR drop at FAR {at.rule.far}", drop.drop_pp, "pp", drop.ci95_pp)


def _frozen(at: _Evidence) -> Measurement | None:
    transfer = at.variant.thresholds.get(at.rule.far or "")
    if transfer is None:
        return None
    far = at.rule.metric is Metric.FROZEN_FAR
    name = f"{'FAR' if far else 'FRR'} at the reference's threshold for FAR {at.rule.far}"
    return Measurement(name, transfer.frozen.far if far else transfer.frozen.frr)


def _size_ratio(at: _Evidence) -> Measurement | None:
    fp32_bytes = at.artifact.fp32_bytes
    if fp32_bytes is None and at.fp32 is not None and at.fp32.artifact is not None:
        fp32_bytes = at.fp32.artifact.bytes
    return Measurement("size / FP32", at.artifact.deployed_bytes / fp32_bytes, "x") if fp32_bytes else None


def _latency_ratio(at: _Evidence) -> Measurement | None:
    if at.latency is None:
        return None
    return Measurement("latency / FP32", at.latency.versus_fp32, "x", at.latency.versus_fp32_ci95)


def _latency(field: str, name: str, unit: str) -> Callable[[_Evidence], Measurement | None]:
    return lambda at: None if at.latency is None else Measurement(name, getattr(at.latency, field), unit)


def _device_drop(at: _Evidence) -> Measurement | None:
    """Where every face comes out the same but for rounding, no other pair would tell more: the point decides."""
    there = at.variant.versus_local
    if there is None:
        return None
    interval = None if there.cosine_min >= _ROUNDING_COSINE else there.ci95_pp
    return Measurement("accuracy lost on the device", there.drop_pp, "pp", interval)


def _int8_mac_share(at: _Evidence) -> Measurement | None:
    share = at.variant.int8_mac_share
    return None if share is None else Measurement("MACs in INT8", share)


_ROUNDING_COSINE: Final = 0.9999
"""Lowest cosine of two computations of one function, as for an FP32 conversion."""
_FIGURES: Mapping[Metric, Callable[[_Evidence], Measurement | None]] = {
    Metric.ACCURACY: _accuracy,
    Metric.AUC: lambda at: Measurement("AUC", at.accuracy.auc),
    Metric.EER: lambda at: Measurement("EER", at.accuracy.eer),
    Metric.TAR: _tar,
    Metric.DROP: _drop,
    Metric.TAR_DROP: _tar_drop,
    Metric.COSINE_MEAN: lambda at: Measurement("mean cosine", at.versus.cosine_mean),
    Metric.COSINE_P01: lambda at: Measurement("1st-percentile cosine", at.versus.cosine_p01),
    Metric.COSINE_MIN: lambda at: Measurement("lowest cosine", at.versus.cosine_min),
    Metric.FLIPPED_PAIRS: lambda at: Measurement("changed decisions", at.versus.flipped_pairs),
    Metric.FROZEN_FAR: _frozen,
    Metric.FROZEN_FRR: _frozen,
    Metric.LATENCY_RATIO: _latency_ratio,
    Metric.P50_MS: _latency("p50_ms", "median latency", "ms"),
    Metric.P99_MS: _latency("p99_ms", "99th-percentile latency", "ms"),
    Metric.LOAD_MS: _latency("load_ms", "load time", "ms"),
    Metric.PEAK_RSS_MB: _latency("peak_rss_mb", "peak memory", "MB"),
    Metric.BYTES: lambda at: Measurement("size", at.artifact.deployed_bytes, "bytes"),
    Metric.SIZE_RATIO: _size_ratio,
    Metric.INT8_MAC_SHARE: _int8_mac_share,
    Metric.DEVICE_DROP: _device_drop,
}
