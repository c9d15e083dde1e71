"""Aligned faces in a folder: found, sampled over identities with a seed, and loaded.

In: FOLDER/NAME/*.jpg or FOLDER/*.jpg, 112x112. Out: a calibration set whose every file is named and hashed.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import FACE_SIZE, check_aligned
from ghostface_edge.calibration.image_file import BadImageError, decode
from ghostface_edge.calibration.sampling import SamplingMethod, diverse_order, identity_order, random_order
from ghostface_edge.calibration.unusable import OnBadImage, Unusable, unusable_error
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import read_bytes

MAX_FILE_BYTES = 64 << 20
"""Of an encoded image."""

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
    skipped: tuple[Unusable, ...] = ()
    """Files passed over because they cannot be used."""
    excluded: tuple[str, ...] = ()
    """Files that the caller ruled out."""

    @property
    def people(self) -> frozenset[str]:
        """Distinct identities."""
        return frozenset(file.identity for file in self.files)

    @property
    def listing(self) -> str:
        """The chosen files in order, in the format of sha256sum: what is kept beside an artifact."""
        return _listing(self.files)

    def without(self, identities: Collection[str]) -> Self:
        """The set without some people; their files count as ruled out."""
        kept = tuple(file for file in self.files if file.identity not in identities)
        gone = tuple(file.name for file in self.files if file.identity in identities)
        return replace(self, files=kept, sha256=listing_sha256(kept), excluded=(*self.excluded, *gone))

    def load(self) -> NDArray[np.uint8]:
        """RGB uint8 (N, 112, 112, 3), in the order of `files`.

        Raises:
            InputError: a file is gone, has changed since it was chosen, or cannot be decoded.
        """
        return load_faces(self.files)


def load_faces(files: Sequence[CalibrationFace]) -> NDArray[np.uint8]:
    """Decode chosen files: RGB uint8 (N, 112, 112, 3), in their order.

    Raises:
        InputError: a file is gone, has changed since it was chosen, or cannot be decoded.
    """
    faces = np.empty((len(files), FACE_SIZE, FACE_SIZE, 3), np.uint8)
    for row, file in enumerate(files):
        data = read_image(file.path)
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
    for file in (*flat, *nested):
        if not is_text(file.name):
            raise InputError(f"{folder} holds {file.name!a}, a name that is not UTF-8", fix="rename it")
    if not flat and not nested:
        raise InputError(
            f"{folder} holds no images", fix="name a folder of aligned faces laid out as NAME/*.jpg, NAME/*.png or flat"
        )
    return tuple(sorted(flat + nested, key=lambda file: file.name))


def sample(
    files: Sequence[FaceFile | CalibrationFace],
    count: int,
    seed: int,
    on_bad_image: OnBadImage = OnBadImage.ERROR,
    *,
    method: SamplingMethod = SamplingMethod.PER_IDENTITY,
    embeddings: NDArray[np.float32] | None = None,
    exclude: Collection[str] = (),
) -> CalibrationSet:
    """Choose up to `count` faces of distinct content.

    Args:
        files: the pool, as scanned, or the faces of a larger calibration set.
        count: how many to choose; fewer are chosen where the pool is smaller.
        seed: decides what chance decides.
        on_bad_image: whether a face that cannot be used, met on the way, ends everything or is skipped and counted.
        method: what is chosen first.
        embeddings: float32 (N, E) of `files`, for the diverse method only.
        exclude: names without suffix, `NAME/NAME_0001`, that are never chosen.

    Raises:
        InputError: `count` below 1, no usable face, faces that cannot be used, or embeddings missing.
    """
    if count < 1:
        raise InputError(f"a calibration set of {count} faces was asked for", fix="ask for at least 1")
    chosen: dict[str, CalibrationFace] = {}
    unusable: list[Unusable] = []
    duplicates = 0
    excluded = []
    for place in _order(files, seed, method, embeddings):
        if len(chosen) == count:
            break
        file = files[place]
        if file.name.removesuffix(file.path.suffix) in exclude:
            excluded.append(file.name)
            continue
        data = read_image(file.path)
        try:
            check_aligned(data)
        except BadImageError as error:
            unusable.append(Unusable(str(file.path), str(error)))
            continue
        sha256 = hashlib.sha256(data).hexdigest()
        duplicates += sha256 in chosen
        chosen.setdefault(sha256, CalibrationFace(file.path, file.name, file.identity, sha256))
    if not chosen or (unusable and on_bad_image is OnBadImage.ERROR):
        raise unusable_error(unusable, len(chosen) + len(unusable), "images", fix=_FIX)
    return CalibrationSet(
        path=_common_folder(files),
        files=tuple(chosen.values()),
        sha256=listing_sha256(chosen.values()),
        duplicates=duplicates,
        skipped=tuple(unusable),
        excluded=tuple(excluded),
    )


def _order(
    files: Sequence[FaceFile | CalibrationFace],
    seed: int,
    method: SamplingMethod,
    embeddings: NDArray[np.float32] | None,
) -> Iterable[int]:
    names = [file.name for file in files]
    if method is SamplingMethod.RANDOM:
        return random_order(names, seed)
    if method is SamplingMethod.PER_IDENTITY:
        return identity_order(names, [file.identity for file in files], seed)
    if embeddings is None or len(embeddings) != len(files):
        found = "no" if embeddings is None else f"{len(embeddings)}"
        raise InputError(
            f"{found} embeddings for {len(files)} faces",
            fix="the diverse method needs one embedding per face of the pool",
        )
    return diverse_order(names, embeddings, seed)


def _listing(files: Iterable[CalibrationFace]) -> str:
    return "".join(f"{file.sha256}  {file.name}\n" for file in files)


def listing_sha256(files: Iterable[CalibrationFace]) -> str:
    """One digest of files' names and hashes, in order."""
    return hashlib.sha256(_listing(files).encode("utf-8", "surrogateescape")).hexdigest()


def _common_folder(files: Sequence[FaceFile | CalibrationFace]) -> Path:
    first = files[0]
    return first.path.parents[first.name.count("/")]


def _flat_identity(stem: str) -> str:
    numbered = _NUMBERED.fullmatch(stem)
    return numbered[1] if numbered else stem


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def is_text(name: str) -> bool:
    """Whether a file's name is UTF-8, so that reports and manifests can hold it."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def read_image(path: Path) -> bytes:
    """An image file's bytes.

    Raises:
        InputError: it cannot be read, is no ordinary file, or has more than MAX_FILE_BYTES.
    """
    return read_bytes(path, fix="check the file and its permissions", at_most=MAX_FILE_BYTES)
