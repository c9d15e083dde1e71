"""People and photographs that are both calibrated on and judged on.

Four looks, from cheap to thorough: names, file contents, perceptual hashes, embeddings. Out: a value that says what was
looked at and what was found. Calibration faces are plentiful and verification pairs are not, so whoever leaks is left
out of the calibration set; `refuse_leaks` is for who would rather know before anything runs.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.near_duplicates import nearest_faces, stranger_bound
from ghostface_edge.calibration.perceptual_hash import SAME_PHOTOGRAPH_BITS, fewest_bits, perceptual_hash
from ghostface_edge.calibration.person_names import name_key
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import cosine_scores

_BATCH = 256
_SHOWN = 5


class JudgedFaces(Protocol):
    """Faces that a network is judged on: pairs, or a gallery."""

    @property
    def people(self) -> frozenset[str]: ...

    @property
    def people_known(self) -> bool: ...

    def labels(self) -> Sequence[str]: ...

    def digests(self) -> Sequence[str]: ...

    def batches(self, size: int) -> Iterator[NDArray[np.uint8]]: ...

    def strangers(self) -> NDArray[np.intp]: ...


class LeakKind(StrEnum):
    """How a leak was found."""

    NAME = "name"
    FILE = "file"
    PERCEPTUAL = "perceptual hash"
    EMBEDDING = "embedding"


class OnLeak(StrEnum):
    """What becomes of calibration identities that are, or seem to be, in the pairs."""

    EXCLUDE = "exclude"
    REFUSE = "refuse"


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
    """Without names where no list is behind the pairs, without embeddings where no model or too few pairs are."""
    leaks: tuple[Leak, ...]
    stranger_bound: float | None = None
    """Cosine from which two faces count as near-duplicates; None where embeddings were not compared."""

    @property
    def identities(self) -> tuple[str, ...]:
        """Calibration identities with any leak, sorted."""
        return tuple(sorted({leak.identity for leak in self.leaks}))


def find_leaks(
    calibration: CalibrationSet,
    pairs: JudgedFaces,
    embeddings: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
) -> LeakReport:
    """Compare a calibration set with a verification set, or a gallery, in every way there is.

    Args:
        calibration: its files are read.
        pairs: its images are decoded.
        embeddings: FP32, of the calibration set's files (C, E) and of the other's distinct images (N, E).

    Raises:
        InputError: a face cannot be read, or the embeddings are not of these faces.
    """
    people = {name_key(name): name for name in pairs.people}
    labels = pairs.labels()
    place_of = {sha256: place for place, sha256 in enumerate(pairs.digests())}
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
    nearest, bits = fewest_bits(hashes, _hashes(pairs.batches(_BATCH)))
    by_hash = _leaks(LeakKind.PERCEPTUAL, calibration, labels, nearest, bits, bits <= SAME_PHOTOGRAPH_BITS)
    by_embedding, bound = _near_duplicates(calibration, pairs, labels, embeddings)
    checked = {
        LeakKind.NAME: pairs.people_known,
        LeakKind.FILE: True,
        LeakKind.PERCEPTUAL: True,
        LeakKind.EMBEDDING: bound is not None,
    }
    kinds = tuple(kind for kind, done in checked.items() if done)
    return LeakReport(kinds, (*by_name, *by_file, *by_hash, *by_embedding), bound)


def merged(reports: Sequence[LeakReport]) -> LeakReport:
    """One report over several verification sets: checked is what was checked against all, the bound is the lowest."""
    kinds = tuple(kind for kind in LeakKind if all(kind in report.checked for report in reports))
    bounds = [report.stranger_bound for report in reports if report.stranger_bound is not None]
    return LeakReport(kinds, tuple(leak for report in reports for leak in report.leaks), min(bounds, default=None))


def exclude_leaks(calibration: CalibrationSet, report: LeakReport, allowed: Collection[str] = ()) -> CalibrationSet:
    """Leave out everybody who leaks, with all their faces, but for identities allowed by name.

    Raises:
        InputError: nobody is left.
    """
    leaks = _not_allowed(report, allowed)
    suspects = {leak.identity for leak in leaks}
    if suspects >= calibration.people:
        raise InputError(
            f"all {len(suspects)} calibration identities are in the pairs too:{_listed(leaks)}",
            fix="calibrate on other people",
        )
    return calibration.without(suspects) if suspects else calibration


def refuse_leaks(report: LeakReport, allowed: Collection[str] = ()) -> None:
    """Make an error of every leak whose calibration identity is not allowed by name.

    Raises:
        InputError: lists the first leaks and how they were found.
    """
    leaks = _not_allowed(report, allowed)
    if leaks:
        names = sorted({leak.identity for leak in leaks})
        raise InputError(
            f"{len(names)} calibration identities are in the pairs too:{_listed(leaks)}",
            fix=f"take {', '.join(names[:_SHOWN])} out of the calibration folder, or allow them by name",
        )


def _not_allowed(report: LeakReport, allowed: Collection[str]) -> list[Leak]:
    keys = {name_key(name) for name in allowed}
    return [leak for leak in report.leaks if name_key(leak.identity) not in keys]


def _listed(leaks: Sequence[Leak]) -> str:
    more = f"\n  and {len(leaks) - _SHOWN} more" if len(leaks) > _SHOWN else ""
    return "".join(f"\n  {leak}" for leak in leaks[:_SHOWN]) + more


def _near_duplicates(
    calibration: CalibrationSet,
    pairs: JudgedFaces,
    labels: Sequence[str],
    embeddings: tuple[NDArray[np.float32], NDArray[np.float32]] | None,
) -> tuple[list[Leak], float | None]:
    if embeddings is None:
        return [], None
    own, others = _checked(calibration, labels, *embeddings)
    bound = stranger_bound(cosine_scores(others, pairs.strangers()), len(own) * len(others))
    if bound is None:
        return [], None
    found = nearest_faces(own, others)
    alike = found.cosine >= bound
    return _leaks(LeakKind.EMBEDDING, calibration, labels, found.place, found.cosine, alike), bound


def _hashes(batches: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint64]:
    return np.stack([perceptual_hash(face) for batch in batches for face in batch])


def _checked(
    calibration: CalibrationSet, labels: Sequence[str], own: NDArray[np.float32], others: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if (len(own), len(others)) != (len(calibration.files), len(labels)):
        raise InputError(
            f"{len(own)} and {len(others)} embeddings for {len(calibration.files)} and {len(labels)} faces",
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
