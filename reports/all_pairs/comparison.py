"""A model on all pairs of a gallery, against the reference where there is one: the record that the report holds."""

import numpy as np

from ghostface_edge.reports.all_against_all import (
    FMRS,
    HISTOGRAM_BINS,
    AllPairs,
    DetPoint,
    FnmrAtFmr,
    FrozenThreshold,
    ScoreHistogram,
    Support,
    missing,
)
from ghostface_edge.reports.all_pairs.intervals import at_rate, at_threshold, interval, interval_of_rise
from ghostface_edge.reports.all_pairs.operating_points import at, det_curve, equal_error_rate, point_at, support
from ghostface_edge.reports.all_pairs.scores import BINS, AllPairScores


def judge_all_pairs(model: AllPairScores, reference: AllPairScores | None = None) -> AllPairs:
    """What a model gives at every false-match rate that the images can tell, and what it gave up for it.

    Args:
        model: scores of a gallery.
        reference: the float network's, of the same gallery; without it nothing is said of a rise.
    """
    gallery = model.gallery
    answerable = [fmr for fmr in FMRS if support(model, fmr) is not Support.NOTHING]
    return AllPairs(
        images=len(gallery),
        people=len(gallery.names),
        genuine=model.genuine,
        impostor=model.impostors,
        ambiguous=gallery.ambiguous * model.ways,
        eer=equal_error_rate(model),
        fnmr_at_fmr={fmr: _at(model, reference, fmr) for fmr in answerable},
        not_answerable={fmr: missing(fmr, gallery.genuine, gallery.impostors) for fmr in FMRS if fmr not in answerable},
        det=tuple(DetPoint(threshold=it.cosine, fmr=it.fmr, fnmr=it.fnmr) for it in det_curve(model)),
        histogram=_histogram(model),
    )


def _histogram(model: AllPairScores) -> ScoreHistogram:
    """The fine bins of the scores, several together."""
    impostor = -np.diff(model.above)
    genuine = np.bincount(model.genuine_bin, minlength=BINS)
    genuine, impostor = (kind.reshape(HISTOGRAM_BINS, -1).sum(axis=1) for kind in (genuine, impostor))
    return ScoreHistogram(genuine=tuple(genuine.tolist()), impostor=tuple(impostor.tolist()))


def _at(model: AllPairScores, reference: AllPairScores | None, fmr: str) -> FnmrAtFmr:
    own = point_at(model, fmr)
    influence = at_rate(model, fmr, own)
    figures = FnmrAtFmr(
        support=support(model, fmr),
        threshold=own.cosine,
        fmr=own.fmr,
        fnmr=own.fnmr,
        ci95=interval(own.fnmr, influence),
    )
    if reference is None:
        return figures
    deployed, genuine = point_at(reference, fmr), model.gallery.genuine
    rise = own.fnmr - deployed.fnmr
    change = influence - at_rate(reference, fmr, deployed)
    return figures.model_copy(
        update={
            "rise_pp": 100 * rise,
            "rise_ci95_pp": _in_pp(interval_of_rise(rise, change, genuine)),
            "frozen": _frozen(model, reference, deployed.threshold),
        }
    )


def _frozen(model: AllPairScores, reference: AllPairScores, threshold: int) -> FrozenThreshold:
    now, before = at(model, threshold), at(reference, threshold)
    rise = now.fnmr - before.fnmr
    influence = at_threshold(model, threshold)
    change = influence - at_threshold(reference, threshold)
    return FrozenThreshold(
        threshold=now.cosine,
        fmr=now.fmr,
        fnmr=now.fnmr,
        ci95=interval(now.fnmr, influence),
        rise_pp=100 * rise,
        rise_ci95_pp=_in_pp(interval_of_rise(rise, change, model.gallery.genuine)),
    )


def _in_pp(fractions: tuple[float, float]) -> tuple[float, float]:
    return 100 * fractions[0], 100 * fractions[1]
