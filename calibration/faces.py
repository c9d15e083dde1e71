"""Aligned faces in a folder: found, sampled over identities with a seed, and loaded.

In: FOLDER/NAME/*.jpg or FOLDER/*.jpg, 112x112. Out: a calibration set whose every file is named and hashed.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import FACE_SIZE, check_aligned
from ghostface_edge.calibration.image_file import BadImageError, decode
from ghostface_edge.calibration.offences import Offence, OnBadImage, refuse
from ghostface_edge.reports.errors import InputError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
_NUMBERED = re.compile(r"(.+)_\d+")
_FIX = "replace or remove these images; calibration needs aligned 112x112 RGB faces"


@dataclass(frozen=True, slots=True)
class FaceFile:
    """An image file and whom it shows."""

    path: Path
    name: str
    """Path inside the scanned folder, with forward slashes."""
    identity: str


@dataclass(frozen=True, slots=True)
class CalibrationFace:
    """A chosen file, pinned by its content."""

    path: Path
    name: str
    identity: str
    sha256: str


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """The faces that decide quantization ranges."""

    path: Path
    files: tuple[CalibrationFace, ...]
    sha256: str
    """Of the files' names and hashes, in order; independent of where the folder lies."""
    duplicates: int = 0
    """Files passed over because their content was already chosen."""
    skipped: tuple[Offence, ...] = ()
    """Files passed over because they cannot be used."""

    @property
    def people(self) -> frozenset[str]:
        """Distinct identities."""
        return frozenset(file.identity for file in self.files)

    def load(self) -> NDArray[np.uint8]:
        """RGB uint8 (N, 112, 112, 3), in the order of `files`.

        Raises:
            InputError: a file is gone, has changed since it was chosen, or cannot be decoded.
        """
        faces = np.empty((len(self.files), FACE_SIZE, FACE_SIZE, 3), np.uint8)
        for row, file in enumerate(self.files):
            data = _read(file.path)
            if hashlib.sha256(data).hexdigest() != file.sha256:
                raise InputError(f"{file.path} has changed since it was chosen", fix="sample the folder again")
            try:
                faces[row] = decode(data)
            except BadImageError as error:
                raise InputError(f"{file.path} cannot be used: {error}", fix=_FIX) from None
        return faces


def scan_folder(folder: Path) -> tuple[FaceFile, ...]:
    """Find the images of FOLDER/NAME/ and of FOLDER itself, sorted by name.

    The identity is the subfolder's name; for a file lying flat, its own name without the LFW number (`NAME_0001`).

    Raises:
        InputError: no folder, unreadable, or without images.
    """
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
        flat = [FaceFile(entry, entry.name, _flat_identity(entry.stem)) for entry in entries if _is_image(entry)]
        nested = [
            FaceFile(file, f"{entry.name}/{file.name}", entry.name)
            for entry in entries
            if entry.is_dir()
            for file in entry.iterdir()
            if _is_image(file)
        ]
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}", fix="name an existing folder of faces") from None
    if not flat and not nested:
        raise InputError(
            f"{folder} holds no images", fix="name a folder of aligned faces laid out as NAME/*.jpg, NAME/*.png or flat"
        )
    return tuple(sorted(flat + nested, key=lambda file: file.name))


def sample(
    files: Sequence[FaceFile], count: int, seed: int, on_bad_image: OnBadImage = OnBadImage.ERROR
) -> CalibrationSet:
    """Choose up to `count` distinct faces spread over identities.

    Everybody gives one face before anybody gives a second one. Who comes first and which face is decided by hashes of
    seed and name, so neither the file system's order nor faces added later reshuffle the rest.

    Raises:
        InputError: `count` below 1, no usable face, or (unless skipped) faces that cannot be used.
    """
    if count < 1:
        raise InputError(f"a calibration set of {count} faces was asked for", fix="ask for at least 1")
    chosen: dict[str, CalibrationFace] = {}
    offences: list[Offence] = []
    duplicates = 0
    for file in spread(files, seed):
        if len(chosen) == count:
            break
        data = _read(file.path)
        try:
            check_aligned(data)
        except BadImageError as error:
            offences.append(Offence(str(file.path), str(error)))
            continue
        sha256 = hashlib.sha256(data).hexdigest()
        duplicates += sha256 in chosen
        chosen.setdefault(sha256, CalibrationFace(file.path, file.name, file.identity, sha256))
    if not chosen or (offences and on_bad_image is OnBadImage.ERROR):
        raise refuse(offences, len(chosen) + len(offences), "images", fix=_FIX)
    return CalibrationSet(
        path=_common_folder(files),
        files=tuple(chosen.values()),
        sha256=_set_sha256(chosen.values()),
        duplicates=duplicates,
        skipped=tuple(offences),
    )


def spread(files: Iterable[FaceFile], seed: int) -> list[FaceFile]:
    """Order files so that every identity comes once before any comes twice, at random but for ever the same."""
    by_identity = defaultdict(list)
    for file in sorted(files, key=lambda file: _rank(seed, file.name)):
        by_identity[file.identity].append(file)
    rounds = [
        (turn, _rank(seed, identity), file) for identity, own in by_identity.items() for turn, file in enumerate(own)
    ]
    return [file for _, _, file in sorted(rounds, key=lambda item: item[:2])]


def _rank(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "surrogateescape")).digest()


def _set_sha256(files: Iterable[CalibrationFace]) -> str:
    lines = "".join(f"{file.sha256}  {file.name}\n" for file in files)
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def _common_folder(files: Sequence[FaceFile]) -> Path:
    first = files[0]
    return first.path.parents[first.name.count("/")]


def _flat_identity(stem: str) -> str:
    numbered = _NUMBERED.fullmatch(stem)
    return numbered[1] if numbered else stem


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", fix="check the file and its permissions") from None
