"""Faces in a user's own photographs: found and aligned in a process of their own, none of them kept.

In: photographs, a folder of them, and a detector. Out: where each face lies, and its pixels as networks take them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import FACE_SIZE
from ghostface_edge.calibration.alignment import AlignedFace, YuNet, align_photos
from ghostface_edge.calibration.detector import Choice, Detection
from ghostface_edge.calibration.faces import read_image, scan_folder
from ghostface_edge.calibration.image_file import decode
from ghostface_edge.calibration.photos import PhotoFolder
from ghostface_edge.calibration.quality import Flag
from ghostface_edge.calibration.unusable import Unusable
from ghostface_edge.pipeline.stages.face_reader import apart
from ghostface_edge.pipeline.support.progress import Progress, so_far
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.places import far_side
from ghostface_edge.targets.protocol import Faces

Box = tuple[float, float, float, float]
"""Pixels: x, y, width, height."""
_PER_PROCESS: Final = 8
"""Photographs that are worth a process more."""


@dataclass(frozen=True, slots=True)
class FoundFace:
    """The face that is meant in one photograph."""

    photo: Path
    box: Box
    landmarks: tuple[tuple[float, float], ...]
    """Five of (x, y), pixels: the image's left eye, right eye, nose tip, left and right mouth corner."""
    detector_score: float
    """How sure the detector is that it is a face, up to 1."""
    flags: tuple[Flag, ...]
    """What makes it a poor picture."""
    others: tuple[Box, ...]
    """Faces that are not meant."""


class FaceFinder:
    """What runs in the process; opened by `Place.open`."""

    def __init__(self, _cache: Path) -> None:
        self._faces: list[AlignedFace] = []
        self._unusable: tuple[Unusable, ...] = ()

    def find(self, photos: tuple[Path, ...], detector: Path, choice: Choice, jobs: int) -> tuple[FoundFace, ...]:
        """Find and align, in the order of the photographs; `unusable` says which gave no face."""
        named = {str(photo): photo for photo in photos}
        outcomes = {
            outcome.where if isinstance(outcome, Unusable) else outcome.name: outcome
            for outcome in align_photos(
                PhotoFolder(photos[0].parent, named), named, YuNet(detector, choice=choice), jobs, far_side.tell
            )
        }
        ordered = [outcomes[name] for name in named]
        self._faces = [outcome for outcome in ordered if isinstance(outcome, AlignedFace)]
        self._unusable = tuple(outcome for outcome in ordered if isinstance(outcome, Unusable))
        return tuple(_found(face) for face in self._faces)

    def unusable(self) -> tuple[Unusable, ...]:
        return self._unusable

    def aligned(self, start: int, stop: int) -> NDArray[np.uint8]:
        """RGB uint8 (B, 112, 112, 3) of the faces found."""
        faces = [decode(face.png) for face in self._faces[start:stop]]
        return np.asarray(faces, np.uint8).reshape(-1, FACE_SIZE, FACE_SIZE, 3)

    def size(self, photo: Path) -> tuple[int, int]:
        """Height and width of a photograph as it is shown, its orientation heeded."""
        height, width = decode(read_image(photo)).shape[:2]
        return height, width

    def picture(self, photo: Path, longest: int) -> NDArray[np.uint8]:
        """A photograph, RGB uint8 (H, W, 3), its longer side of so many pixels."""
        import cv2

        pixels = decode(read_image(photo))
        scale = longest / max(pixels.shape[:2])
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=way), np.uint8)


class Found:
    """Faces of photographs, as long as the process that found them is there."""

    def __init__(self, finder: FaceFinder, faces: tuple[FoundFace, ...]) -> None:
        self.faces = faces
        self.unusable = finder.unusable()
        self._finder = finder

    def aligned(self, step: int) -> Iterator[Faces]:
        """RGB uint8 (B, 112, 112, 3), as many at a time."""
        for start in range(0, len(self.faces), step):
            yield self._finder.aligned(start, start + step)

    def aligned_face(self, place: int) -> NDArray[np.uint8]:
        """RGB uint8 (112, 112, 3) of one of them."""
        face: NDArray[np.uint8] = self._finder.aligned(place, place + 1)[0]
        return face

    def picture(self, photo: Path, longest: int) -> tuple[NDArray[np.uint8], float]:
        """A photograph, RGB uint8 (H, W, 3), its longer side of so many pixels, and its scale."""
        size, small = self._finder.size(photo), self._finder.picture(photo, longest)
        return small.copy(), max(small.shape[:2]) / max(size)


@contextmanager
def find_faces(
    photos: Sequence[Path], detector: Path, choice: Choice, store: Store, cores: int, progress: Progress
) -> Iterator[Found]:
    """Find one face in each photograph; those that show none are named.

    Args:
        photos: JPEG or PNG files, each once.
        detector: YuNet's `.onnx`.
        choice: which face is meant where there are several.
        store: has room for the log; nothing of the photographs is kept there.
        cores: for large numbers of photographs.
        progress: told how far it is.

    Raises:
        InputError: a photograph cannot be read, or the detector is none.
        ToolError: reading them ended the process.
    """
    jobs = min(cores, -(-len(photos) // _PER_PROCESS))
    with (
        progress.stage(f"find faces in {len(photos):,} photographs", len(photos)) as advance,
        apart(FaceFinder, store, photos[0], jobs, so_far(advance)) as finder,
    ):
        found = finder.find(tuple(photos), detector, choice, jobs)
        yield Found(finder, found)


def photos_at(path: Path) -> tuple[Path, ...]:
    """A photograph itself, or all of a folder, as `NAME/FILE.jpg` or lying flat.

    Raises:
        InputError: nothing is there, or a folder without photographs.
    """
    if path.is_dir():
        return tuple(file.path for file in scan_folder(path))
    if not path.exists():
        raise InputError(f"{path}: no such photograph", fix="name a JPEG or PNG file, or a folder of them")
    return (path,)


def _found(face: AlignedFace) -> FoundFace:
    assert face.detection is not None
    return boxes_of(Path(face.name), face.detection, face.flags)


def boxes_of(photo: Path, seen: Detection, flags: tuple[Flag, ...]) -> FoundFace:
    """A detection as plain numbers."""
    return FoundFace(
        photo=photo,
        box=_box(seen.box),
        landmarks=tuple((x, y) for x, y in seen.landmarks.tolist()),
        detector_score=seen.score,
        flags=flags,
        others=tuple(map(_box, seen.others)),
    )


def _box(numbers: NDArray[np.float64]) -> Box:
    x, y, width, height = numbers.tolist()
    return x, y, width, height
