"""Further pairs: the headline figures on every other set."""

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Bullet, Bullets, Column, Table
from ghostface_edge.reports.section import Findings, Section

_COLUMNS = (Column("Variant"), Column("Pairs"), *("Accuracy %", "Drop pp", "95 % interval", "TAR@FAR=1e-3 %", "Cosine"))


def sets(findings: Findings) -> Section | None:
    """Nothing where only the main pairs were judged."""
    rows = [
        (
            variant.id,
            name,
            f"{wording.percent(result.accuracy.mean)} ± {wording.percent(result.accuracy.standard_error)}",
            f"{result.versus_reference.drop_pp:+.2f}",
            wording.interval(result.versus_reference.ci95_pp),
            wording.percent(result.accuracy.tar_at_far["0.001"]),
            f"{result.versus_reference.cosine_mean:.4f}",
        )
        for variant in findings.report.variants
        for name, result in variant.sets.items()
    ]
    if not rows:
        return None
    described = [
        Bullet(f"{pairs.name}: {pairs.count:,} pairs, {pairs.protocol}") for pairs in findings.report.data.further_pairs
    ]
    return Section("sets", "Further pairs", (Table(_COLUMNS, rows), Bullets(described)))
