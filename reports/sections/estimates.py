"""Estimates: what a compiler expects of accelerators that were not there, apart from what was measured."""

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Align, Block, Bullet, Bullets, Cell, Column, Note, Reach, Span, Table, Tone
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section

_COLUMNS = (
    Column("Variant"),
    Column("Accelerator"),
    *(Column(name, Align.RIGHT) for name in ("Estimated ms", "SRAM KiB", "Flash KiB")),
    Column("MACs/cycle", Align.RIGHT, spare=1),
    *(Column(name, Align.RIGHT) for name in ("NPU operators", "CPU operators")),
    Column("Compiled model", Align.WIDE, spare=2),
)
_READING = (
    "What the compiler expects of accelerators that were not there. No check counts these figures, and they do not "
    "compare with the measured latencies above."
)


def estimates(findings: Findings) -> Section | None:
    """A row per variant and accelerator."""
    report = findings.report
    rows = _rows(report)
    if not rows:
        return None
    tools = dict.fromkeys(estimate.tool for variant in report.local_variants for estimate in variant.estimates)
    title = f"Ethos-U, estimated by {' and '.join(tools)}, not measured"
    table = Table(_COLUMNS, rows, reach=Reach.TERMINAL)
    careful = [Bullet(line, Tone.CAREFUL) for line in warnings(report)]
    blocks: list[Block] = [Note(_READING), table]
    if careful:
        blocks.append(Bullets(careful, reach=Reach.TERMINAL))
    return Section("estimates", title, blocks, nav="Estimates", framed=True)


def _rows(report: Report) -> list[tuple[Cell | str, ...]]:
    return [
        (
            variant.id,
            estimate.accelerator,
            f"{estimate.inference_ms:.2f}",
            f"{estimate.sram_kib:,.0f}",
            f"{estimate.flash_kib:,.0f}",
            f"{estimate.macs_per_cycle:.1f}",
            f"{estimate.npu_operators}",
            f"{estimate.cpu_operators}",
            Cell(Span(estimate.path)),
        )
        for variant in report.local_variants
        for estimate in variant.estimates
    ]


def warnings(report: Report) -> list[str]:
    """Say what a user of the compiled models has to know, a line per variant and matter."""
    lines = []
    for variant in report.local_variants:
        shared = [estimate.accelerator for estimate in variant.estimates if estimate.output_in_input]
        if shared:
            lines.append(
                f"{variant.id} on {wording.enumeration(shared)}: the compiler put the output inside the input's "
                "memory, so that every inference overwrites its input. Read the output first, then fill the input anew "
                "before every inference; or use the model that leaves its input alone, listed as “input kept” where "
                "there is one."
            )
        lines += [
            f"{variant.id} on {estimate.accelerator}: "
            f"{wording.count(estimate.cpu_operators, 'operator')} left on the CPU."
            for estimate in variant.estimates
            if estimate.cpu_operators
        ]
    return lines
