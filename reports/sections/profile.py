"""Where the time goes: shares of arithmetic, conversion and moves, and the time of every kind of operator."""

from collections.abc import Sequence

from markupsafe import Markup

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Block, Bullet, Bullets, Cell, Column, Figure, Folded, Grid, Note, Reach, Table
from ghostface_edge.reports.evidence import ProfileRole, ProfileRow
from ghostface_edge.reports.plots import bars, named_rows, patches
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.svg import Axis
from ghostface_edge.reports.time_shares import TimeShares, time_shares
from ghostface_edge.reports.variant import Variant

_SLOWEST = 12
_NAMED_KINDS = 4
_LEAST_LABELLED = 0.06
"""Share of a bar that has room for its own figure."""
_ROLES = {
    ProfileRole.INTEGER: "arithmetic in integers",
    ProfileRole.FLOAT: "arithmetic in float; in an INT8 model, float fallback",
    ProfileRole.QUANTIZE: "quantizing, dequantizing",
    ProfileRole.LAYOUT: "reorders and other moves",
}
_READING = (
    "As each runtime's own profiler sees it: the sum of every operator's median. Profiling costs time of its own, so "
    "the sums differ from the latencies above."
)
_DELEGATED = (
    "Delegated: run by XNNPACK in place of the interpreter's own kernels; a dash, the runtime has no delegates."
)
_COLUMNS = tuple(map(Column, ("Variant", "Kind", "Goes into", "Delegated", "Calls", "ms", "%")))


def profile(findings: Findings) -> Section | None:
    """Shares where every row states its role; operators of every variant that was profiled."""
    profiled = [variant for variant in findings.report.local_variants if variant.profile]
    if not profiled:
        return None
    shares = time_shares(findings.report)
    integer = [Bullet(integer_share(row)) for row in shares if wording.is_integer(row.variant)]
    blocks: list[Block] = [Note(_READING, soft=True)]
    if integer:
        blocks.append(Bullets(integer, reach=Reach.COMMENT))
    if shares:
        legend = patches((role.value, name) for role, name in _ROLES.items())
        blocks += [Grid((Figure(role_plot(shares), legend=legend),)), *_shares_table(shares)]
    plots = Grid([Figure(_bars(variant.id, variant.profile), variant.id) for variant in profiled])
    rows = [row for variant in profiled for row in _operator_rows(variant)]
    table = Table(_COLUMNS, rows, filter="int8, PRelu…")
    blocks.append(Folded("By kind of operator", (plots, table), opened=not shares))
    return Section("profile", "Where the time goes", blocks)


def integer_share(shares: TimeShares) -> str:
    """Say how much of a variant's time is not arithmetic in integers, and how much is left to the runtime itself."""
    integer, in_float, quantize, layout = (wording.share(shares.roles[role]) for role in ProfileRole)
    text = (
        f"{shares.variant.id}: {integer} of {shares.ms:.2f} ms is arithmetic in integers; float fallback takes "
        f"{in_float}, reorders and other moves {layout}, quantizing and dequantizing {quantize}."
    )
    if shares.delegated is None:
        return text
    own = [f"{kind} ({wording.share(share)})" for kind, share in shares.undelegated[:_NAMED_KINDS]]
    if len(shares.undelegated) > _NAMED_KINDS:
        own.append(f"{len(shares.undelegated) - _NAMED_KINDS} further kinds")
    return f"{text} XNNPACK runs {wording.share(shares.delegated)}; not delegated: {', '.join(own) or 'nothing'}."


def role_plot(rows: Sequence[TimeShares]) -> Markup:
    """One bar per variant, stacked by what the time goes into."""
    axis = Axis("% of one inference's time", 0.0, 100.0)
    chart = named_rows("Shares of time", axis, [shares.variant.id for shares in rows], step=26)
    for row, shares in enumerate(rows):
        start = 0.0
        for role in ProfileRole:
            share = shares.roles[role]
            if share > 0:
                hover = f"{shares.variant.id}: {role} {100 * share:.1f} %, {share * shares.ms:.3f} ms"
                ends = (100 * start, 100 * (start + share))
                chart.bar(ends, (row + 0.14, row + 0.86), f"fill {role}", hover)
                if share >= _LEAST_LABELLED:
                    chart.text(sum(ends) / 2, row + 0.5, f"{100 * share:.0f}")
            start += share
    return chart.render()


def _shares_table(shares: Sequence[TimeShares]) -> list[Block]:
    delegates = any(row.delegated is not None for row in shares)
    columns: tuple[Column | str, ...] = (
        Column("Variant"),
        "ms",
        *(f"{role.value.capitalize()} %" for role in ProfileRole),
    )
    rows = [
        (row.variant.id, f"{row.ms:.2f}", *(f"{100 * share:.1f}" for share in row.roles.values())) for row in shares
    ]
    if not delegates:
        return [Table(columns, rows)]
    run = [wording.MISSING if row.delegated is None else f"{100 * row.delegated:.1f}" for row in shares]
    whole = [(*row, share) for row, share in zip(rows, run, strict=True)]
    return [Table((*columns, "Delegated %"), whole), Note(_DELEGATED, soft=True)]


def _bars(name: str, rows: Sequence[ProfileRow]) -> Markup:
    slowest = sorted(rows, key=lambda row: -row.ms)[:_SLOWEST]
    named = [(f"{row.kind} ×{row.calls}", row.ms) for row in slowest]
    return bars(f"Profile of {name}", "ms per inference", named, [row.role for row in slowest])


def _operator_rows(variant: Variant) -> list[tuple[Cell | str, ...]]:
    total = sum(row.ms for row in variant.profile)
    return [
        (
            variant.id,
            row.kind,
            row.role or wording.MISSING,
            wording.MISSING if row.delegated is None else "yes" if row.delegated else "no",
            f"{row.calls}",
            f"{row.ms:.3f}",
            f"{100 * row.ms / total if total else 0:.1f}",
        )
        for row in variant.profile
    ]
