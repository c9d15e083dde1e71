"""One threshold on several sets: what a report says of it.

A threshold is chosen on the first set and kept on the others, as a device in the field keeps its own.
"""

from collections.abc import Mapping

from ghostface_edge.reports.all_against_all import AllPairs, Support
from ghostface_edge.reports.evidence import ThresholdTransfer
from ghostface_edge.reports.record import Count, Fraction, Record, Score


class OnAnotherSet(Record):
    """A threshold, and what it does on a set that it was not chosen on."""

    threshold: Score
    genuine: Count
    """Comparisons of one person: of all images where it is known whom they show, else of the pairs."""
    impostor: Count
    fmr: Fraction
    fnmr: Fraction


def chosen_thresholds(
    all_pairs: AllPairs | None, transfers: Mapping[str, ThresholdTransfer | None]
) -> dict[str, float]:
    """A variant's own thresholds on the first set, by the rate that each was chosen for.

    Args:
        all_pairs: all images of the first set; only rates that are figures are taken.
        transfers: thresholds by FAR of the first set's pairs, taken where it is unknown whom the images show.
    """
    if all_pairs is not None:
        figures = ((fmr, row) for fmr, row in all_pairs.fnmr_at_fmr.items() if row.support is Support.FIGURE)
        return {fmr: row.threshold for fmr, row in figures}
    return {far: found.retuned.threshold for far, found in transfers.items() if found is not None}
