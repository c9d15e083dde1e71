"""The comparisons that a person should look at, from the scores of one model.

In: all scores of a gallery. Out: the highest of two names and the lowest of one, with their images.
"""

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.all_against_all import FMRS, Support
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.operating_points import point_at, support
from ghostface_edge.reports.all_pairs.scores import AllPairScores, cosine_of
from ghostface_edge.reports.review import LISTED, Review, Reviewed


def review(scores: AllPairScores) -> Review:
    """Pick the extreme scores.

    Of a gallery of more than eight billion comparisons the highest are a sample, as the tail keeps them.
    """
    gallery, tail = scores.gallery, scores.tail
    highest = np.lexsort((tail.second, tail.first, -tail.bin))[:LISTED]
    lowest = slice(0, LISTED)
    return Review(
        thresholds={fmr: point_at(scores, fmr).cosine for fmr in FMRS if support(scores, fmr) is not Support.NOTHING},
        impostor=_listed(gallery, tail.bin[highest], tail.first[highest], tail.second[highest]),
        genuine=_listed(
            gallery, scores.genuine_bin[lowest], scores.genuine_first[lowest], scores.genuine_second[lowest]
        ),
    )


def _listed(
    gallery: Gallery, bins: NDArray[np.int32], first: NDArray[np.int32], second: NDArray[np.int32]
) -> tuple[Reviewed, ...]:
    return tuple(
        Reviewed(
            names=(gallery.names[gallery.person[left]], gallery.names[gallery.person[right]]),
            images=(int(gallery.order[left]), int(gallery.order[right])),
            cosine=cosine_of(found),
        )
        for found, left, right in zip(bins.tolist(), first.tolist(), second.tolist(), strict=True)
    )
