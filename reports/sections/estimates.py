"""Estimates: what a compiler expects of accelerators that were not there, apart from what was measured.

Four questions are answered for every compiled model, those that a port of this network to an Ethos-U55-64 board
(Himax WiseEye2) was given up over.
"""

from collections.abc import Iterator
from typing import Final

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Align, Block, Bullet, Bullets, Cell, Column, Note, Reach, Span, Table, Tone
from ghostface_edge.reports.evidence import NpuEstimate
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.variant import Variant

_MEAN_COSINE: Final = 0.98
_MEMORY_BYTES: Final = 700_000
_CHECKS: Final = ("cosine", "NPU", "memory", "input")
_COLUMNS = (
    Column("Variant"),
    Column("Accelerator"),
    *(Column(name, Align.RIGHT) for name in ("Estimated ms", "SRAM KiB", "Flash KiB")),
    Column("Cycles", Align.RIGHT, spare=5),
    Column("Memory mode", spare=3),
    Column("MACs/cycle", Align.RIGHT, spare=4),
    Column("On the NPU", Align.RIGHT, spare=1),
    Column("Fails"),
    Column("Compiled model", Align.WIDE, spare=2),
)
_READING = (
    "What the compiler expects of accelerators that were not there. No limit of the gate counts these figures, and "
    "they do not compare with the measured latencies above. Each model is asked four things: mean cosine to the "
    f"reference of at least {_MEAN_COSINE} (measured on the host, in the same integers), all operators on the NPU, at "
    f"most {_MEMORY_BYTES // 1000} kB of arena and fast memory, and an output that does not lie over the input."
)


def estimates(findings: Findings) -> Section | None:
    """A row per variant and accelerator."""
    report = findings.report
    rows = _rows(report)
    if not rows:
        return None
    tools = dict.fromkeys(estimate.tool for variant in report.local_variants for estimate in variant.estimates)
    title = f"NPUs, estimated by {' and '.join(tools)}, not measured"
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
            "" if estimate.inference_ms is None else f"{estimate.inference_ms:.2f}",
            f"{estimate.sram_kib:,.0f}",
            f"{estimate.flash_kib:,.0f}",
            "" if estimate.cycles is None else f"{estimate.cycles:,}",
            estimate.memory_mode or "",
            f"{estimate.macs_per_cycle:.1f}",
            f"{estimate.npu_operators} of {estimate.npu_operators + estimate.cpu_operators}",
            _failed(variant, estimate),
            Cell(Span(estimate.path)),
        )
        for variant in report.local_variants
        for estimate in variant.estimates
    ]


def _failed(variant: Variant, estimate: NpuEstimate) -> Cell:
    failed = [check for check, holds in zip(_CHECKS, _answers(variant, estimate), strict=True) if holds is False]
    return Cell(", ".join(failed), Tone.CAREFUL) if failed else Cell("none", Tone.PASS)


def _answers(variant: Variant, estimate: NpuEstimate) -> Iterator[bool | None]:
    """Whether each check holds; None where the report does not know."""
    reference, memory = variant.versus_reference, _memory_bytes(estimate)
    yield None if reference is None else reference.cosine_mean >= _MEAN_COSINE
    yield not estimate.cpu_operators
    yield None if memory is None else memory <= _MEMORY_BYTES
    yield not estimate.output_in_input


def _memory_bytes(estimate: NpuEstimate) -> int | None:
    """Read and written memory; None in reports that do not state it."""
    return None if estimate.arena_bytes is None else estimate.arena_bytes + estimate.fast_memory_bytes


def warnings(report: Report) -> list[str]:
    """Say what a user of the compiled models has to know, a line per variant and matter."""
    return [line for variant in report.local_variants if variant.estimates for line in _warnings(variant)]


def _warnings(variant: Variant) -> Iterator[str]:
    reference, estimates = variant.versus_reference, variant.estimates
    if reference is not None and reference.cosine_mean < _MEAN_COSINE:
        yield (
            f"{variant.id}: mean cosine to the reference is {reference.cosine_mean:.4f}, below {_MEAN_COSINE}: try the "
            "recipe best, or more calibration faces."
        )
    for estimate in estimates:
        if estimate.cpu_operators:
            left = wording.count(estimate.cpu_operators, "operator")
            yield f"{variant.id} on {estimate.accelerator}: {left} left on the CPU."
        if estimate.not_int8:
            others = wording.enumeration(list(estimate.not_int8))
            yield f"{variant.id} on {estimate.accelerator}: not INT8: {others}."
    large = {one.accelerator: memory for one in estimates if (memory := _memory_bytes(one) or 0) > _MEMORY_BYTES}
    if large:
        yield (
            f"{variant.id} on {wording.enumeration(list(large))}: arena and fast memory take up to "
            f"{max(large.values()) / 1000:,.0f} kB, more than {_MEMORY_BYTES // 1000}."
        )
    shared = [estimate.accelerator for estimate in estimates if estimate.output_in_input]
    if shared:
        yield (
            f"{variant.id} on {wording.enumeration(shared)}: the compiler put the output inside the input's "
            "memory, so that every inference overwrites its input. Read the output first, then fill the input anew "
            "before every inference; or use the model that leaves its input alone, listed as “input kept” where "
            "there is one."
        )
