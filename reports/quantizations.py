"""The quantizations behind a report: variants that carry the same one are named together.

In: a report. Out: what each step gave, how stable the ranges are and what each tensor costs, once per quantization.
"""

from dataclasses import dataclass

from ghostface_edge.reports.evidence import CurveStep, RangeStability, Sensitivity
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.variant import Variant


@dataclass(frozen=True, slots=True)
class Quantization:
    """What is known about one quantization."""

    variants: tuple[str, ...]
    curve: tuple[CurveStep, ...]
    range_stability: tuple[RangeStability, ...]
    """The least stable first."""
    sensitivity: tuple[Sensitivity, ...]
    """The costliest first."""
    as_above: bool
    """Whether stability and sensitivity are those of an earlier quantization, and stated there."""


def quantizations(report: Report) -> list[Quantization]:
    """Group the variants that state anything by what they state.

    Tensors kept in higher precision only add a step to the curve: what such a quantization shares with an earlier one
    is stated there alone.
    """
    by_evidence: dict[tuple[object, ...], list[Variant]] = {}
    for variant in report.local_variants:
        key = (variant.curve, variant.range_stability, variant.sensitivity)
        if any(key):
            by_evidence.setdefault(key, []).append(variant)
    found, stated = [], set()
    for variants in by_evidence.values():
        first = variants[0]
        parts = (first.range_stability, first.sensitivity)
        repeated = any(parts) and parts in stated
        stated.add(parts)
        found.append(
            Quantization(
                tuple(variant.id for variant in variants),
                first.curve,
                () if repeated else tuple(sorted(first.range_stability, key=lambda group: -group.spread)),
                () if repeated else tuple(sorted(first.sensitivity, key=lambda part: part.cosine)),
                repeated,
            )
        )
    return found
