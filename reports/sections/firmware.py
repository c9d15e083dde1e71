"""Firmware: what TensorFlow Lite Micro needs to run each variant."""

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Definitions, Reach, Span, Style, Words
from ghostface_edge.reports.evidence import Firmware
from ghostface_edge.reports.section import Findings, Section


def firmware(findings: Findings) -> Section | None:
    """Nothing where no variant is for microcontrollers."""
    needs = [(variant.id, _words(variant.firmware)) for variant in findings.report.local_variants if variant.firmware]
    if not needs:
        return None
    return Section("firmware", "TensorFlow Lite Micro", (Definitions(needs, Reach.COMMENT),), nav="Firmware")


def _words(needs: Firmware) -> Words:
    arena = Span(f"{needs.arena_bytes / 1024:,.0f} KiB", Style.STRONG)
    register = wording.count(len(needs.operators), "operator")
    measured = f" ({needs.arena_bytes:,} bytes), measured in its own interpreter; {register} to register: "
    words: list[str | Span] = ["tensor arena ", arena, measured]
    for place, (name, calls) in enumerate(needs.operators.items()):
        words += [", " if place else "", Span(name), f" ×{calls}"]
    for place, file in enumerate(needs.files):
        words += [", " if place else "; files beside the model: ", Span(file)]
    return tuple(words)
