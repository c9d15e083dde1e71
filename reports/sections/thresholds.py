"""Thresholds: what the one tuned on FP32 does with each variant, and each variant's own."""

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Column, Note, Span, Style, Table
from ghostface_edge.reports.section import Findings, Section

_COLUMNS = (
    *(Column("Variant"), "FAR asked for", "FP32 threshold", "FAR frozen %", "FRR frozen %"),
    *("Own threshold", "FAR retuned %", "FRR retuned %"),
)
_READING = (
    "A device in the field keeps the threshold that was tuned on FP32. ",
    *(Span("Frozen", Style.EMPHASIS), " is what that threshold does with the variant; "),
    *(Span("retuned", Style.EMPHASIS), " is the variant's own."),
)


def thresholds(findings: Findings) -> Section | None:
    """A row per variant and FAR that can be measured."""
    rows = [
        (
            variant.id,
            far,
            f"{transfer.reference.threshold:.4f}",
            wording.percent(transfer.frozen.far),
            wording.percent(transfer.frozen.frr),
            f"{transfer.retuned.threshold:.4f}",
            wording.percent(transfer.retuned.far),
            wording.percent(transfer.retuned.frr),
        )
        for variant in findings.report.local_variants
        for far, transfer in variant.thresholds.items()
        if transfer is not None
    ]
    return Section("thresholds", "Thresholds", (Note(_READING), Table(_COLUMNS, rows))) if rows else None
