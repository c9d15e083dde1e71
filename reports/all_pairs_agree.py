"""All images against all: what each figure says about the others.

In: the record as a report states it. Out: every figure that the others make impossible, with its place.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from ghostface_edge.reports.all_against_all import (
    FMRS,
    HISTOGRAM_BINS,
    AllPairs,
    DetPoint,
    FnmrAtFmr,
    FrozenThreshold,
    Support,
)
from ghostface_edge.reports.figures_agree import NEAR, NEAR_PP, Problem, holds, is_share, near
from ghostface_edge.reports.one_threshold import OnAnotherSet
from ghostface_edge.reports.record import Interval

_LEAST_PP: Final = 100 * 1.959964 * 2**0.5
"""Half an interval of a rise, times the genuine comparisons, where both models reject the same ones."""
_Point: TypeAlias = FnmrAtFmr | FrozenThreshold | DetPoint | OnAnotherSet


def all_pairs_disagree(found: AllPairs, images: int | None) -> Iterator[Problem]:
    """Every figure that others of the same record make impossible; `images` are those there are, where known."""
    yield from _counts(found, images)
    rates = [fmr for fmr in FMRS if fmr in found.fnmr_at_fmr]
    if {*found.fnmr_at_fmr} | {*found.not_answerable} != {*FMRS} or {*found.fnmr_at_fmr} & {*found.not_answerable}:
        yield "fnmr_at_fmr", f"each of {', '.join(FMRS)} is either a figure or not answerable"
        return
    for fmr in FMRS:
        support = Support.of(fmr, found.genuine, found.impostor)
        stated = found.fnmr_at_fmr[fmr].support if fmr in rates else Support.NOTHING
        if stated is not support:
            yield f"fnmr_at_fmr.{fmr}.support", f"{stated}, but so many comparisons make it {support}"
    for fmr in rates:
        for field, problem in _rate(found.fnmr_at_fmr[fmr], float(fmr), found.genuine):
            yield f"fnmr_at_fmr.{fmr}.{field}", problem
    yield from falls("fnmr_at_fmr", [found.fnmr_at_fmr[fmr] for fmr in rates])
    yield from falls("det", found.det)


def of_one_gallery(found: AllPairs, other: AllPairs, other_id: str) -> Iterator[Problem]:
    """All variants compare the same images, and are compared with one reference at its thresholds."""
    for field in ("images", "people", "genuine", "impostor", "ambiguous"):
        if getattr(found, field) != getattr(other, field):
            yield field, f"{getattr(found, field):,}, but {other_id} has {getattr(other, field):,}"
    for fmr in found.fnmr_at_fmr.keys() & other.fnmr_at_fmr.keys():
        own, its = found.fnmr_at_fmr[fmr], other.fnmr_at_fmr[fmr]
        place = f"fnmr_at_fmr.{fmr}"
        if own.frozen is not None and its.frozen is not None and not near(own.frozen.threshold, its.frozen.threshold):
            yield f"{place}.frozen.threshold", f"{own.frozen.threshold:g}, but {other_id} has {its.frozen.threshold:g}"
        before, seen = _reference(own), _reference(its)
        if before is not None and seen is not None and not near(before, seen):
            yield f"{place}.rise_pp", f"it makes the reference's FNMR {before:g}, that of {other_id} {seen:g}"


def _counts(found: AllPairs, images: int | None) -> Iterator[Problem]:
    compared, all_of_them = found.genuine + found.impostor + found.ambiguous, found.images * (found.images - 1) // 2
    if compared != all_of_them:
        yield "impostor", f"{compared:,} comparisons in all, but {found.images:,} images have {all_of_them:,}"
    if found.people > found.images:
        yield "people", f"{found.people:,} people on {found.images:,} images"
    if images is not None and found.images > images:
        yield "images", f"{found.images:,}, but there are {images:,}"
    if found.histogram is not None:
        for kind in ("genuine", "impostor"):
            counts: tuple[int, ...] = getattr(found.histogram, kind)
            if len(counts) != HISTOGRAM_BINS or sum(counts) != getattr(found, kind):
                yield (
                    f"histogram.{kind}",
                    f"{sum(counts):,} in {len(counts)} bins, but {getattr(found, kind):,} are due",
                )
    if (found.eer is None) != (not (found.genuine and found.impostor)):
        yield "eer", "it needs comparisons of both kinds, and with them there is one"


def _rate(row: FnmrAtFmr, fmr: float, genuine: int) -> Iterator[Problem]:
    if row.fmr > fmr * (1 + NEAR):
        yield "fmr", f"{row.fmr:g} is more than the rate asked for"
    if not is_share(row.fnmr, genuine):
        yield "fnmr", f"{row.fnmr:g} is no number of {genuine:,} genuine comparisons"
    yield from _interval_of_fnmr(row.ci95, row.fnmr)
    if row.rise_pp is None or row.rise_ci95_pp is None or row.frozen is None:
        if any(part is not None for part in (row.rise_pp, row.rise_ci95_pp, row.frozen)):
            yield "rise_pp", "a rise, its interval and the frozen threshold are stated together"
        return
    frozen = row.frozen
    yield from _interval_of_rise(row.rise_ci95_pp, row.rise_pp, genuine)
    yield from _interval_of_rise(frozen.rise_ci95_pp, frozen.rise_pp, genuine, "frozen.")
    if frozen.ci95 is not None:
        yield from _interval_of_fnmr(frozen.ci95, frozen.fnmr, "frozen.")
    before, again = row.fnmr - row.rise_pp / 100, frozen.fnmr - frozen.rise_pp / 100
    if not near(before, again) or not -NEAR <= before <= 1 + NEAR:
        yield "rise_pp", f"it makes the reference's FNMR {before:g}, the frozen threshold's {again:g}"
    yield from falls("frozen", sorted((row, frozen), key=lambda point: point.threshold))


def _interval_of_fnmr(ci95: Interval, fnmr: float, place: str = "") -> Iterator[Problem]:
    yield from holds(ci95, fnmr, f"{place}ci95", point_field=f"{place}fnmr")
    if not 0 <= ci95[0] <= ci95[1] <= 1:
        yield f"{place}ci95", "an FNMR lies between 0 and 1"


def _interval_of_rise(ci95: Interval, rise_pp: float, genuine: int, place: str = "") -> Iterator[Problem]:
    """Around the rise, to either side as far, and at least by one comparison lost and one gained."""
    field, half = f"{place}rise_ci95_pp", (ci95[1] - ci95[0]) / 2
    yield from holds(ci95, rise_pp, field, point_field=f"{place}rise_pp")
    if not near(rise_pp, ci95[0] + half, NEAR_PP):
        yield field, f"the rise of {rise_pp:g} is not in the middle"
    if half < _LEAST_PP / max(genuine, 1) - NEAR_PP:
        yield field, f"{half:g} to either side, which {genuine:,} genuine comparisons cannot tell"


def _reference(row: FnmrAtFmr) -> float | None:
    return None if row.rise_pp is None else row.fnmr - row.rise_pp / 100


def falls(field: str, points: Sequence[_Point]) -> Iterator[Problem]:
    """The higher a threshold, the fewer it accepts, of either kind."""
    for loose, strict in itertools.pairwise(points):
        if (
            strict.threshold < loose.threshold - NEAR
            or strict.fmr > loose.fmr + NEAR
            or strict.fnmr < loose.fnmr - NEAR
        ):
            yield (
                field,
                f"FMR {loose.fmr:g} and FNMR {loose.fnmr:g} at {loose.threshold:g}, but {strict.fmr:g} and "
                f"{strict.fnmr:g} at {strict.threshold:g}",
            )
