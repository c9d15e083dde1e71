"""Every image against every other, in constant memory.

In: embeddings and who is on them. Out: how many impostor comparisons have each score, every genuine score, and of the
highest impostor scores a sample with the two images. Scores are counted in bins of 2 / 65,536 of a cosine, and a
threshold is the lower edge of a bin, so that all counts at a threshold are exact.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.all_against_all import FMRS
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import normalized

BINS = 1 << 16
SAMPLE = 1 << 13
"""Comparisons above each rate's threshold that are kept with their images, chosen by a hash of the two."""
_ROWS, _COLUMNS = 512, 8192
_PILOT = 2048
_MARGIN = 1.5
"""The pilot's thresholds are taken for looser rates, so that the final ones lie above them."""
_Way = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Embeddings by which the earlier and the later image of a comparison are taken."""
_TailColumns = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]
_NOTHING: _TailColumns = (*(np.empty(0, np.int32) for _ in range(3)), np.empty(0, np.float32))  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Tail:
    """High impostor scores with their images; places in the gallery's order."""

    bin: NDArray[np.int32]
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    lot: NDArray[np.float32]
    """Uniform in [0, 1), decided by the two images alone: the same comparison is drawn for every model."""


@dataclass(frozen=True, slots=True)
class AllPairScores:
    """What one model gives for every comparison of a gallery."""

    gallery: Gallery = field(repr=False)
    above: NDArray[np.int64] = field(repr=False)
    """(BINS + 1,), impostor comparisons in that bin or a higher one."""
    genuine_bin: NDArray[np.int32] = field(repr=False)
    """(G,), ascending."""
    genuine_first: NDArray[np.int32] = field(repr=False)
    """(G,), places in the gallery's order of the two images."""
    genuine_second: NDArray[np.int32] = field(repr=False)
    tail: Tail = field(repr=False)
    rates: tuple[float, ...]
    """Share of the comparisons above each rate's threshold that are in the tail, in the order of FMRS."""
    ways: int = 1
    """In how many ways two images are compared: 2 where either may be the one that another model enrolled."""

    @property
    def genuine(self) -> int:
        """Comparisons of one person."""
        return self.gallery.genuine * self.ways

    @property
    def impostors(self) -> int:
        """Comparisons of two persons."""
        return self.gallery.impostors * self.ways

    @property
    def genuine_person(self) -> NDArray[np.int32]:
        """(G,), whose comparison it is."""
        return self.gallery.person[self.genuine_first]

    def sample(self, place: int, threshold: int) -> tuple[Tail, float]:
        """Comparisons above a threshold that are drawn for the rate at this place of FMRS, and what share of all."""
        tail = self.tail
        chosen = (tail.bin >= threshold) & (tail.lot < self.rates[place])
        drawn = Tail(tail.bin[chosen], tail.first[chosen], tail.second[chosen], tail.lot[chosen])
        above = int(self.above[threshold])
        return drawn, len(drawn.bin) / above if above else 1.0


def cosine_of(threshold: int) -> float:
    """The lowest cosine that falls into a bin."""
    return threshold * 2 / BINS - 1


def threshold_of(cosine: float) -> int:
    """The bin whose lowest cosine this is."""
    return round((cosine + 1) * BINS / 2)


def compare_all(
    embeddings: NDArray[np.float32],
    gallery: Gallery,
    threads: int = 1,
    *,
    enrolled: NDArray[np.float32] | None = None,
) -> AllPairScores:
    """Compare every image with every other.

    Args:
        embeddings: float32 (images, E), of any length, in the caller's order.
        gallery: who is on them.
        threads: blocks compared at once.
        enrolled: (images, E) by another model; each image as `embeddings` has it is compared with every other as this
            one has it.

    Raises:
        InputError: an embedding is zero or not finite, or the models' embeddings differ in size.
    """
    unit = _unit(embeddings, gallery)
    ways: tuple[_Way, ...] = ((unit, unit),)
    if enrolled is not None:
        if enrolled.shape != embeddings.shape:
            raise InputError(
                f"{embeddings.shape[1]} and {enrolled.shape[1]} numbers per embedding cannot be compared",
                fix="enrol everybody again, or take a model of the same embedding size",
            )
        # the later image as enrolled, then the earlier one
        other = _unit(enrolled, gallery)
        ways = ((unit, other), (other, unit))
    floors, rates = _pilot(*ways[0], gallery)
    counts, parts = np.zeros(BINS, np.int64), [_NOTHING]
    blocks = (
        (way, row, column)
        for way in ways
        for row in range(0, len(unit), _ROWS)
        for column in range(row, len(unit), _COLUMNS)
    )
    with ThreadPoolExecutor(threads) as pool:
        for found, part in pool.map(lambda at: _block(at[0], at[1], at[2], gallery, floors, rates), blocks):
            counts += found
            parts.append(part)
    genuine = _genuine(ways, gallery)
    tail = Tail(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    above = np.concatenate((np.cumsum(counts[::-1])[::-1], [0]))
    return AllPairScores(gallery, above, *genuine, tail, rates, len(ways))


def _unit(embeddings: NDArray[np.float32], gallery: Gallery) -> NDArray[np.float32]:
    """Embeddings of length 1, in the gallery's order."""
    unit = np.empty((len(gallery), embeddings.shape[1]), np.float32)
    for start in range(0, len(unit), _COLUMNS):
        rows = slice(start, start + _COLUMNS)
        unit[rows] = normalized(embeddings[gallery.order[rows]])
    return unit


def _block(
    way: _Way,
    row: int,
    column: int,
    gallery: Gallery,
    floors: Sequence[int],
    rates: Sequence[float],
) -> tuple[NDArray[np.int64], _TailColumns]:
    """Impostor comparisons of some images with some that follow: counts by bin, and what the tail keeps."""
    ends = gallery.group_end[row : row + _ROWS]
    earlier, later = way
    bins = _bins(earlier[row : row + _ROWS] @ later[column : column + _COLUMNS].T)
    mixed = max(int(ends[-1]) - column, 0)
    strangers = np.arange(column, column + len(bins[0]))[:mixed] >= ends[:, None]
    counts = np.bincount(bins[:, :mixed][strangers], minlength=BINS)
    counts += np.bincount(bins[:, mixed:].ravel(), minlength=BINS)
    high = np.flatnonzero(bins.ravel() >= floors[0])
    first, second = np.divmod(high, len(bins[0]))
    apart = second + column >= ends[first]
    found, first, second = bins.ravel()[high[apart]], first[apart] + row, second[apart] + column
    lot = _lots(gallery.order[first], gallery.order[second])
    strictest = np.searchsorted(floors, found, side="right") - 1
    kept = lot < np.take(rates, strictest)
    return counts, (found[kept], first[kept].astype(np.int32), second[kept].astype(np.int32), lot[kept])


def _bins(cosines: NDArray[np.float32]) -> NDArray[np.int32]:
    scaled = cosines * np.float32(BINS / 2)
    scaled += np.float32(BINS / 2)
    np.clip(scaled, 0, BINS - 1, out=scaled)
    return scaled.astype(np.int32)


def _pilot(
    earlier: NDArray[np.float32], later: NDArray[np.float32], gallery: Gallery
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Bins above which the tail keeps comparisons for each rate, from a sample of images, and what share of them."""
    impostors = max(gallery.impostors, 1)
    rates = tuple(min(1.0, SAMPLE / (float(fmr) * impostors)) for fmr in FMRS)
    chosen = np.random.default_rng(0).permutation(len(earlier))[:_PILOT]
    chosen.sort()
    bins = _bins(earlier[chosen] @ later[chosen].T)
    strangers = chosen >= gallery.group_end[chosen, None]
    scores = np.sort(bins[strangers])[::-1]
    floors = [
        int(scores[min(int(float(fmr) * _MARGIN * len(scores)), len(scores) - 1)]) if len(scores) else 0 for fmr in FMRS
    ]
    # the strictest rates have too few scores in the pilot: they share the floor of the last that has enough
    for place, fmr in enumerate(FMRS):
        if float(fmr) * len(scores) < 100 and place:
            floors[place] = floors[place - 1]
    return tuple(floors), rates


def _genuine(ways: Sequence[_Way], gallery: Gallery) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Bins of all comparisons of a person with itself, ascending, and their two images."""
    parts = [(np.empty(0, np.int32),) * 3]
    for start, stop in _runs(gallery):
        if stop - start > 1:
            first, second = np.triu_indices(stop - start, 1)
            for earlier, later in ways:
                found = _bins(earlier[start:stop] @ later[start:stop].T)[first, second]
                parts.append((found, (first + start).astype(np.int32), (second + start).astype(np.int32)))
    bins, firsts, seconds = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(bins, kind="stable")
    return bins[order], firsts[order], seconds[order]


def _runs(gallery: Gallery) -> Iterator[tuple[int, int]]:
    """First and one past the last place of every person."""
    yield from pairwise(np.concatenate(([0], np.cumsum(gallery.images_of))).tolist())


def _lots(first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.float32]:
    """A number in [0, 1) for each pair of images, whatever their order. Source: Steele, Lea, Flood 2014, SplitMix64."""
    low, high = np.minimum(first, second).astype(np.uint64), np.maximum(first, second).astype(np.uint64)
    mixed = (high << np.uint64(32) | low) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)
