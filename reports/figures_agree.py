"""Figures of one variant on one set of pairs: what each of them says about the others.

In: accuracy and comparison as a report states them. Out: every figure that the others make impossible, with its place.
A report repeats itself on purpose: a mean beside its folds, a drop beside the decisions that changed.
"""

import itertools
import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ghostface_edge.reports.devices import VersusLocal
from ghostface_edge.reports.discordant import Z95, detectable_drop, mcnemar
from ghostface_edge.reports.evidence import TarDrop
from ghostface_edge.reports.provenance import Pairs
from ghostface_edge.reports.record import FARS, Interval
from ghostface_edge.reports.variant import Accuracy, VersusReference

Problem = tuple[str, str]
"""A field, and what is wrong with it."""
NEAR: Final = 1e-6
"""Of two fractions that are said to be one; a report keeps all digits."""
NEAR_PP: Final = 100 * NEAR
_EXACT_TEST: Final = 10_000
"""Changed decisions up to which McNemar's test is computed again."""
_FEW_IMAGES: Final = 20
"""Taken where a report does not say how many there are."""

_EDGE_PP: Final = 50
"""Drop from which an interval may be cut off by what an accuracy can be."""
_TIMES: Final = 8
"""People in several pairs widen an interval, and changes that cancel within a person narrow it; not as much as this."""


@dataclass(frozen=True, slots=True)
class Result:
    """One variant on one set of pairs."""

    accuracy: Accuracy
    versus: VersusReference
    pairs: Pairs

    def fold_sizes(self) -> list[int]:
        """How many pairs each fold has: contiguous, and one more in the first where it does not divide."""
        folds = len(self.accuracy.folds)
        return [self.pairs.count // folds + (fold < self.pairs.count % folds) for fold in range(folds)]


def disagreements(result: Result) -> Iterator[Problem]:
    """Every figure that others of the same result make impossible."""
    for check in _CHECKS:
        found = list(check(result))
        yield from found
        if found:
            return  # the next ones count on it


def near(first: float, second: float, tolerance: float = NEAR) -> bool:
    """Whether two figures are the same one."""
    return math.isclose(first, second, rel_tol=tolerance, abs_tol=tolerance)


def is_share(fraction: float, whole: int) -> bool:
    """Whether a fraction can be a count out of `whole`."""
    return abs(fraction * whole - round(fraction * whole)) <= NEAR * whole


def holds(interval: Interval, point: float, field: str, *, point_field: str) -> Iterator[Problem]:
    """Check that an interval is one, and around its point."""
    low, high = interval
    if low > high:
        yield field, f"the interval [{low:g}, {high:g}] is the wrong way round"
    elif not (low - NEAR <= point <= high + NEAR):
        yield point_field, f"{point:g} is not within its own interval [{low:g}, {high:g}]"


def _folds(result: Result) -> Iterator[Problem]:
    accuracy, folds = result.accuracy, result.accuracy.folds
    if not 2 <= len(folds) <= result.pairs.count:
        yield "accuracy.folds", f"{len(folds)} folds of {result.pairs.count:,} pairs"
        return
    if not near(statistics.fmean(folds), accuracy.mean):
        yield "accuracy.mean", f"{accuracy.mean:g}, but the mean is not that of the folds, {statistics.fmean(folds):g}"
    error = statistics.stdev(folds) / math.sqrt(len(folds))
    if not near(error, accuracy.standard_error):
        yield "accuracy.standard_error", f"{accuracy.standard_error:g}, but that of the folds is {error:g}"
    for fold, size in enumerate(result.fold_sizes()):
        if not is_share(folds[fold], size):
            yield f"accuracy.folds.{fold}", f"{folds[fold]:g} is no number of {size:,} pairs"


def _curve(result: Result) -> Iterator[Problem]:
    """The equal error rate is a point of the ROC, which rises: it bounds the area and every TAR."""
    auc, eer = result.accuracy.auc, result.accuracy.eer
    if not (1 - eer) ** 2 - NEAR <= auc <= 1 - eer**2 + NEAR:
        yield "accuracy.auc", f"an area of {auc:g} has no equal error rate of {eer:g}"
    tars = [(float(far), result.accuracy.tar_at_far[far]) for far in sorted(FARS, key=float)]
    known = [(far, tar) for far, tar in tars if tar is not None]
    for far, tar in known:
        if far < eer and tar > 1 - eer + NEAR:
            yield f"accuracy.tar_at_far.{far:g}", f"{tar:g} at a FAR below the equal error rate of {eer:g}"
        if result.pairs.same and not is_share(tar, result.pairs.same):
            yield f"accuracy.tar_at_far.{far:g}", f"{tar:g} is no number of {result.pairs.same:,} genuine pairs"
    for (_, lower), (far, upper) in itertools.pairwise(known):
        if upper < lower - NEAR:
            yield f"accuracy.tar_at_far.{far:g}", f"{upper:g} falls below {lower:g} at a lower FAR"


def _intervals(result: Result) -> Iterator[Problem]:
    versus = result.versus
    yield from holds(versus.ci95_pp, versus.drop_pp, "versus_reference.ci95_pp", point_field="versus_reference.drop_pp")
    for far, drop in versus.tar_drop_pp.items():
        place = f"versus_reference.tar_drop_pp.{far}"
        if far not in FARS or (drop is None) != (result.accuracy.tar_at_far[far] is None):
            yield place, "there is no TAR at this FAR to have a drop, or the other way round"
        elif drop is not None:
            yield from holds(drop.ci95_pp, drop.drop_pp, f"{place}.ci95_pp", point_field=f"{place}.drop_pp")
            yield from _reference_tar(result, far, drop, place)


def _reference_tar(result: Result, far: str, drop: TarDrop, place: str) -> Iterator[Problem]:
    before = reference_tar(result, far)
    if before is not None and not -NEAR <= before <= 1 + NEAR:
        yield f"{place}.drop_pp", f"{drop.drop_pp:g} points more than the variant's TAR is no TAR"


def reference_tar(result: Result, far: str) -> float | None:
    """TAR of the reference: the variant's and what it lost."""
    tar, drop = result.accuracy.tar_at_far.get(far), result.versus.tar_drop_pp.get(far)
    return None if tar is None or drop is None else tar + drop.drop_pp / 100


def _decisions(result: Result) -> Iterator[Problem]:
    """Decisions that changed bound the drop, and decide what can be said of it."""
    versus, flipped, lost = result.versus, result.versus.flipped_pairs, result.versus.lost_pairs
    pairs = result.pairs.count
    if versus.pairs is not None and versus.pairs != pairs:
        yield "versus_reference.pairs", f"{versus.pairs:,}, but the set has {pairs:,} pairs"
    if flipped > pairs or (lost is not None and lost > flipped):
        yield "versus_reference.flipped_pairs", f"{flipped:,} of {pairs:,} pairs, {lost} of them lost"
        return
    detectable = detectable_drop(flipped, pairs)
    if versus.detectable_drop_pp is not None and not near(versus.detectable_drop_pp, detectable, NEAR_PP):
        yield "versus_reference.detectable_drop_pp", f"so many changed decisions make it {detectable:g}"
    fewest, most = (flipped, flipped) if lost is None else (flipped - lost, lost)
    sizes = result.fold_sizes()
    largest = 100 / len(sizes) * most / min(sizes)
    smallest = -100 / len(sizes) * fewest / min(sizes)
    if lost is not None:
        largest -= 100 / len(sizes) * fewest / max(sizes)
        smallest += 100 / len(sizes) * most / max(sizes)
        if flipped <= _EXACT_TEST and not near(versus.p_value, chance := mcnemar(lost, flipped - lost)):
            yield "versus_reference.p_value", f"{versus.p_value:g}, but so many lost and gained pairs give {chance:g}"
    if not smallest - NEAR_PP <= versus.drop_pp <= largest + NEAR_PP:
        yield (
            "versus_reference.drop_pp",
            f"{versus.drop_pp:g}, but the changed decisions make it {smallest:g} to {largest:g}",
        )
    before = result.accuracy.mean + versus.drop_pp / 100
    if not -NEAR <= before <= 1 + NEAR:
        yield "versus_reference.drop_pp", f"{versus.drop_pp:g} points more than the variant's accuracy is no accuracy"


def _width(result: Result) -> Iterator[Problem]:
    return width(result.versus, result.pairs.count, "versus_reference.ci95_pp")


def width(versus: VersusReference | VersusLocal, pairs: int, field: str) -> Iterator[Problem]:
    """So many changed decisions leave so much open: an interval far from it was not resampled from them."""
    usual = Z95 * 100 * math.sqrt((versus.flipped_pairs + 2) / (pairs + 2) / pairs)
    below, above = versus.drop_pp - versus.ci95_pp[0], versus.ci95_pp[1] - versus.drop_pp
    if abs(versus.drop_pp) < _EDGE_PP and not (
        usual / _TIMES <= min(below, above) and max(below, above) <= usual * _TIMES
    ):
        yield (
            field,
            f"it reaches {below:g} below and {above:g} above the drop, where so many changed decisions leave "
            f"about {usual:g} open",
        )


def _cosines(result: Result) -> Iterator[Problem]:
    """The lowest, the first percentile and the mean of the same cosines bound each other."""
    versus, images = result.versus, result.pairs.images or _FEW_IMAGES
    lowest, percentile, mean = versus.cosine_min, versus.cosine_p01, versus.cosine_mean
    if lowest > percentile + NEAR:
        yield "versus_reference.cosine_min", f"{lowest:g} is above the first percentile, {percentile:g}"
    below = (math.floor(0.01 * (images - 1)) + 1) / images
    least, most = below * lowest + (1 - below) * percentile, below * percentile + (1 - below)
    if not least - NEAR <= mean <= most + NEAR:
        yield (
            "versus_reference.cosine_mean",
            f"{mean:g}, but the lowest and the first percentile make it {least:g} to {most:g}",
        )


_CHECKS: Final[tuple[Callable[[Result], Iterator[Problem]], ...]] = (
    _folds,
    _curve,
    _intervals,
    _decisions,
    _width,
    _cosines,
)
