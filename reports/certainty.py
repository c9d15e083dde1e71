"""How sure one score is: what strangers and what two pictures of one person score, by a run's own evidence.

In: all pairs of a run against each other, as its report states them, and a cosine. Out: false-match and false
non-match rates at that cosine, never better than was counted. They are rates of the run's images: other cameras,
lights and people have others.
"""

from collections.abc import Iterator
from typing import Final

from ghostface_edge.reports.all_against_all import FIGURE_FROM, FMRS, HISTOGRAM_BINS, AllPairs, Support
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.record import Cosine, Fraction, Record

USUAL_FMR: Final = "0.001"
"""What a threshold is taken for unless asked otherwise: one stranger in a thousand."""


class Certainty(Record):
    """What is known of a score; a rate is at most what stands here."""

    fmr: Fraction
    """Share of comparisons of two people that score as high."""
    fnmr: Fraction
    """Share of comparisons of one person that score as low."""


class Threshold(Record):
    """Scores of at least `cosine` are of one person."""

    cosine: Cosine
    fmr: str | None
    """The false-match rate that it was chosen for; None where it is the one that is right most often."""


def certainty(found: AllPairs, cosine: float) -> Certainty:
    """Bound both error rates of a threshold at this score by those of thresholds that the run counted.

    A threshold below the score lets in more strangers, one above it turns away more of one person. Fewer rejections
    than make a figure count as so many, as false matches do.
    """
    points = [*_stated(found), *_counted(found)]
    least = min(FIGURE_FROM / found.genuine, 1.0) if found.genuine else 1.0
    return Certainty(
        fmr=min((fmr for threshold, fmr, _ in points if threshold <= cosine), default=1.0),
        fnmr=max(min((fnmr for threshold, _, fnmr in points if threshold > cosine), default=1.0), least),
    )


def _stated(found: AllPairs) -> Iterator[tuple[float, float, float]]:
    """Thresholds with their FMR, which is what a bound promises and not what was counted, and FNMR."""
    for point in found.det:
        yield point.threshold, point.fmr, point.fnmr
    for fmr, row in found.fnmr_at_fmr.items():
        yield row.threshold, float(fmr) if row.support is Support.BOUND else row.fmr, row.fnmr


def _counted(found: AllPairs) -> Iterator[tuple[float, float, float]]:
    """The same at the edges of the histogram; fewer false matches than make a figure count as so many."""
    if found.histogram is None or not (found.genuine and found.impostor):
        return
    accepted, rejected = found.impostor, 0
    for place, (genuine, impostor) in enumerate(zip(found.histogram.genuine, found.histogram.impostor, strict=True)):
        yield (
            2 * place / HISTOGRAM_BINS - 1,
            min(max(accepted, FIGURE_FROM) / found.impostor, 1.0),
            rejected / found.genuine,
        )
        accepted, rejected = accepted - impostor, rejected + genuine


def threshold_at(found: AllPairs, fmr: str | None) -> Threshold | None:
    """The threshold for a false-match rate, or for the usual one, or the strictest looser one that the run tells.

    Args:
        found: evidence of a run.
        fmr: one of FMRS that is insisted on.

    Returns:
        None where nothing is insisted on and the run tells no rate.

    Raises:
        InputError: the run cannot tell the rate that is insisted on.
    """
    told = [rate for rate in FMRS if rate in found.fnmr_at_fmr]
    if fmr is not None and fmr not in told:
        missing = found.not_answerable.get(fmr, "its images do not tell it")
        raise InputError(
            f"the run states no threshold for a false-match rate of {fmr}: {missing}",
            fix=f"choose from {', '.join(told)}" if told else "run on more images, or leave --fmr out",
        )
    usual = [rate for rate in told if FMRS.index(rate) <= FMRS.index(USUAL_FMR)]
    chosen = fmr or next(reversed(usual), None)
    return None if chosen is None else Threshold(cosine=found.fnmr_at_fmr[chosen].threshold, fmr=chosen)
