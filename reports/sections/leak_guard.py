"""Leak guard: whether people of the calibration faces are in the pairs too, and what was done about it."""

from ghostface_edge.reports.blocks import Block, Bullet, Bullets, Folded, Note, Reach
from ghostface_edge.reports.provenance import LeakGuard
from ghostface_edge.reports.section import Findings, Section


def leak_guard(findings: Findings) -> Section | None:
    """How it was looked for, what was found, who was left out; in comments only where something was found."""
    guard = findings.report.data.calibration.leak_guard
    if guard is None:
        return None
    blocks: list[Block] = [Note(_summary(guard), reach=Reach.COMMENT if guard.found else Reach.PAGE)]
    if guard.found:
        blocks.append(Folded("Found", (Bullets([Bullet(line) for line in guard.found]),)))
    return Section("leaks", "Leak guard", blocks)


def _summary(guard: LeakGuard) -> str:
    how = ", ".join(guard.checked) or "not checked"
    text = f"Calibration faces against pairs, {how}: {len(guard.found) or 'nothing'} found"
    if guard.stranger_bound is not None:
        text += f"; embeddings count as near-duplicates from a cosine of {guard.stranger_bound:.3f}"
    if guard.excluded:
        text += f"; left out of calibration: {', '.join(guard.excluded)}"
    if guard.allowed:
        text += f"; allowed by name: {', '.join(guard.allowed)}"
    return f"{text}."
