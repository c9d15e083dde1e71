"""One threshold on several sets: what the figures say about each other.

In: a variant as a report states it, and the sets that its thresholds were not chosen on. Out: every figure that others
make impossible, with its place.
"""

from collections.abc import Iterator, Sequence

from ghostface_edge.reports.all_pairs_agree import falls
from ghostface_edge.reports.figures_agree import Problem, is_share, near
from ghostface_edge.reports.one_threshold import OnAnotherSet, chosen_thresholds
from ghostface_edge.reports.provenance import Pairs
from ghostface_edge.reports.variant import Variant


def one_threshold_disagrees(variant: Variant, others: Sequence[Pairs]) -> Iterator[Problem]:
    """Thresholds are those of the first set, on comparisons that the others can have."""
    chosen, described = chosen_thresholds(variant.all_pairs, variant.thresholds), {its.name: its for its in others}
    if variant.one_threshold.keys() != described.keys():
        yield from ((name, "not every set, or one that the report has not") for name in variant.one_threshold)
        return
    for name, rates in variant.one_threshold.items():
        if rates.keys() != chosen.keys():
            yield name, f"the first set gives thresholds for {', '.join(chosen)}"
            continue
        for rate, found in rates.items():
            for field, problem in _on_another_set(found, chosen[rate], described[name]):
                yield f"{name}.{rate}.{field}", problem
        yield from falls(name, sorted(rates.values(), key=lambda found: found.threshold))


def of_one_comparison(variant: Variant, other: Variant) -> Iterator[Problem]:
    """Every rate of every variant rests on the same comparisons of a set."""
    for name, rates in variant.one_threshold.items():
        counts = {(its.genuine, its.impostor) for its in (*rates.values(), *other.one_threshold.get(name, {}).values())}
        if len(counts) > 1:
            yield f"{name}.genuine", f"not as many comparisons at every rate as {other.id} has"


def _on_another_set(found: OnAnotherSet, threshold: float, pairs: Pairs) -> Iterator[Problem]:
    if not near(found.threshold, threshold):
        yield "threshold", f"{found.threshold:g}, but that of the first set is {threshold:g}"
    compared = found.genuine + found.impostor
    of_the_pairs = compared == pairs.count and found.genuine == pairs.same
    if not of_the_pairs and pairs.images is not None and compared > pairs.images * (pairs.images - 1) // 2:
        yield "impostor", f"{compared:,} comparisons, neither of the pairs nor of {pairs.images:,} images"
    for field, share, whole in (("fmr", found.fmr, found.impostor), ("fnmr", found.fnmr, found.genuine)):
        if not is_share(share, whole):
            yield field, f"{share:g} is no number of {whole:,} comparisons"
