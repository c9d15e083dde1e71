"""The quantizations behind a report: variants that carry the same one are named together.

In: a report. Out: what each step gave, how stable the ranges are and what each tensor costs, once per quantization.
"""

from dataclasses import dataclass

from ghostface_edge.reports.evidence import CurveStep, RangeStability, Sensitivity
from ghostface_edge.reports.report import Report


@dataclass(frozen=True, slots=True)
class Quantization:
    """What is known about one quantization."""

    variants: tuple[str, ...]
    curve: tuple[CurveStep, ...]
    range_stability: tuple[RangeStability, ...]
    """The least stable first."""
    sensitivity: tuple[Sensitivity, ...]
    """The costliest first."""


def quantizations(report: Report) -> list[Quantization]:
    """Group the variants that state anything by what they state."""
    carriers: dict[tuple[object, ...], list[str]] = {}
    for variant in report.variants:
        key = (variant.curve, variant.range_stability, variant.sensitivity)
        if any(key):
            carriers.setdefault(key, []).append(variant.id)
    named = {variant.id: variant for variant in report.variants}
    return [
        Quantization(
            tuple(ids),
            named[ids[0]].curve,
            tuple(sorted(named[ids[0]].range_stability, key=lambda group: -group.spread)),
            tuple(sorted(named[ids[0]].sensitivity, key=lambda part: part.cosine)),
        )
        for ids in carriers.values()
    ]
