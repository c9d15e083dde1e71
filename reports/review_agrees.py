"""Comparisons to look at: what they say about each other and about the variants' thresholds."""

import itertools
from collections.abc import Iterator

from ghostface_edge.reports.all_against_all import AllPairs
from ghostface_edge.reports.figures_agree import NEAR, Problem, near
from ghostface_edge.reports.review import Review


def review_disagrees(found: Review, images: int | None) -> Iterator[Problem]:
    """Every field that others of the list make impossible; `images` are those compared, where known."""
    for kind, listed, sign in (("impostor", found.impostor, -1), ("genuine", found.genuine, 1)):
        for number, one in enumerate(listed):
            place = f"{kind}.{number}"
            if (one.names[0] == one.names[1]) != (kind == "genuine"):
                yield f"{place}.names", f"{one.names[0]!r} and {one.names[1]!r} in a comparison that is {kind}"
            if one.images[0] == one.images[1] or (images is not None and max(one.images) >= images):
                yield f"{place}.images", f"{one.images[0]:,} and {one.images[1]:,} of {images} images"
        for number, (one, further) in enumerate(itertools.pairwise(listed)):
            if sign * further.cosine < sign * one.cosine - NEAR:
                yield f"{kind}.{number + 1}.cosine", f"{further.cosine:g} comes after {one.cosine:g}"


def of_one_reference(found: Review, gallery: AllPairs, variant_id: str) -> Iterator[Problem]:
    """A variant is compared with the reference whose scores these are."""
    if found.thresholds.keys() != gallery.fnmr_at_fmr.keys():
        yield "thresholds", f"of {sorted(found.thresholds)}, but {variant_id} has {sorted(gallery.fnmr_at_fmr)}"
        return
    for fmr, row in gallery.fnmr_at_fmr.items():
        if row.frozen is not None and not near(row.frozen.threshold, found.thresholds[fmr]):
            yield f"thresholds.{fmr}", f"{found.thresholds[fmr]:g}, but {variant_id} has {row.frozen.threshold:g}"
