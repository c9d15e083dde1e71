"""Look up what a policy's metric is in a variant: value, unit, interval.

In: a metric and a variant with status ok. Out: a `Measurement`, None where the variant does not state it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ghostface_edge.reports.policy import Metric
from ghostface_edge.reports.variant import Accuracy, Artifact, Interval, Latency, Status, Variant, VersusReference


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure, as far as the noise lets it be known."""

    name: str
    value: float
    unit: str = ""
    interval: Interval | None = None
    """95 %; None where the figure is exact for these inputs."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """A variant with status ok, its parts known to be there."""

    variant: Variant
    artifact: Artifact
    accuracy: Accuracy
    versus: VersusReference
    latency: Latency
    variants: Sequence[Variant]


def measure(metric: Metric, variant: Variant, variants: Sequence[Variant]) -> Measurement | None:
    """Look up `metric` of `variant`; `variants` holds the FP32 of its runtime."""
    artifact, accuracy, versus, latency = (
        variant.artifact,
        variant.accuracy,
        variant.versus_reference,
        variant.latency,
    )
    if artifact is None or accuracy is None or versus is None or latency is None:
        return None
    return _FIGURES[metric](_Evidence(variant, artifact, accuracy, versus, latency, variants))


def fp32_of(variant: Variant, variants: Sequence[Variant]) -> Variant | None:
    """Find the FP32 variant of the same runtime."""
    for other in variants:
        if other.runtime == variant.runtime and other.precision == "fp32" and other.status is Status.OK:
            return other
    return None


def _accuracy(at: _Evidence) -> Measurement:
    half = 1.96 * at.accuracy.standard_error
    return Measurement("accuracy", at.accuracy.mean, "", (at.accuracy.mean - half, at.accuracy.mean + half))


def _drop(at: _Evidence) -> Measurement:
    detail = f"{at.versus.flipped_pairs} decisions changed"
    return Measurement("accuracy drop", at.versus.drop_pp, "pp", at.versus.ci95_pp, detail)


def _tar_drop(at: _Evidence) -> Measurement | None:
    """Take the drop at the lowest FAR that the pairs can measure."""
    measured = {float(far): drop for far, drop in at.versus.tar_drop_pp.items() if drop is not None}
    if not measured:
        return None
    far = min(measured)
    return Measurement(f"TAR drop at FAR {far:g}", measured[far].drop_pp, "pp", measured[far].ci95_pp)


def _size_ratio(at: _Evidence) -> Measurement | None:
    fp32 = fp32_of(at.variant, at.variants)
    if fp32 is None or fp32.artifact is None or fp32.artifact.bytes == 0:
        return None
    return Measurement("size / FP32", at.artifact.bytes / fp32.artifact.bytes, "x")


def _int8_mac_share(at: _Evidence) -> Measurement | None:
    share = at.variant.int8_mac_share
    return None if share is None else Measurement("MACs in INT8", share)


_FIGURES: Mapping[Metric, Callable[[_Evidence], Measurement | None]] = {
    Metric.ACCURACY: _accuracy,
    Metric.AUC: lambda at: Measurement("AUC", at.accuracy.auc),
    Metric.EER: lambda at: Measurement("EER", at.accuracy.eer),
    Metric.DROP: _drop,
    Metric.TAR_DROP: _tar_drop,
    Metric.COSINE_MEAN: lambda at: Measurement("mean cosine", at.versus.cosine_mean),
    Metric.COSINE_P01: lambda at: Measurement("1st-percentile cosine", at.versus.cosine_p01),
    Metric.COSINE_MIN: lambda at: Measurement("lowest cosine", at.versus.cosine_min),
    Metric.FLIPPED_PAIRS: lambda at: Measurement("changed decisions", at.versus.flipped_pairs),
    Metric.LATENCY_RATIO: lambda at: Measurement(
        "latency / FP32", at.latency.versus_fp32, "x", at.latency.versus_fp32_ci95
    ),
    Metric.P50_MS: lambda at: Measurement("median latency", at.latency.p50_ms, "ms"),
    Metric.P99_MS: lambda at: Measurement("99th-percentile latency", at.latency.p99_ms, "ms"),
    Metric.LOAD_MS: lambda at: Measurement("load time", at.latency.load_ms, "ms"),
    Metric.PEAK_RSS_MB: lambda at: Measurement("peak memory", at.latency.peak_rss_mb, "MB"),
    Metric.BYTES: lambda at: Measurement("size", at.artifact.bytes, "bytes"),
    Metric.SIZE_RATIO: _size_ratio,
    Metric.INT8_MAC_SHARE: _int8_mac_share,
}
