"""Groups of people: what each figure says about the others.

In: the groups as a report states them, and the gallery that they are of. Out: every figure that the others make
impossible, with its place. The rest of an attribute is its other groups, so that what was added can be computed again.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from ghostface_edge.reports.all_against_all import AllPairs, Support
from ghostface_edge.reports.figures_agree import NEAR, Problem, holds, is_share, near
from ghostface_edge.reports.groups import Group, GroupRate, Groups, confidence, finding, tells_fmr, tells_fnmr

_Side: TypeAlias = tuple[GroupRate | None, int]
"""A group's rate, and over how many comparisons."""


def groups_disagree(found: Groups, gallery: AllPairs) -> Iterator[Problem]:
    """Every figure that others of the same record make impossible."""
    if found.fmr != gallery.lowest_told:
        yield "fmr", f"{found.fmr}, but the images tell {gallery.lowest_told}"
        return
    names = [(row.attribute, row.value) for row in found.rows]
    added = 0
    for number, row in enumerate(found.rows):
        rest = [other for other in found.rows if other.attribute == row.attribute and other is not row]
        problems = [*_counts(row, found.fmr), *_rates(row, rest, found.fmr)]
        if row.finding is not finding(row.fnmr, row.fmr):
            problems.append(("finding", f"{row.finding}, but the intervals make it {finding(row.fnmr, row.fmr)}"))
        if names.count((row.attribute, row.value)) > 1:
            problems.append(("value", f"{row.attribute} {row.value} stands there twice"))
        yield from ((f"rows.{number}.{field}", problem) for field, problem in problems)
        added += sum(rate is not None and rate.added is not None for rate in (row.fnmr, row.fmr))
    if not near(found.confidence, confidence(added)):
        yield "confidence", f"{found.confidence:g}, but {added} differences make it {confidence(added):g}"
    for attribute in dict.fromkeys(row.attribute for row in found.rows):
        yield from _within(attribute, [row for row in found.rows if row.attribute == attribute], gallery, found.fmr)


def of_one_file(found: Groups, other: Groups, other_id: str) -> Iterator[Problem]:
    """All variants have the same groups, and are compared with one reference."""
    if len(found.rows) != len(other.rows):
        yield "rows", f"{len(found.rows)} groups, but {other_id} has {len(other.rows)}"
        return
    for number, (row, its) in enumerate(zip(found.rows, other.rows, strict=True)):
        for field in ("attribute", "value", "people", "with_genuine", "genuine", "impostor"):
            if getattr(row, field) != getattr(its, field):
                yield f"rows.{number}.{field}", f"{getattr(row, field)}, but {other_id} has {getattr(its, field)}"
        for field, rate, seen in (("fnmr", row.fnmr, its.fnmr), ("fmr", row.fmr, its.fmr)):
            if rate is not None and seen is not None and not near(rate.reference, seen.reference, NEAR**2):
                place = f"rows.{number}.{field}.reference"
                yield place, f"{rate.reference:g}, but that of {other_id} is {seen.reference:g}"


def _counts(row: Group, fmr: str) -> Iterator[Problem]:
    if not row.with_genuine <= min(row.people, row.genuine) or (row.genuine and not row.with_genuine):
        yield (
            "with_genuine",
            f"{row.with_genuine:,} of {row.people:,} people with {row.genuine:,} comparisons of a person with itself",
        )
    if (row.fnmr is None) != (row.genuine == 0):
        yield "fnmr", f"{row.genuine:,} comparisons of a person with itself have one, none has none"
    if (row.fmr is None) != (tells_fmr(fmr, row.impostor) is Support.NOTHING):
        yield "fmr", f"whether there is one does not go with {row.impostor:,} comparisons of two people"


def _rates(row: Group, rest: Sequence[Group], fmr: str) -> Iterator[Problem]:
    others = sum(other.genuine for other in rest), sum(other.with_genuine for other in rest)
    large = tells_fnmr(row.genuine, row.with_genuine) and tells_fnmr(*others)
    yield from _rate("fnmr", (row.fnmr, row.genuine), [(other.fnmr, other.genuine) for other in rest], large, 1.0)
    if row.fnmr is not None and not all(is_share(rate, row.genuine) for rate in (row.fnmr.reference, row.fnmr.variant)):
        yield "fnmr", f"it is no number of {row.genuine:,} comparisons"
    strangers = row.impostor, sum(other.impostor for other in rest)
    large = all(tells_fmr(fmr, comparisons) is Support.FIGURE for comparisons in strangers)
    sides = [(other.fmr, other.impostor) for other in rest]
    yield from _rate("fmr", (row.fmr, row.impostor), sides, large, float(fmr))


def _rate(field: str, own: _Side, rest: Sequence[_Side], large: bool, scale: float) -> Iterator[Problem]:
    """One rate of a group; `scale` is how large it may be expected to be."""
    rate = own[0]
    if rate is None:
        return
    for model, at, bounds in (
        ("reference", rate.reference, rate.reference_ci),
        ("variant", rate.variant, rate.variant_ci),
    ):
        for place, problem in holds(bounds, at, f"{model}_ci", point_field=model):
            yield f"{field}.{place}", problem
        if not 0 <= bounds[0] <= bounds[1] <= 1:
            yield f"{field}.{model}_ci", "a rate lies between 0 and 1"
    if (rate.added is None) == large:
        yield f"{field}.added", "it is told where the group and the rest have comparisons enough, and only there"
    if rate.added is None or not large:
        return
    for place, problem in holds(rate.added.ci_pp, rate.added.added_pp, "ci_pp", point_field="added_pp"):
        yield f"{field}.added.{place}", problem
    if all(side[0] is not None or not side[1] for side in rest):
        again = 100 * (rate.variant - rate.reference - _change(rest))
        if abs(again - rate.added.added_pp) > 100 * NEAR * scale:
            yield f"{field}.added.added_pp", f"{rate.added.added_pp:g}, but the rates make it {again:g}"


def _within(attribute: str, rows: Sequence[Group], gallery: AllPairs, fmr: str) -> Iterator[Problem]:
    """Groups of one attribute share nobody: together they have no more than the gallery."""
    for field in ("people", "genuine", "impostor"):
        if (together := sum(getattr(row, field) for row in rows)) > getattr(gallery, field):
            yield "rows", f"{field} of {attribute}: {together:,}, but there are {getattr(gallery, field):,}"
    missed = sum(row.fnmr.variant * row.genuine for row in rows if row.fnmr is not None)
    of_all = gallery.fnmr_at_fmr[fmr].fnmr * gallery.genuine
    if (
        not missed - NEAR * gallery.genuine
        <= of_all
        <= missed + gallery.genuine - sum(row.genuine for row in rows) + NEAR * gallery.genuine
    ):
        yield "rows", f"FNMR of {attribute}: {missed:.0f} rejected, but there are {of_all:.0f}"


def _change(sides: Sequence[_Side]) -> float:
    """Of the error rate over all comparisons of some groups."""
    total = sum(comparisons for _, comparisons in sides)
    changes = ((rate.variant - rate.reference) * comparisons for rate, comparisons in sides if rate is not None)
    return sum(changes) / total
