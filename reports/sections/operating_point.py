"""At the operating point: false non-matches at false-match rates that only all images against all can tell."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from ghostface_edge.reports import wording
from ghostface_edge.reports.all_against_all import FMRS, AllPairs, FnmrAtFmr, Support, spelt
from ghostface_edge.reports.blocks import (
    Block,
    Bullet,
    Bullets,
    Cell,
    Column,
    Figure,
    Folded,
    Note,
    Reach,
    Row,
    Span,
    Style,
    Table,
)
from ghostface_edge.reports.plots import legend, look
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.svg import Axis, Chart
from ghostface_edge.reports.variant import Variant

_FIGURES = ("FNMR %", "95 % interval", "Rise pp", "95 % interval")
_FROZEN = ("FMR frozen %", "FNMR frozen %", "Rise pp", "95 % interval")
_COLUMNS = (Column("Variant"), *_FIGURES)
_ALL_COLUMNS = (Column("Variant"), Column("FMR at most"), "Threshold", *_FIGURES, *_FROZEN)
_DET = (
    "Detection error tradeoff on normal-deviate axes, down to 30 false matches; lower left is better. Whiskers are "
    "95 % intervals. Colour is the runtime; FP32 thin, FP16 dotted, INT8 thick, other methods dashed."
)
_READING = (
    "FNMR is the share of comparisons of one person that are rejected at a false-match rate. The rise is over FP32, "
    "each at its own threshold; ",
    *(
        Span("frozen", Style.EMPHASIS),
        " is FP32's threshold kept. Intervals take people, not comparisons, as the draws.",
    ),
)


def operating_point(findings: Findings) -> Section | None:
    """A row per variant at the lowest rate that is a figure, and all rates folded below."""
    report = findings.report
    shown = [(variant, found) for variant in findings.measured if (found := variant.all_pairs) is not None]
    if not shown:
        return None
    gallery = shown[0][1]
    blocks: list[Block] = []
    told = [fmr for fmr in FMRS if fmr in gallery.fnmr_at_fmr]
    if (lowest := gallery.lowest_told) is not None:
        blocks = [
            Note(f"At a false-match rate of {spelt(lowest)}:", reach=Reach.TERMINAL),
            Table(_COLUMNS, [_row(report, variant, found, lowest) for variant, found in shown], reach=Reach.TERMINAL),
            Note(_READING, soft=True),
            *_det(findings, shown),
            Folded("All false-match rates", (Table(_ALL_COLUMNS, list(_rows(report, shown, told))),)),
        ]
    blocks.append(Bullets([Bullet(words) for words in _limits(gallery)], reach=Reach.COMMENT))
    aside = f"{gallery.impostor:,} comparisons of two people, {gallery.genuine:,} of one"
    return Section("operating-point", "At the operating point", blocks, aside=aside)


def _det(findings: Findings, shown: list[tuple[Variant, AllPairs]]) -> Iterator[Block]:
    """Every variant's tradeoff, where it is inside the frame."""
    drawn = [(variant, found) for variant, found in shown if found.det]
    if drawn:
        yield Figure(
            det_plot(findings.report, drawn),
            caption=_DET,
            legend=legend(findings.report, [variant for variant, _ in drawn]),
        )


def det_plot(report: Report, drawn: list[tuple[Variant, AllPairs]]) -> Markup:
    """FNMR over FMR, both in normal deviates, with each stated rate's 95 % interval."""
    lowest = min(point.fmr for _, found in drawn for point in found.det if point.fmr)
    fnmrs = [point.fnmr for _, found in drawn for point in found.det if 0 < point.fnmr < 1]
    bottom, top = max(1e-5, min(fnmrs, default=0.01) / 1.5), min(0.99, max([0.5, *fnmrs]))
    x = Axis("FMR (two people accepted)", lowest, 0.5, deviate=True)
    chart = Chart("DET", x, Axis("FNMR (one person rejected)", bottom, top, deviate=True))
    for variant, found in drawn:
        css = look(variant, report)
        points = [point for point in found.det if point.fmr]
        chart.line([point.fmr for point in points], [point.fnmr for point in points], css, variant.id)
        for fmr, row in found.fnmr_at_fmr.items():
            if row.fmr >= lowest:
                fnmr = f"FNMR {wording.percent(row.fnmr)} % [{wording.percents(row.ci95)}]"
                said = f"{variant.id}: {fnmr} at FMR {spelt(fmr)}"
                chart.line([row.fmr] * 2, list(row.ci95), f"{css} solid whisker", said)
                chart.dot(row.fmr, row.fnmr, f"fill {css}", said, radius=3.5)
    return chart.render()


def _row(report: Report, variant: Variant, found: AllPairs, fmr: str) -> Row:
    return Row((variant.id, *_figures(found.fnmr_at_fmr[fmr])), muted=wording.compared(report, variant))


def _rows(report: Report, shown: list[tuple[Variant, AllPairs]], told: Sequence[str]) -> Iterator[Row]:
    for fmr in told:
        for variant, found in shown:
            row = found.fnmr_at_fmr[fmr]
            cells = (spelt(fmr), f"{row.threshold:.4f}", *_figures(row), *_frozen(row))
            yield Row((variant.id, *cells), muted=wording.compared(report, variant))


def _figures(row: FnmrAtFmr) -> tuple[Cell | str, ...]:
    rise = wording.MISSING if row.rise_pp is None else wording.loss(row.rise_pp)
    return wording.percent(row.fnmr), wording.percents(row.ci95), rise, wording.interval(row.rise_ci95_pp)


def _frozen(row: FnmrAtFmr) -> tuple[Cell | str, ...]:
    if row.frozen is None:
        return (wording.MISSING,) * len(_FROZEN)
    frozen = row.frozen
    rise = wording.loss(frozen.rise_pp)
    return wording.small_percent(frozen.fmr), wording.percent(frozen.fnmr), rise, wording.interval(frozen.rise_ci95_pp)


def _limits(gallery: AllPairs) -> Iterator[str]:
    """How far the comparisons reach."""
    yield f"{gallery.images:,} images of {gallery.people:,} people, each compared with every other"
    if gallery.ambiguous:
        yield f"{gallery.ambiguous:,} comparisons of two names that are or may be one person are counted nowhere"
    for fmr in FMRS:
        if fmr in gallery.not_answerable:
            yield f"FMR {spelt(fmr)}: not answerable, {gallery.not_answerable[fmr]}"
        elif gallery.fnmr_at_fmr[fmr].support is Support.BOUND:
            yield (
                f"FMR {spelt(fmr)}: fewer than 30 false matches are expected; the threshold keeps the rate "
                "with 95 % confidence, and its FNMR is a bound"
            )
