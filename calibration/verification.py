"""Verification pairs: which images are compared, each distinct image once.

In: an InsightFace `.bin`. Out: encoded faces, pairs of indices into them, labels and folds.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import check_aligned, iterate_faces
from ghostface_edge.calibration.bin_file import read_bin, write_bin
from ghostface_edge.calibration.image_file import BadImageError
from ghostface_edge.calibration.lfw_errata import ONE_PERSON, WRONG_SAME_PAIRS
from ghostface_edge.calibration.pairs_file import ImageName, NamedPair, PairsFile, read_pairs_file
from ghostface_edge.calibration.unusable import OnBadImage, Unusable, unusable_error
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.write import replacing

_BIN_FOLDS = 10
_NAMES_BESIDE = "pairs.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairsFacts:
    """What is said of a verification set, without its faces."""

    name: str
    """`lfw`, `cfp_fp` and the like: the file's stem."""
    path: Path
    sha256: str
    """Of the pairs' file."""
    folds: int
    """Number of equal, contiguous folds that the protocol splits the pairs into."""
    identities: tuple[str, ...] | None
    """The 2P names of the pairs' sides in order, None where they are unknown."""
    skipped_pairs: int = 0
    """Pairs left out because an image is missing or cannot be used."""
    skipped: tuple[Unusable, ...] = ()
    """Those images."""
    label_errors_excluded: int = 0
    """Pairs left out because LFW's errata call their label wrong."""
    dealt: bool = False
    """Whether the folds are ours, because the list has only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSet(PairsFacts):
    """P pairs over N distinct faces."""

    images: tuple[bytes, ...]
    """N distinct encoded faces, in order of first appearance."""
    index: NDArray[np.intp]
    """(P, 2), into `images`."""
    same: NDArray[np.bool_]
    """(P,), true where both images show one person."""

    @property
    def people(self) -> frozenset[str]:
        """Distinct names; empty where they are unknown."""
        return frozenset(self.identities or ())

    @property
    def people_known(self) -> bool:
        """Whether the names are all there are."""
        return self.identities is not None

    def labels(self) -> list[str]:
        """A name for every distinct image: whom it shows and where it first stands."""
        labels = [""] * len(self.images)
        for side, place in enumerate(self.index.ravel().tolist()):
            person = "" if self.identities is None else f"{self.identities[side]}, "
            labels[place] = labels[place] or f"{person}pair {side // 2 + 1}"
        return labels

    def digests(self) -> list[str]:
        """SHA-256 of every distinct image."""
        return [hashlib.sha256(image).hexdigest() for image in self.images]

    def batches(self, size: int) -> Iterator[NDArray[np.uint8]]:
        """Decode the distinct images: RGB uint8 (B, 112, 112, 3)."""
        return iterate_faces(self.images, size)

    def strangers(self) -> NDArray[np.intp]:
        """The pairs of two people, (S, 2)."""
        return self.index[~self.same]

    @property
    def people_of_images(self) -> tuple[str | None, ...]:
        """(N,), who is on each distinct image; None where that is unknown, or where it bears two names."""
        names: list[set[str]] = [set() for _ in self.images]
        for image, name in zip(self.index.ravel().tolist(), self.identities or (), strict=self.identities is not None):
            names[image].add(name)
        return tuple(one.pop() if len(one) == 1 else None for one in names)

    @property
    def gallery(self) -> Gallery | None:
        """The images whose people are known, to be compared all against all; None where no names are known."""
        return None if self.identities is None else Gallery.of(self.people_of_images, ONE_PERSON)

    @property
    def protocol(self) -> str:
        """The folds and every departure from them, for the report."""
        departures = [
            f"{self.folds} contiguous folds",
            *(["dealt from a list of one fold"] if self.dealt else []),
            *([f"{self.label_errors_excluded} known label errors excluded"] if self.label_errors_excluded else []),
            *([f"{self.skipped_pairs} pairs skipped for bad images"] if self.skipped_pairs else []),
        ]
        return ", ".join(departures)


class LabelErrors(StrEnum):
    """What to do about pairs whose label LFW's errata call wrong."""

    KEEP = "keep"
    EXCLUDE = "exclude"


def load_pairs(
    path: Path,
    names: Path | None = None,
    *,
    label_errors: LabelErrors = LabelErrors.KEEP,
    on_bad_image: OnBadImage = OnBadImage.ERROR,
) -> VerificationSet:
    """Read a verification set from an InsightFace `.bin`.

    Args:
        path: the `.bin`.
        names: the pair list that the `.bin` was made from, which tells who is in it. Without it a `pairs.txt` in the
            same folder is tried, and believed only if every label and every image agrees with it.
        label_errors: whether LFW's published wrong pairs stay in; to exclude them, the list must be known.
        on_bad_image: whether images that cannot be used end everything or cost their pairs, counted.

    Raises:
        InputError: the file cannot be read or is not such a set, images cannot be used, or `names` is not the list
            behind it.
    """
    if path.suffix == ".txt":
        raise InputError(f"{path} names images without holding them", fix="give the folder of its images with --faces")
    encoded, same = read_bin(path)
    if len(same) < _BIN_FOLDS:
        raise InputError(f"{path} holds {len(same)} pairs", fix=f"use a set of at least {_BIN_FOLDS} pairs")
    images, position = distinct(encoded)
    listed = _list_behind(path, names, position, same)
    loaded = VerificationSet(
        name=path.stem,
        path=path,
        sha256=file_sha256(path),
        images=images,
        index=position.reshape(-1, 2),
        same=same,
        folds=_BIN_FOLDS,
        identities=None if listed is None else _people(listed),
    )
    if label_errors is LabelErrors.EXCLUDE:
        if listed is None:
            raise InputError(
                f"the pairs of {path} have no names, so its label errors cannot be told",
                fix="name the pairs.txt that it was made from, or lay it beside the .bin",
            )
        loaded = without_label_errors(loaded, listed)
    return _without_bad_images(loaded, on_bad_image)


def write_pairs(pairs: VerificationSet, path: Path) -> None:
    """Write a verification set as an InsightFace `.bin`, whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    with replacing(path) as partial:
        write_bin(partial, [pairs.images[side] for side in pairs.index.ravel()], pairs.same.tolist())


def without_label_errors(pairs: VerificationSet, listed: Sequence[NamedPair]) -> VerificationSet:
    """Leave out the pairs that LFW's errata call wrong; `listed` names the pairs of the set one by one."""
    keep = np.array([(pair.left, pair.right) not in WRONG_SAME_PAIRS for pair in listed], np.bool_)
    return replace(_only(pairs, keep), label_errors_excluded=int((~keep).sum()))


def _without_bad_images(pairs: VerificationSet, on_bad_image: OnBadImage) -> VerificationSet:
    """Refuse or leave out images whose headers show that they are no faces; grayscale ones are welcome."""
    unusable = []
    good = np.ones(len(pairs.images), np.bool_)
    for place, data in enumerate(pairs.images):
        try:
            check_aligned(data, gray=True)
        except BadImageError as error:
            good[place] = False
            pair = int(np.flatnonzero((pairs.index == place).any(axis=1))[0])
            unusable.append(Unusable(f"pair {pair + 1}", str(error)))
    if not unusable:
        return pairs
    keep = good[pairs.index[:, 0]] & good[pairs.index[:, 1]]
    if on_bad_image is OnBadImage.ERROR or not keep.any():
        fix = "download the file again, or skip such pairs with --on-bad-image skip"
        raise unusable_error(unusable, len(good), f"images of {pairs.path}", fix=fix)
    return replace(_only(pairs, keep), skipped_pairs=int((~keep).sum()), skipped=tuple(unusable))


def _only(pairs: VerificationSet, keep: NDArray[np.bool_]) -> VerificationSet:
    """Leave out the pairs where `keep` (P,) is false, and the images that only they use."""
    images, position = distinct(pairs.images[side] for side in pairs.index[keep].ravel())
    names = pairs.identities
    kept = (
        None
        if names is None
        else tuple(names[side] for pair in np.flatnonzero(keep) for side in (2 * pair, 2 * pair + 1))
    )
    return replace(pairs, images=images, index=position.reshape(-1, 2), same=pairs.same[keep], identities=kept)


def _people(listed: Sequence[NamedPair]) -> tuple[str, ...]:
    return tuple(side.person for pair in listed for side in (pair.left, pair.right))


def _list_behind(
    path: Path, names: Path | None, position: NDArray[np.intp], same: NDArray[np.bool_]
) -> tuple[NamedPair, ...] | None:
    """Find the pair list that a `.bin` was made from, as named or lying beside it."""
    if names is not None:
        listed = read_pairs_file(names)
        if not _agrees(listed, position, same):
            raise InputError(f"{names} is not the list that {path} was made from", fix="name the list behind the .bin")
        return listed.pairs
    try:
        listed = read_pairs_file(path.with_name(_NAMES_BESIDE))
    except InputError:  # none there, or something else of that name: nobody asked for it
        return None
    return listed.pairs if _agrees(listed, position, same) else None


def _agrees(listed: PairsFile, position: NDArray[np.intp], same: NDArray[np.bool_]) -> bool:
    """Tell whether each listed image is one content, each content one listed image, and each label the same.

    Labels alone prove nothing: LFW, CALFW, CPLFW and AgeDB-30 all come as ten times 300 + 300.
    """
    if [pair.same for pair in listed.pairs] != same.tolist():
        return False
    sides = [side for pair in listed.pairs for side in (pair.left, pair.right)]
    content_of: dict[ImageName, int] = {}
    image_of: dict[int, ImageName] = {}
    for side, content in zip(sides, position.tolist(), strict=True):
        if content_of.setdefault(side, content) != content or image_of.setdefault(content, side) != side:
            return False
    return True


def distinct(encoded: Iterable[bytes]) -> tuple[tuple[bytes, ...], NDArray[np.intp]]:
    """Keep each distinct content once.

    Returns:
        The distinct images in order of first appearance, and for every input its place among them.
    """
    places: dict[bytes, int] = {}
    position = np.array([places.setdefault(data, len(places)) for data in encoded], np.intp)
    return tuple(places), position
