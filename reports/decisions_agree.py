"""Decisions of one variant, pair by pair and at fixed thresholds: what they say about its figures.

In: a variant and its result on the main pairs. Out: every figure that the listed decisions make impossible.
"""

import itertools
import statistics
from collections.abc import Iterator
from typing import Final

from ghostface_edge.reports.evidence import Flip, OperatingPoint, ThresholdTransfer
from ghostface_edge.reports.figures_agree import NEAR, NEAR_PP, Problem, Result, is_share, near, reference_tar
from ghostface_edge.reports.record import FARS
from ghostface_edge.reports.variant import Variant

_ROUNDED: Final = 2e-6
"""Scores of listed pairs have six digits."""


def flips_disagree(variant: Variant, result: Result) -> Iterator[Problem]:
    """Check the listed pairs against the counts, the folds and the drop; a report need not list them."""
    if variant.flips:
        yield from _listed(variant.flips, result)
    drops = variant.fold_drops_pp
    if not drops:
        return
    folds = result.accuracy.folds
    if len(drops) != len(folds):
        yield "fold_drops_pp", f"{len(drops)} folds, but the accuracy has {len(folds)}"
        return
    if not near(statistics.fmean(drops), result.versus.drop_pp, NEAR_PP):
        yield (
            "versus_reference.drop_pp",
            f"{result.versus.drop_pp:g}, but the folds make it {statistics.fmean(drops):g}",
        )
    for fold, (drop, size) in enumerate(zip(drops, result.fold_sizes(), strict=True)):
        before = folds[fold] + drop / 100
        if not (-NEAR <= before <= 1 + NEAR and is_share(before, size)):
            yield f"fold_drops_pp.{fold}", f"{drop:g} points more than the variant's {folds[fold]:g} is no accuracy"
        here = [flip for flip in variant.flips if flip.fold == fold]
        net = 100 * (sum(flip.lost for flip in here) - sum(not flip.lost for flip in here)) / size
        if variant.flips and not near(net, drop, NEAR_PP):
            yield f"fold_drops_pp.{fold}", f"{drop:g}, but the pairs listed make it {net:g}"


def _listed(flips: tuple[Flip, ...], result: Result) -> Iterator[Problem]:
    versus, sizes = result.versus, result.fold_sizes()
    lost = sum(flip.lost for flip in flips)
    if len(flips) != versus.flipped_pairs or versus.lost_pairs not in {None, lost}:
        yield (
            "versus_reference.flipped_pairs",
            f"{versus.flipped_pairs:,}, {versus.lost_pairs} of them lost, but {len(flips):,} and {lost:,} are listed",
        )
    if len({flip.pair for flip in flips}) != len(flips):
        yield "flips", "a pair is listed twice"
    begins = list(itertools.accumulate(sizes, initial=0))
    for number, flip in enumerate(flips):
        place = f"flips.{number}"
        if flip.fold >= len(sizes) or not begins[flip.fold] <= flip.pair < begins[flip.fold + 1]:
            yield f"{place}.fold", f"pair {flip.pair:,} is not in fold {flip.fold:,}"
        yield from _decided(flip, place)


def _decided(flip: Flip, place: str) -> Iterator[Problem]:
    """One model is right and one wrong, and the scores say which."""
    for who, score, threshold, right in (
        ("variant", flip.variant_score, flip.variant_threshold, not flip.lost),
        ("reference", flip.reference_score, flip.reference_threshold, flip.lost),
    ):
        distance = score - threshold if flip.same == right else threshold - score
        if distance < -_ROUNDED:
            yield f"{place}.{who}_score", f"{score:g} at the threshold {threshold:g} decides the other way"
    margin = abs(flip.variant_score - flip.variant_threshold)
    if abs(margin - flip.margin) > _ROUNDED:
        yield f"{place}.margin", f"{flip.margin:g}, but score and threshold make it {margin:g}"


def thresholds_disagree(variant: Variant, result: Result) -> Iterator[Problem]:
    """Check the operating points against the TAR at the same FAR; a report need not state them."""
    for far, transfer in variant.thresholds.items():
        place = f"thresholds.{far}"
        tar = result.accuracy.tar_at_far.get(far)
        if far not in FARS or (transfer is None) != (tar is None):
            yield place, "there is no TAR at this FAR, or no threshold for it"
        elif transfer is not None and tar is not None:
            yield from _points(transfer, float(far), place)
            before = reference_tar(result, far)
            if not near(transfer.retuned.frr, 1 - tar):
                yield f"{place}.retuned.frr", f"{transfer.retuned.frr:g}, but the TAR is {tar:g}"
            if before is not None and not near(transfer.reference.frr, 1 - before):
                yield f"{place}.reference.frr", f"{transfer.reference.frr:g}, but TAR and drop make it {1 - before:g}"
            for name in ("reference", "frozen", "retuned"):
                yield from _counted(getattr(transfer, name), result, f"{place}.{name}")
            yield from _on_the_curve(transfer.frozen, result, f"{place}.frozen")


def _points(transfer: ThresholdTransfer, far: float, place: str) -> Iterator[Problem]:
    if transfer.reference.threshold != transfer.frozen.threshold:
        yield f"{place}.frozen.threshold", "a frozen threshold is the reference's"
    for name, point in (("reference", transfer.reference), ("retuned", transfer.retuned)):
        if point.far > far + NEAR_PP * far:
            yield f"{place}.{name}.far", f"{point.far:g} is above the FAR asked for, {far:g}"
    low, high = sorted((transfer.frozen, transfer.retuned), key=lambda point: point.threshold)
    if low.threshold == high.threshold and low != high:
        yield f"{place}.frozen", "one threshold has two rates"
    elif low.far < high.far or low.frr > high.frr:
        yield f"{place}.frozen", "a lower threshold accepts less than a higher one"


def _on_the_curve(point: OperatingPoint, result: Result, place: str) -> Iterator[Problem]:
    """On one side of the equal error rate one of the rates is smaller than it, on the other side the other."""
    eer = result.accuracy.eer
    if min(point.far, point.frr) > eer + NEAR_PP or max(point.far, point.frr) < eer - NEAR_PP:
        yield place, f"rates of {point.far:g} and {point.frr:g} are on the same side of the equal error rate, {eer:g}"


def _counted(point: OperatingPoint, result: Result, place: str) -> Iterator[Problem]:
    same = result.pairs.same
    if same is None:
        return
    if not is_share(point.far, result.pairs.count - same):
        yield f"{place}.far", f"{point.far:g} is no number of {result.pairs.count - same:,} pairs of two people"
    if not is_share(point.frr, same):
        yield f"{place}.frr", f"{point.frr:g} is no number of {same:,} genuine pairs"
