"""How figures are written for people, alike in every rendering."""

from ghostface_edge.reports.record import Interval
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.variant import Variant

MISSING = "–"
COLUMNS = (
    "Variant",
    "Accuracy %",
    "Drop pp",
    "95 % interval",
    "TAR@FAR=1e-3 %",
    "Cosine",
    "p50 ms",
    "× FP32",
    "Size KB",
    "Verdict",
)


def row(report: Report, variant: Variant) -> tuple[str, ...]:
    """Write one variant's figures, in the order of COLUMNS."""
    accuracy, versus, latency = variant.accuracy, variant.versus_reference, variant.latency
    if accuracy is None or versus is None or latency is None or variant.artifact is None:
        return (variant.id, *[MISSING] * (len(COLUMNS) - 2), variant.status.value)
    return (
        variant.id,
        f"{100 * accuracy.mean:.2f} ± {100 * accuracy.standard_error:.2f}",
        f"{versus.drop_pp:+.2f}",
        interval(versus.ci95_pp),
        percent(accuracy.tar_at_far.get("0.001")),
        f"{versus.cosine_mean:.4f}",
        f"{latency.p50_ms:.2f}",
        f"{latency.versus_fp32:.2f}",
        f"{variant.artifact.bytes / 1000:,.0f}",
        verdict_of(report, variant),
    )


def verdict_of(report: Report, variant: Variant) -> str:
    """Sum up a variant's own checks, worst first."""
    verdicts = [check.verdict.value for check in report.gate.checks if check.variant == variant.id]
    return next((verdict for verdict in ("fail", "inconclusive", "pass") if verdict in verdicts), MISSING)


def percent(fraction: float | None) -> str:
    """Write a fraction as percent, a figure that cannot be measured as a dash."""
    return MISSING if fraction is None else f"{100 * fraction:.2f}"


def interval(bounds: Interval | None) -> str:
    """Write an interval in the unit it has."""
    return MISSING if bounds is None else f"{bounds[0]:+.2f} … {bounds[1]:+.2f}"
