"""Groups of people: their FNMR under FP32 and variant at one threshold, and whom quantization harmed."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from ghostface_edge.reports import wording
from ghostface_edge.reports.all_against_all import FMRS, spelt
from ghostface_edge.reports.blocks import (
    Block,
    Bullet,
    Bullets,
    Cell,
    Column,
    Figure,
    Folded,
    Grid,
    Note,
    Reach,
    Row,
    Table,
    Tone,
)
from ghostface_edge.reports.groups import Added, Finding, Group, GroupRate, Groups, PeopleFile
from ghostface_edge.reports.plots import dots, look, named_rows
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.svg import Axis
from ghostface_edge.reports.variant import Variant

_COLUMNS = (
    *(Column("Variant"), Column("Group"), Column("Finding"), "People", "Genuine", "FNMR FP32 %", "interval", "FNMR %"),
    *("interval", "Added pp", "interval", "Impostor", "FMR FP32 ×", "FMR ×", "Added ×", "interval"),
)
_TONES = {Finding.HARMED: Tone.FAIL, Finding.TOO_SMALL: Tone.CAREFUL}
_READING = (
    "FNMR of each group at one threshold for everybody, each model's own. Added is by how much the variant raised it "
    "more than that of the rest, everybody else of whom the same attribute is told. Intervals hold together with 95 %, "
    "people as the draws; a group is harmed where the whole interval of what was added to it lies above zero. False "
    "matches are those of two people of one group, in multiples of the rate that the threshold gives over everybody."
)


def groups(findings: Findings) -> Section | None:
    """Whom quantization harmed and who are too few to tell; a plot per variant that would ship, all figures folded."""
    report, told = findings.report, findings.report.data.groups
    if told is None:
        return None
    known = [(variant, found) for variant in findings.measured if (found := variant.groups) is not None]
    blocks: list[Block] = [Bullets(lines, reach=Reach.TERMINAL)] if (lines := list(_said(report, known))) else []
    aside = ""
    if known:
        aside = f"at a false-match rate of {spelt(known[0][1].fmr)}"
        shown = [
            Figure(group_plot(report, variant, found), title=variant.id, legend=_legend(report, variant))
            for variant, found in known
            if variant.precision != "fp32" and not wording.is_comparison(report, variant)
        ]
        table = Table(_COLUMNS, [row for variant, found in known for row in _rows(report, variant, found)])
        blocks += [Note(_READING, soft=True), Grid(shown), Folded("All figures of the groups", (table,))]
    blocks.append(Note(_reach(told), soft=True))
    return Section("groups", "Groups of people", blocks, aside=aside, nav="Groups")


def group_plot(report: Report, variant: Variant, found: Groups) -> Markup:
    """A row per group: FNMR of FP32 above the variant's, with their intervals."""
    rows = [row for row in found.rows if row.fnmr is not None]
    # a group of a few people has an interval of anything; it may leave the frame
    ends = [row.fnmr.variant_ci[1] for row in rows if row.fnmr and row.finding is not Finding.TOO_SMALL]
    highest = max([0.01, *ends, *(1.1 * row.fnmr.variant for row in rows if row.fnmr)])
    names = [_name(row) + ("" if row.finding is Finding.NOT_SHOWN else f" ({row.finding})") for row in rows]
    chart = named_rows("Groups", Axis("FNMR %", 0.0, 100 * min(1.0, 1.05 * highest)), names, step=34)
    for place, row in enumerate(rows):
        assert row.fnmr is not None
        for css, rate, bounds, label, height in (
            ("before", row.fnmr.reference, row.fnmr.reference_ci, "FP32", 0.33),
            (f"fill {look(variant, report)}", row.fnmr.variant, row.fnmr.variant_ci, variant.id, 0.67),
        ):
            hover = f"{_name(row)}, {label}: FNMR {wording.percent(rate)} % [{wording.percents(bounds)}]"
            ends_at = [100 * end for end in bounds]
            chart.line(ends_at, [place + height] * 2, f"{css.removeprefix('fill ')} solid whisker", hover)
            chart.dot(100 * rate, place + height, css, hover, radius=4.5)
    return chart.render()


def _legend(report: Report, variant: Variant) -> list[tuple[Markup, str]]:
    return dots((("before", "FP32"), (f"fill {look(variant, report)}", variant.id)))


def _said(report: Report, known: Sequence[tuple[Variant, Groups]]) -> Iterator[Bullet]:
    """Harm of what would ship, and what cannot be told of anybody."""
    for variant, found in known:
        aside = "for comparison, does not decide" if wording.is_comparison(report, variant) else ""
        for row in found.rows:
            if row.finding is Finding.HARMED:
                yield Bullet(f"{variant.id}: {_name(row)} is harmed: {_harm(row, found.fmr)}", Tone.CAREFUL, aside)
    if known:
        small = [row for row in known[0][1].rows if row.finding is Finding.TOO_SMALL]
        if small:
            names = ", ".join(f"{_name(row)} ({_size(row)})" for row in small)
            yield Bullet(f"Too small to tell, or too few others to compare with: {names}", Tone.CAREFUL)
    else:
        why = {reason for variant in report.local_variants if variant.all_pairs for reason in _missing(variant)}
        yield Bullet(f"Groups cannot be told: {'; '.join(sorted(why)) or 'no variant was measured'}", Tone.CAREFUL)


def _missing(variant: Variant) -> list[str]:
    told = variant.all_pairs.not_answerable if variant.all_pairs else {}
    return [told[fmr] for fmr in FMRS[:1] if fmr in told]


def _harm(row: Group, fmr: str) -> str:
    parts = []
    if row.fnmr is not None and row.fnmr.added is not None and row.fnmr.added.ci_pp[0] > 0:
        more = row.fnmr.added
        parts.append(f"{more.added_pp:+.2f} pp FNMR more than the rest [{wording.interval(more.ci_pp)}]")
    if row.fmr is not None and row.fmr.added is not None and row.fmr.added.ci_pp[0] > 0:
        added, bounds = _in_rates(row.fmr.added, fmr)
        parts.append(f"{added} times the FMR more than the rest [{bounds}]")
    return ", ".join(parts)


def _rows(report: Report, variant: Variant, found: Groups) -> Iterator[Row]:
    for row in found.rows:
        cells = (
            variant.id,
            _name(row),
            Cell(row.finding.value, _TONES.get(row.finding)),
            f"{row.people:,}",
            f"{row.genuine:,}",
            *_fnmr(row.fnmr),
            f"{row.impostor:,}",
            *_fmr(row.fmr, found.fmr),
        )
        yield Row(cells, muted=wording.compared(report, variant))


def _fnmr(rate: GroupRate | None) -> tuple[Cell | str, ...]:
    if rate is None:
        return (wording.MISSING,) * 6
    added = rate.added
    return (
        wording.percent(rate.reference),
        wording.percents(rate.reference_ci),
        wording.percent(rate.variant),
        wording.percents(rate.variant_ci),
        wording.MISSING if added is None else wording.loss(added.added_pp),
        wording.interval(None if added is None else added.ci_pp),
    )


def _fmr(rate: GroupRate | None, fmr: str) -> tuple[str, ...]:
    """In multiples of the rate of all."""
    if rate is None:
        return (wording.MISSING,) * 4
    added = (wording.MISSING,) * 2 if rate.added is None else _in_rates(rate.added, fmr)
    return f"{rate.reference / float(fmr):.2f}", f"{rate.variant / float(fmr):.2f}", *added


def _in_rates(added: Added, fmr: str) -> tuple[str, str]:
    """What was added to an FMR, and its interval, in multiples of the rate of all."""
    low, high = (end / 100 / float(fmr) for end in added.ci_pp)
    return f"{added.added_pp / 100 / float(fmr):+.2f}", wording.interval((low, high))


def _name(row: Group) -> str:
    return f"{row.attribute} {row.value}"


def _size(row: Group) -> str:
    own = wording.count(row.genuine, "comparison")
    return f"{own} of a person with itself, {row.with_genuine:,} such people"


def _reach(told: PeopleFile) -> str:
    """How far the file is about these people."""
    silent = [f"{attribute} is not said of {count:,}" for attribute, count in told.not_said.items() if count]
    elsewhere = f", {told.not_in_gallery:,} of them on no image" if told.not_in_gallery else ""
    return "; ".join([f"{told.people:,} people in {told.path}{elsewhere}", *silent])
