"""Is anybody, or any photograph, both calibrated on and judged on?

Four looks, from cheap to thorough: names, file contents, perceptual hashes, embeddings. Out: a value that says what was
looked at and what was found; only `refuse_leaks` makes an error of it.

Both limits are set on LFW (1,549 calibration faces against the 7,701 of View 2): copies that were re-encoded,
brightened by 30 levels or halved in size and back stay within 16 bits, faces that are not copies differ by 52 or more;
the same copies keep a cosine of 0.88, mirrored ones 0.96, other photographs of other people stay below 0.78.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.person_names import name_key
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.reports.errors import InputError

SAME_PHOTOGRAPH_BITS = 40
"""Perceptual hashes that differ in no more bits than this show one photograph."""
SAME_PHOTOGRAPH_COSINE = 0.85
"""FP32 embeddings at least this alike show one photograph, or one person in one pose."""

_HASH_SIDE, _IMAGE_SIDE = 16, 64
_BATCH = 256
_SHOWN = 5


class LeakKind(StrEnum):
    """How a leak was found."""

    NAME = "name"
    FILE = "file"
    PERCEPTUAL = "perceptual hash"
    EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
class Leak:
    """One calibration face, or identity, that is in the pairs."""

    kind: LeakKind
    identity: str
    """Of the calibration set."""
    calibration: str
    """File or identity there."""
    evaluation: str
    """Name or image in the pairs."""
    measured: float
    """Differing bits or cosine; 0 for equal names and files."""

    def __str__(self) -> str:
        how = {LeakKind.PERCEPTUAL: f", {self.measured:.0f} bits apart", LeakKind.EMBEDDING: f", {self.measured:.3f}"}
        return f"{self.calibration} is {self.evaluation} (by {self.kind}{how.get(self.kind, '')})"


@dataclass(frozen=True, slots=True)
class LeakReport:
    """What was looked at, and what was found."""

    checked: tuple[LeakKind, ...]
    leaks: tuple[Leak, ...]

    @property
    def not_checked(self) -> tuple[LeakKind, ...]:
        """Names without a list behind the pairs, embeddings without a model to make them."""
        return tuple(kind for kind in LeakKind if kind not in self.checked)

    @property
    def identities(self) -> tuple[str, ...]:
        """Calibration identities with any leak, sorted."""
        return tuple(sorted({leak.identity for leak in self.leaks}))


def find_leaks(
    calibration: CalibrationSet,
    pairs: VerificationSet,
    embeddings: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
) -> LeakReport:
    """Compare a calibration set with a verification set in every way there is.

    Args:
        calibration: its files are read.
        pairs: its images are decoded.
        embeddings: FP32, of the calibration set's files (C, E) and of the pairs' distinct images (N, E).

    Raises:
        InputError: a face cannot be read, or the embeddings are not of these faces.
    """
    people = {name_key(name): name for name in pairs.people}
    labels = _labels(pairs)
    place_of = {hashlib.sha256(image).hexdigest(): place for place, image in enumerate(pairs.images)}
    by_name = [
        Leak(LeakKind.NAME, name, name, people[name_key(name)], 0)
        for name in sorted(calibration.people)
        if name_key(name) in people
    ]
    by_file = [
        Leak(LeakKind.FILE, file.identity, file.name, labels[place_of[file.sha256]], 0)
        for file in calibration.files
        if file.sha256 in place_of
    ]
    hashes = _hashes([calibration.load()])
    nearest, bits = _fewest_bits(hashes, _hashes(iterate_faces(pairs.images, _BATCH)))
    by_hash = _leaks(LeakKind.PERCEPTUAL, calibration, labels, nearest, bits, bits <= SAME_PHOTOGRAPH_BITS)
    by_embedding: list[Leak] = []
    if embeddings is not None:
        nearest, cosines = _highest_cosines(*_checked(calibration, pairs, *embeddings))
        alike = cosines >= SAME_PHOTOGRAPH_COSINE
        by_embedding = _leaks(LeakKind.EMBEDDING, calibration, labels, nearest, cosines, alike)
    checked = {
        LeakKind.NAME: pairs.identities is not None,
        LeakKind.FILE: True,
        LeakKind.PERCEPTUAL: True,
        LeakKind.EMBEDDING: embeddings is not None,
    }
    return LeakReport(
        tuple(kind for kind, done in checked.items() if done), (*by_name, *by_file, *by_hash, *by_embedding)
    )


def refuse_leaks(report: LeakReport, allowed: Collection[str] = ()) -> None:
    """Make an error of every leak whose calibration identity is not allowed by name.

    Raises:
        InputError: lists the first leaks and how they were found.
    """
    keys = {name_key(name) for name in allowed}
    leaks = [leak for leak in report.leaks if name_key(leak.identity) not in keys]
    if leaks:
        names = sorted({leak.identity for leak in leaks})
        shown = "".join(f"\n  {leak}" for leak in leaks[:_SHOWN])
        more = f"\n  and {len(leaks) - _SHOWN} more" if len(leaks) > _SHOWN else ""
        raise InputError(
            f"{len(names)} calibration identities are in the pairs too:{shown}{more}",
            fix=f"take {', '.join(names[:_SHOWN])} out of the calibration folder, or allow them by name",
        )


def perceptual_hash(face: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """256 bits (4,) of an RGB uint8 (112, 112, 3) face: which low frequencies are above their median.

    Source: the DCT hash of Zauner 2010, "Implementation and benchmarking of perceptual image hash functions", at 16x16
    instead of 8x8: aligned faces are so alike that 64 bits cannot tell them apart.
    """
    import cv2

    gray = cv2.resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), (_IMAGE_SIDE, _IMAGE_SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(gray.astype(np.float32))[:_HASH_SIDE, :_HASH_SIDE].ravel()
    low[0] = -np.inf  # brightness
    return np.packbits(low > np.median(low[1:])).view(np.uint64)


def _hashes(batches: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint64]:
    return np.stack([perceptual_hash(face) for batch in batches for face in batch])


def _fewest_bits(
    hashes: NDArray[np.uint64], others: NDArray[np.uint64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """For every hash the nearest of the others, and by how many bits it differs."""
    nearest = np.empty(len(hashes), np.intp)
    fewest = np.empty(len(hashes))
    for row, own in enumerate(hashes):
        bits = np.bitwise_count(own ^ others).sum(axis=1)
        nearest[row] = np.argmin(bits)
        fewest[row] = bits[nearest[row]]
    return nearest, fewest


def _highest_cosines(
    embeddings: NDArray[np.float32], others: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """For every embedding the most alike of the others, and their cosine."""
    nearest, highest = [], []
    others = others / np.linalg.norm(others, axis=1, keepdims=True)
    for start in range(0, len(embeddings), _BATCH):
        chunk = embeddings[start : start + _BATCH]
        cosines = chunk @ others.T / np.linalg.norm(chunk, axis=1, keepdims=True)
        nearest.append(cosines.argmax(axis=1))
        highest.append(cosines.max(axis=1))
    return np.concatenate(nearest), np.concatenate(highest).astype(np.float64)


def _checked(
    calibration: CalibrationSet, pairs: VerificationSet, own: NDArray[np.float32], others: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if (len(own), len(others)) != (len(calibration.files), len(pairs.images)):
        raise InputError(
            f"{len(own)} and {len(others)} embeddings for {len(calibration.files)} and {len(pairs.images)} faces",
            fix="embed the chosen calibration files and the pairs' distinct images",
        )
    return own, others


def _leaks(
    kind: LeakKind,
    calibration: CalibrationSet,
    labels: Sequence[str],
    nearest: NDArray[np.intp],
    measured: NDArray[np.float64],
    is_leak: NDArray[np.bool_],
) -> list[Leak]:
    return [
        Leak(kind, file.identity, file.name, labels[nearest[row]], float(measured[row]))
        for row, file in enumerate(calibration.files)
        if is_leak[row]
    ]


def _labels(pairs: VerificationSet) -> list[str]:
    """A name for every distinct image: whom it shows and where it first stands."""
    labels = [""] * len(pairs.images)
    for side, place in enumerate(pairs.index.ravel().tolist()):
        person = "" if pairs.identities is None else f"{pairs.identities[side]}, "
        labels[place] = labels[place] or f"{person}pair {side // 2 + 1}"
    return labels
