"""Artifacts: every file with its size, what loading it costs, and how long it took to make."""

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Align, Block, Cell, Column, Note, Span, Table
from ghostface_edge.reports.proven import unseen
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.variant import Artifact, Variant

_COLUMNS = (
    *(Column("Variant"), Column("Method"), Column("File")),
    *(Column(name, Align.RIGHT) for name in ("Bytes", "Load ms", "Peak RSS MB", "Made in s")),
    Column("SHA-256"),
)

_READ_FIRST = "runners/README.md"
_NO_EVIDENCE = "what one family of processors shows is no evidence for another (`run --devices` makes some)"


def artifacts(findings: Findings) -> Section | None:
    """A row per variant that has a file."""
    rows = [
        _row(variant, variant.artifact) for variant in findings.report.local_variants if variant.artifact is not None
    ]
    if not rows:
        return None
    blocks: list[Block] = [Table(_COLUMNS, rows)]
    if _READ_FIRST in findings.report.runners:
        blocks.append(Note(f"Programs that run these files and test themselves with golden faces: {_READ_FIRST}."))
    if others := unseen(findings.report):
        blocks.append(Note(f"Nothing of this ran on {wording.enumeration(others)}: {_NO_EVIDENCE}."))
    return Section("artifacts", "Artifacts", blocks)


def _row(variant: Variant, artifact: Artifact) -> tuple[Cell | str, ...]:
    latency = variant.latency
    return (
        variant.id,
        variant.method,
        Cell(Span(artifact.path)),
        f"{artifact.bytes:,}",
        wording.number(None if latency is None else latency.load_ms, ".1f"),
        wording.number(None if latency is None else latency.peak_rss_mb, ".0f"),
        wording.number(variant.seconds, ".1f"),
        Cell(Span(artifact.sha256[:12]), hover=artifact.sha256),
    )
