"""Leak guard: whether people of the calibration faces are in the pairs too."""

from ghostface_edge.reports.blocks import Block, Bullet, Bullets, Folded, Note
from ghostface_edge.reports.section import Findings, Section


def leak_guard(findings: Findings) -> Section | None:
    """How it was looked for, and what was found."""
    guard = findings.report.data.calibration.leak_guard
    if guard is None:
        return None
    how = ", ".join(guard.checked) or "not checked"
    text = f"Calibration faces against pairs, {how}: {len(guard.found) or 'nothing'} found"
    if guard.allowed:
        text += f"; allowed by name: {', '.join(guard.allowed)}"
    blocks: list[Block] = [Note(f"{text}.")]
    if guard.found:
        blocks.append(Folded("Found", (Bullets([Bullet(line) for line in guard.found]),)))
    return Section("leaks", "Leak guard", blocks)
