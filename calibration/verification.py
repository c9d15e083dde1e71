"""Verification pairs: which images are compared, each distinct image once.

In: an InsightFace `.bin`. Out: encoded faces, pairs of indices into them, labels and folds.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.bin_file import read_bin
from ghostface_edge.calibration.pairs_file import ImageName, PairsFile, read_pairs_file
from ghostface_edge.reports.errors import InputError

_BIN_FOLDS = 10
_NAMES_BESIDE = "pairs.txt"


@dataclass(frozen=True, slots=True)
class VerificationSet:
    """P pairs over N distinct faces."""

    name: str
    """`lfw`, `cfp_fp` and the like: the file's stem."""
    path: Path
    sha256: str
    """Of the pairs' file."""
    images: tuple[bytes, ...]
    """N distinct encoded faces, in order of first appearance."""
    index: NDArray[np.intp]
    """(P, 2), into `images`."""
    same: NDArray[np.bool_]
    """(P,), true where both images show one person."""
    folds: int
    """Number of equal, contiguous folds that the protocol splits the pairs into."""
    identities: tuple[str, ...] | None
    """The 2P names of the pairs' sides in order, None where they are unknown."""

    @property
    def people(self) -> frozenset[str]:
        """Distinct names; empty where they are unknown."""
        return frozenset(self.identities or ())


def load_pairs(path: Path, names: Path | None = None) -> VerificationSet:
    """Read a verification set from an InsightFace `.bin`.

    Args:
        path: the `.bin`.
        names: the pair list that the `.bin` was made from, which tells who is in it. Without it a `pairs.txt` in the
            same folder is tried, and believed only if every label and every image agrees with it.

    Raises:
        InputError: the file cannot be read or is not such a set, or `names` is not the list behind it.
    """
    encoded, same = read_bin(path)
    if len(same) < _BIN_FOLDS:
        raise InputError(f"{path} holds {len(same)} pairs", fix=f"use a set of at least {_BIN_FOLDS} pairs")
    images, position = distinct(encoded)
    beside = path.with_name(_NAMES_BESIDE)
    identities = None
    if names is not None:
        identities = _identities(read_pairs_file(names), position, same)
        if identities is None:
            raise InputError(f"{names} is not the list that {path} was made from", fix="name the list behind the .bin")
    elif beside.is_file():
        identities = _identities(read_pairs_file(beside), position, same)
    return VerificationSet(
        name=path.stem,
        path=path,
        sha256=file_sha256(path),
        images=images,
        index=position.reshape(-1, 2),
        same=same,
        folds=_BIN_FOLDS,
        identities=identities,
    )


def _identities(listed: PairsFile, position: NDArray[np.intp], same: NDArray[np.bool_]) -> tuple[str, ...] | None:
    """Names of the sides, if each listed image is one content and each content one listed image.

    Labels alone prove nothing: LFW, CALFW, CPLFW and AgeDB-30 all come as ten times 300 + 300.
    """
    if [pair.same for pair in listed.pairs] != same.tolist():
        return None
    sides = [side for pair in listed.pairs for side in (pair.left, pair.right)]
    content_of: dict[ImageName, int] = {}
    image_of: dict[int, ImageName] = {}
    for side, content in zip(sides, position.tolist(), strict=True):
        if content_of.setdefault(side, content) != content or image_of.setdefault(content, side) != side:
            return None
    return tuple(side.person for side in sides)


def distinct(encoded: Iterable[bytes]) -> tuple[tuple[bytes, ...], NDArray[np.intp]]:
    """Keep each distinct content once.

    Returns:
        The distinct images in order of first appearance, and for every input its place among them.
    """
    places: dict[bytes, int] = {}
    position = np.array([places.setdefault(data, len(places)) for data in encoded], np.intp)
    return tuple(places), position


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
