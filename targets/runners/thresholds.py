"""At which score a runner says that two faces are one person's."""

from dataclasses import dataclass

from ghostface_edge.reports.variant import Variant


@dataclass(frozen=True, slots=True)
class Threshold:
    """As it was measured with a variant."""

    kind: str
    """`FMR` where all images were compared with each other, `FAR` of the pairs where people's names are unknown."""
    rate: str
    """As the report spells it, such as `0.001`."""
    value: float
    """Cosine."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A variant's own."""

    all: tuple[Threshold, ...] = ()
    """The strictest last."""
    chosen: Threshold | None = None
    """By which runners decide: the strictest that the faces tell with a figure, None where they tell none."""


def thresholds(variant: Variant) -> Thresholds:
    """What the report says of a variant."""
    if variant.all_pairs is not None and variant.all_pairs.fnmr_at_fmr:
        found = [Threshold("FMR", rate, row.threshold) for rate, row in variant.all_pairs.fnmr_at_fmr.items()]
        lowest = variant.all_pairs.lowest_told
    else:
        told = {rate: row for rate, row in variant.thresholds.items() if row is not None}
        found = [Threshold("FAR", rate, row.retuned.threshold) for rate, row in told.items()]
        lowest = min(told, key=float, default=None)
    found.sort(key=lambda each: -float(each.rate))
    return Thresholds(tuple(found), next((each for each in found if each.rate == lowest), None))
