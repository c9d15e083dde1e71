"""A variant against the reference, all against all: the record that the report holds."""

from ghostface_edge.reports.all_pairs.intervals import at_rate, at_threshold, interval, interval_of_rise
from ghostface_edge.reports.all_pairs.operating_points import (
    Support,
    at,
    det_curve,
    equal_error_rate,
    missing_comparisons,
    point_at,
    support,
)
from ghostface_edge.reports.all_pairs.record import AllPairs, DetPoint, FnmrAtFmr, FrozenThreshold
from ghostface_edge.reports.all_pairs.scores import FMRS, AllPairScores


def compare_with_reference(variant: AllPairScores, reference: AllPairScores) -> AllPairs:
    """What a variant gives at every false-match rate that the images can tell, and what it gave up for it.

    Args:
        variant: scores of a gallery.
        reference: the float network's, of the same gallery.
    """
    gallery = variant.gallery
    answerable = [fmr for fmr in FMRS if support(variant, fmr) is not Support.NOTHING]
    return AllPairs(
        images=len(gallery),
        people=len(gallery.names),
        genuine=gallery.genuine,
        impostor=gallery.impostors,
        ambiguous=gallery.ambiguous,
        eer=equal_error_rate(variant),
        fnmr_at_fmr={fmr: _at(variant, reference, fmr) for fmr in answerable},
        not_answerable={fmr: _missing(variant, fmr) for fmr in FMRS if fmr not in answerable},
        det=tuple(DetPoint(threshold=it.cosine, fmr=it.fmr, fnmr=it.fnmr) for it in det_curve(variant)),
    )


def _at(variant: AllPairScores, reference: AllPairScores, fmr: str) -> FnmrAtFmr:
    own, deployed = point_at(variant, fmr), point_at(reference, fmr)
    frozen = at(variant, deployed.threshold)
    influence, before = at_rate(variant, fmr, own), at_rate(reference, fmr, deployed)
    rise, frozen_rise = own.fnmr - deployed.fnmr, frozen.fnmr - deployed.fnmr
    genuine = variant.gallery.genuine
    frozen_influence = at_threshold(variant, deployed.threshold) - at_threshold(reference, deployed.threshold)
    return FnmrAtFmr(
        support="figure" if support(variant, fmr) is Support.FIGURE else "bound",
        threshold=own.cosine,
        fmr=own.fmr,
        fnmr=own.fnmr,
        ci95=interval(own.fnmr, influence),
        rise_pp=100 * rise,
        rise_ci95_pp=_in_pp(interval_of_rise(rise, influence - before, genuine)),
        frozen=FrozenThreshold(
            threshold=deployed.cosine,
            fmr=frozen.fmr,
            fnmr=frozen.fnmr,
            rise_pp=100 * frozen_rise,
            rise_ci95_pp=_in_pp(interval_of_rise(frozen_rise, frozen_influence, genuine)),
        ),
    )


def _in_pp(fractions: tuple[float, float]) -> tuple[float, float]:
    return 100 * fractions[0], 100 * fractions[1]


def _missing(scores: AllPairScores, fmr: str) -> str:
    more = missing_comparisons(scores, fmr)
    if more:
        return f"{more:,} more comparisons of different people are needed"
    return f"there are {scores.gallery.genuine} comparisons of one person with itself, 30 are needed"
