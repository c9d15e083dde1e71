"""Quantization: how much runs in INT8, what each step gave, what is costly and what is unstable."""

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import (
    Block,
    Cell,
    Column,
    Folded,
    Note,
    Reach,
    Row,
    Span,
    Table,
)
from ghostface_edge.reports.quantizations import quantizations
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.sections.one_quantization import evidence_of
from ghostface_edge.reports.variant import Variant

_COLUMNS = (
    *(Column("Variant"), Column("Method"), "MACs in INT8 %", "In higher precision", "Drop pp", "95 % interval"),
    *("TAR@FAR=1e-3 drop pp", "Cosine", "1st percentile"),
)


def quantization(findings: Findings) -> Section | None:
    """Nothing where no variant was quantized, or none says how."""
    report = findings.report
    rows = [
        _row(report, variant)
        for variant in findings.measured
        if variant.int8_mac_share is not None and wording.is_integer(variant)
    ]
    blocks: list[Block] = [Table(_COLUMNS, rows)] if rows else []
    blocks += [
        Folded(_folded(variant), (Note(Span(", ".join(variant.float_tensors))),))
        for variant in report.local_variants
        if variant.float_tensors
    ]
    searched = [note for variant in report.local_variants if (note := latency_search(variant)) is not None]
    blocks += [Note(note, reach=Reach.TERMINAL) for note in searched]
    for found in quantizations(report):
        blocks += evidence_of(found)
    return Section("quantization", "Quantization", blocks) if blocks else None


def _row(report: Report, variant: Variant) -> Row:
    versus = variant.versus_reference
    assert versus is not None
    tar = versus.tar_drop_pp.get("0.001")
    return Row(
        (
            variant.id,
            variant.method,
            wording.percent(variant.int8_mac_share),
            Cell(_kept(variant), sort=len(variant.float_tensors)),
            f"{versus.drop_pp:+.2f}",
            wording.interval(versus.ci95_pp),
            wording.MISSING if tar is None else f"{tar.drop_pp:+.2f}",
            f"{versus.cosine_mean:.4f}",
            f"{versus.cosine_p01:.4f}",
        ),
        muted=wording.compared(report, variant),
    )


def _kept(variant: Variant) -> str:
    if not variant.float_tensors:
        return wording.MISSING
    means = f", {variant.higher_precision}" if variant.higher_precision else ""
    return f"{wording.count(len(variant.float_tensors), 'tensor')}{means}"


def _folded(variant: Variant) -> str:
    means = f" ({variant.higher_precision})" if variant.higher_precision else ""
    return f"{variant.id}: {wording.count(len(variant.float_tensors), 'tensor')} in higher precision{means}"


def latency_search(variant: Variant) -> str | None:
    """Say what a search for the fastest precisions gained."""
    found = variant.latency_search
    if found is None:
        return None
    if found.float_share == 0:
        return (
            f"{variant.id}: none of {found.measured:,} assignments of precision to layers timed on this host beat INT8 "
            f"throughout beyond chance, so it stays (cosine {found.cosine:.4f} on held-out calibration faces)."
        )
    low, high = found.versus_int8_ci95
    gain = "" if high < 1 else ", which is no gain beyond chance"
    return (
        f"{variant.id}: of {found.measured:,} assignments of precision to layers timed on this host, the fastest whose "
        f"cosine on held-out calibration faces keeps {found.cosine_limit:g} (it has {found.cosine:.4f}) takes "
        f"{found.versus_int8:.2f} × [{low:.2f}, {high:.2f}] the time of the same network wholly in INT8{gain}; "
        f"{wording.share(found.float_share)} of its MACs run in float."
    )
