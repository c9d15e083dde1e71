"""Variants: one row of figures each, and all accuracy figures folded below."""

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Align, Block, Cell, Column, Folded, Note, Reach, Row, Table, Tone
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.variant import Variant

COLUMNS = (
    Column("Variant"),
    Column("Verdict"),
    Column("Accuracy %", Align.RIGHT),
    Column("Drop pp", Align.RIGHT),
    Column("95 % interval", Align.RIGHT, spare=6),
    Column("TAR@FAR=1e-3 %", Align.RIGHT, spare=3),
    Column("Cosine", Align.RIGHT, spare=2),
    Column("p50 ms", Align.RIGHT, spare=5),
    Column("× FP32", Align.RIGHT, spare=1),
    Column("Size KB", Align.RIGHT, spare=4),
)
_OF_TAR = ("drop pp", "95 % interval")
_ACCURACY_COLUMNS = (
    *(Column("Variant"), "AUC", "EER %", "Threshold", "TAR@FAR=1e-2 %", *_OF_TAR, "TAR@FAR=1e-3 %", *_OF_TAR),
    *("Changed decisions", "lost", "p", "Cosine", "1st percentile", "lowest"),
)


def variants(findings: Findings) -> Section:
    """Every variant, also one without figures."""
    report, measured = findings.report, findings.measured
    rows = [_row(report, variant) for variant in report.local_variants]
    blocks: list[Block] = [
        Table(COLUMNS, rows, filter="int8, openvino…" if len(rows) > 4 else "", reach=Reach.TERMINAL),
        Note(_reading(report, measured), soft=True),
    ]
    if measured:
        details = Table(_ACCURACY_COLUMNS, [_accuracy_row(variant) for variant in measured])
        blocks.append(Folded("All accuracy figures", (details,)))
    return Section("variants", "Variants", blocks)


def _row(report: Report, variant: Variant) -> Row:
    accuracy, versus, latency = variant.accuracy, variant.versus_reference, variant.latency
    if accuracy is None or versus is None or latency is None or variant.artifact is None:
        status = variant.status.value
        return Row((variant.id, Cell(status, Tone(status)), *[wording.MISSING] * (len(COLUMNS) - 2)))
    verdict = wording.verdict_of(report, variant)
    return Row(
        (
            variant.id,
            wording.MISSING if verdict is None else Cell(verdict.value, Tone(verdict.value)),
            f"{100 * accuracy.mean:.2f} ± {100 * accuracy.standard_error:.2f}",
            f"{versus.drop_pp:+.2f}",
            wording.interval(versus.ci95_pp),
            wording.percent(accuracy.tar_at_far.get("0.001")),
            f"{versus.cosine_mean:.4f}",
            f"{latency.p50_ms:.2f}",
            f"{latency.versus_fp32:.2f}",
            f"{variant.artifact.deployed_bytes / 1000:,.0f}",
        ),
        muted=wording.compared(report, variant),
    )


def _reading(report: Report, measured: list[Variant]) -> str:
    versus = measured[0].versus_reference if measured else None
    name = f" ({versus.reference})" if versus else ""
    text = f"Drop, interval and cosine are against the reference{name}, on the same pairs."
    if any(wording.is_comparison(report, variant) for variant in report.local_variants):
        text += " Rows in grey are kept for comparison: another variant of their runtime and precision would ship."
    return text + wording.on_a_busy_machine(report)


def _accuracy_row(variant: Variant) -> list[Cell | str]:
    accuracy, versus = variant.accuracy, variant.versus_reference
    assert accuracy is not None
    assert versus is not None
    tars: list[str] = []
    for far in ("0.01", "0.001"):
        drop = versus.tar_drop_pp.get(far)
        lost = (wording.MISSING,) * 2 if drop is None else (f"{drop.drop_pp:+.2f}", wording.interval(drop.ci95_pp))
        tars += [wording.percent(accuracy.tar_at_far[far]), *lost]
    return [
        variant.id,
        f"{accuracy.auc:.5f}",
        wording.percent(accuracy.eer),
        f"{accuracy.threshold:.4f}",
        *tars,
        f"{versus.flipped_pairs:,}",
        wording.number(versus.lost_pairs, ","),
        Cell(wording.probability(versus.p_value).removeprefix("= "), sort=versus.p_value),
        f"{versus.cosine_mean:.4f}",
        f"{versus.cosine_p01:.4f}",
        f"{versus.cosine_min:.4f}",
    ]
