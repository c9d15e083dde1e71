"""IJB-B and IJB-C, 1:1: many images per person pooled into templates, templates compared.

In: for every image its template, its medium, its flip sum and its detector score, in shards of any size. Out: one unit
embedding per template, cosines of template pairs, TAR at the false-accept rate nearest each target.
Memory holds one row per medium and one per template, and one shard: never all images.
Source: Whitelam et al. 2017, IJB-B; deepinsight/insightface, recognition/_evaluation_/ijb.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import roc

_CHUNK = 1 << 14


@dataclass(frozen=True, slots=True)
class Shard:
    """Some images, in the list's order."""

    embeddings: NDArray[np.float32]
    """(n, E), flip sums, not normalised: their length says how sure the network is."""
    detector_scores: NDArray[np.float32]
    """(n,), the weight of each image."""


@dataclass(frozen=True, slots=True)
class PooledTemplates:
    """One embedding per template."""

    ids: NDArray[np.int64]
    """(T,), sorted."""
    embeddings: NDArray[np.float32]
    """(T, E), of length 1."""


@dataclass(frozen=True, slots=True)
class TemplateTar:
    """True-accept rate at the false-accept rate nearest the target; fractions."""

    target: float
    far: float
    tar: float
    protocol: str = "IJB 1:1"


def pool_templates(shards: Iterable[Shard], templates: NDArray[np.int64], media: NDArray[np.int64]) -> PooledTemplates:
    """Pool images into templates: the mean over each medium's images, the sum over a template's media.

    Args:
        shards: all images, in the order of the lists.
        templates: (I,) template of every image.
        media: (I,) medium of every image; a video's frames share one.

    Raises:
        InputError: more or fewer images than the lists name, or a template whose embeddings cancel out.
    """
    if templates.shape != media.shape or templates.ndim != 1:
        raise InputError(f"{templates.shape} templates for {media.shape} media", fix="give both for every image")
    groups, medium_of = np.unique(np.stack((templates, media), axis=1), axis=0, return_inverse=True)
    medium_of = medium_of.ravel()
    sums: NDArray[np.float32] | None = None
    seen = 0
    for shard in shards:
        weighted = shard.embeddings * shard.detector_scores[:, None]
        if sums is None:
            sums = np.zeros((len(groups), weighted.shape[1]), np.float32)
        places = medium_of[seen : seen + len(weighted)]
        seen += len(weighted)
        if seen > len(templates):
            break
        np.add.at(sums, places, weighted)
    if sums is None or seen != len(templates):
        raise InputError(f"{seen:,} embeddings for {len(templates):,} images", fix="embed every image of the list once")
    sums /= np.bincount(medium_of)[:, None]
    ids, template_of = np.unique(groups[:, 0], return_inverse=True)
    pooled = np.zeros((len(ids), sums.shape[1]), np.float32)
    np.add.at(pooled, template_of.ravel(), sums)
    return PooledTemplates(ids, _unit(pooled, ids))


def template_scores(pooled: PooledTemplates, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float32]:
    """Cosines (P,) of template pairs, given by template id.

    Raises:
        InputError: an id that no image has.
    """
    scores = np.empty(len(left), np.float32)
    for start in range(0, len(left), _CHUNK):
        part = slice(start, start + _CHUNK)
        own, other = (pooled.embeddings[_places(pooled.ids, side[part])] for side in (left, right))
        scores[part] = np.einsum("pe,pe->p", own, other)
    return scores


def template_tar(
    scores: NDArray[np.float32], same: NDArray[np.bool_], targets: Sequence[float]
) -> tuple[TemplateTar | None, ...]:
    """True-accept rates at the false-accept rates nearest the targets; of two equally near, the larger one.

    Returns:
        One per target, None where it is below one pair of the impostors there are.

    Raises:
        InputError: pairs of one kind only, or scores that are not finite.
    """
    far, tar, _ = roc(scores.astype(np.float64), same)
    impostors = int((~same).sum())
    found: list[TemplateTar | None] = []
    for target in targets:
        if target * impostors < 1 - 1e-9:
            found.append(None)
            continue
        gaps = np.abs(far - target)
        place = len(gaps) - 1 - int(np.argmin(gaps[::-1]))
        found.append(TemplateTar(target, float(far[place]), float(tar[place])))
    return tuple(found)


def _unit(embeddings: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    broken = ~(np.isfinite(lengths) & (lengths > 0)).ravel()
    if broken.any():
        raise InputError(
            f"{int(broken.sum())} templates have no direction, the first is {int(ids[broken][0])}",
            fix="check the embeddings and the detector scores of its images",
        )
    unit: NDArray[np.float32] = embeddings / lengths
    return unit


def _places(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.intp]:
    places = np.searchsorted(ids, wanted)
    known = ids[np.minimum(places, len(ids) - 1)] == wanted
    if not known.all():
        raise InputError(f"template {int(wanted[~known][0])} has no image", fix="use the pair list of this image list")
    return places
