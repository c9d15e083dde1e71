"""Faces of known people in a folder, to be compared all against all.

In: FOLDER/NAME/*.jpg or .png, aligned, 112x112, as many as there are. Out: the distinct faces, each pinned by its
content; pixels are read in batches, so that memory does not grow with the folder.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import check_aligned
from ghostface_edge.calibration.faces import (
    CalibrationFace,
    FaceFile,
    listing_sha256,
    load_faces,
    read_image,
    scan_folder,
)
from ghostface_edge.calibration.image_file import BadImageError
from ghostface_edge.calibration.lfw_errata import ONE_PERSON
from ghostface_edge.calibration.unusable import OnBadImage, Unusable, unusable_error
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.errors import InputError

_FIX = (
    "replace or remove these images, or skip them with --on-bad-image skip; a gallery needs aligned 112x112 RGB faces"
)
_STRANGERS = 50_000
_TELL_EVERY = 512


@dataclass(frozen=True, slots=True)
class GalleryFolder:
    """N distinct faces of known people."""

    path: Path
    files: tuple[CalibrationFace, ...]
    sha256: str
    """Of the files' names and hashes, in order; independent of where the folder lies."""
    under_two_names: int = 0
    """Contents left out because they lie in the folders of two people."""
    skipped: tuple[Unusable, ...] = ()
    """Files passed over because they cannot be used."""

    @property
    def name(self) -> str:
        """The folder's."""
        return self.path.resolve().name

    @property
    def people(self) -> frozenset[str]:
        """Distinct names."""
        return frozenset(file.identity for file in self.files)

    @property
    def people_known(self) -> bool:
        """Whether the names are all there are."""
        return True

    @property
    def gallery(self) -> Gallery:
        """Who is on which face, in the order of `files`."""
        return Gallery.of([file.identity for file in self.files], ONE_PERSON)

    def labels(self) -> list[str]:
        """A name for every face, for people."""
        return [file.name for file in self.files]

    def digests(self) -> list[str]:
        """SHA-256 of every file."""
        return [file.sha256 for file in self.files]

    def batches(self, size: int) -> Iterator[NDArray[np.uint8]]:
        """Decode the faces, in the order of `files`: RGB uint8 (B, 112, 112, 3).

        Raises:
            InputError: a file is gone, has changed since it was read first, or cannot be decoded.
        """
        for start in range(0, len(self.files), size):
            yield load_faces(self.files[start : start + size])

    def strangers(self) -> NDArray[np.intp]:
        """Some comparisons of two people, (S, 2): drawn by chance, the same for the same folder."""
        drawn = np.random.default_rng(0).integers(0, len(self.files), (_STRANGERS, 2), np.intp)
        person = np.unique([file.identity for file in self.files], return_inverse=True)[1]
        of_two: NDArray[np.intp] = drawn[person[drawn[:, 0]] != person[drawn[:, 1]]]
        return of_two


def open_gallery(
    folder: Path,
    on_bad_image: OnBadImage = OnBadImage.ERROR,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> GalleryFolder:
    """Find every face of a folder, each distinct content once.

    Args:
        folder: NAME/*, or flat with names as LFW numbers them.
        on_bad_image: whether files that cannot be used end everything or are passed over.
        progress: told how many of all files were looked at.

    Raises:
        InputError: no folder, no faces in it, or files that cannot be used.
    """
    found = scan_folder(folder)
    names: dict[str, set[str]] = {}
    chosen: dict[str, CalibrationFace] = {}
    unusable = []
    for number, file in enumerate(found):
        if number % _TELL_EVERY == 0:
            progress(number, len(found))
        try:
            sha256 = _digest(file)
        except BadImageError as error:
            unusable.append(Unusable(file.name, str(error)))
            continue
        names.setdefault(sha256, set()).add(file.identity)
        chosen.setdefault(sha256, CalibrationFace(file.path, file.name, file.identity, sha256))
    files = tuple(face for sha256, face in chosen.items() if len(names[sha256]) == 1)
    if unusable and (on_bad_image is OnBadImage.ERROR or not files):
        raise unusable_error(unusable, len(found), f"images of {folder}", fix=_FIX)
    if not files:
        raise InputError(
            f"{folder} holds no picture that lies under one name alone", fix="lay each person's faces apart"
        )
    return GalleryFolder(folder, files, listing_sha256(files), len(chosen) - len(files), tuple(unusable))


def _digest(file: FaceFile) -> str:
    data = read_image(file.path)
    check_aligned(data)
    return hashlib.sha256(data).hexdigest()
