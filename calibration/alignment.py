"""Photographs in, aligned faces out, on several cores, with no more than a few photographs in memory.

Decoding, detecting and warping run in child processes: a native crash there ends the alignment with an error, and
never takes the program along.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.detector import Choice, Detection, Detector
from ghostface_edge.calibration.faces import MAX_FILE_BYTES
from ghostface_edge.calibration.image_file import BadImageError, decode
from ghostface_edge.calibration.landmarks import Landmarks
from ghostface_edge.calibration.photos import Photos
from ghostface_edge.calibration.quality import Flag, assess
from ghostface_edge.calibration.similarity import ARCFACE_TEMPLATE, DegenerateLandmarksError, align
from ghostface_edge.calibration.unusable import Unusable
from ghostface_edge.reports.child import follow_parent
from ghostface_edge.reports.errors import InputError, ToolError

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many photographs are done and how many there are."""

_CHUNK = 16
_CHUNK_BYTES = 8 << 20
_PENDING_BYTES = 256 << 20
"""Photographs on their way, besides those that a process works on."""
_CENTRE_SHARE = 0.53
"""Side of the central crop over the photograph's shorter side: 132 of 250 pixels, what LFW's landmarks give."""


class WhenNoFace(StrEnum):
    """What to do with a photograph in which the detector finds nobody."""

    REFUSE = "refuse"
    """Treat it as an image that cannot be used."""
    CENTRE = "centre"
    """Take the middle of the photograph, where LFW has its faces."""


class Origin(StrEnum):
    """Where a face's landmarks come from."""

    GIVEN = "given"
    DETECTED = "detected"
    CENTRE = "centre"


@dataclass(frozen=True, slots=True)
class YuNet:
    """Landmarks are to be detected."""

    model: Path
    when_no_face: WhenNoFace = WhenNoFace.REFUSE
    choice: Choice = Choice.CENTRAL


Locator: TypeAlias = Landmarks | YuNet


@dataclass(frozen=True, slots=True)
class AlignedFace:
    """One face, ready for the network."""

    name: str
    """The photograph's."""
    png: bytes
    """112x112 RGB, lossless."""
    photo_sha256: str
    origin: Origin
    flags: tuple[Flag, ...]
    detection: Detection | None
    """What the landmarks were taken from, where they were detected."""


@dataclass(frozen=True, slots=True)
class _Photo:
    name: str
    data: bytes
    landmarks: NDArray[np.float64] | None


@dataclass(frozen=True, slots=True)
class _Refusal:
    """An InputError on its way out of a child process."""

    message: str
    fix: str


_Outcome: TypeAlias = AlignedFace | Unusable


def align_photos(
    photos: Photos, wanted: Collection[str], locator: Locator, jobs: int, progress: Progress | None = None
) -> Iterator[_Outcome]:
    """Align photographs, in the source's order; those that the landmarks leave out are named before any is read.

    Args:
        photos: where they are.
        wanted: which of them, by name.
        locator: landmarks as given, or the detector that finds them.
        jobs: number of child processes.
        progress: told after every few photographs.

    Yields:
        For every photograph its face, or why there is none.

    Raises:
        InputError: the source or the detector cannot be read.
        ToolError: a child process died.
    """
    work = partial(_align_chunk, locator if isinstance(locator, YuNet) else None)
    pending: deque[tuple[int, Future[list[_Outcome] | _Refusal]]] = deque()
    lost = sorted(set(wanted) - locator.points.keys()) if isinstance(locator, Landmarks) else []
    yield from (Unusable(name, "no landmarks are given for it") for name in lost)
    wanted = set(wanted).difference(lost)
    done, total, size = 0, len(wanted), 0

    def finish() -> list[_Outcome]:
        nonlocal done, size
        taken, future = pending.popleft()
        outcomes = _finish(future)
        done, size = done + len(outcomes), size - taken
        if progress:
            progress(done, total)
        return outcomes

    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=follow_parent) as pool:
        try:
            for chunk in _chunks(photos, wanted, locator):
                taken = sum(len(photo.data) for photo in chunk)
                pending.append((taken, pool.submit(work, chunk)))
                size += taken
                while len(pending) > 2 * jobs or size > _PENDING_BYTES:
                    yield from finish()
            while pending:
                yield from finish()
        except BrokenProcessPool:
            raise ToolError(
                f"a child process died while aligning photograph {done + 1} or one soon after it, of {total}",
                fix="run with --jobs 1 to find the photograph, and check the memory that is left",
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _finish(future: Future[list[_Outcome] | _Refusal]) -> list[_Outcome]:
    result = future.result()
    if isinstance(result, _Refusal):
        raise InputError(result.message, fix=result.fix)
    return result


def _chunks(photos: Photos, wanted: Collection[str], locator: Locator) -> Iterator[list[_Photo]]:
    given = locator.points if isinstance(locator, Landmarks) else {}
    chunk: list[_Photo] = []
    size = 0
    for name, data in photos.stream(wanted):
        chunk.append(_Photo(name, data, given.get(name)))
        size += len(data)
        if len(chunk) == _CHUNK or size > _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _align_chunk(yunet: YuNet | None, chunk: list[_Photo]) -> list[_Outcome] | _Refusal:
    """Run in a child process."""
    try:
        return [_align_one(yunet, photo) for photo in chunk]
    except InputError as error:
        return _Refusal(error.message, error.fix)


def _align_one(yunet: YuNet | None, photo: _Photo) -> _Outcome:
    import cv2

    cv2.setNumThreads(1)
    try:
        if len(photo.data) > MAX_FILE_BYTES:
            raise BadImageError(f"larger than {MAX_FILE_BYTES >> 20} MB")  # noqa: TRY301
        pixels = decode(photo.data)
        landmarks, origin, detection = _locate(yunet, photo, pixels)
        face = align(pixels, landmarks)
    except (BadImageError, DegenerateLandmarksError) as error:
        return Unusable(photo.name, str(error))
    except cv2.error as error:
        return Unusable(photo.name, f"OpenCV cannot work on it: {error.err}")
    png = cv2.imencode(".png", face[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()
    flags = assess(face, landmarks)
    return AlignedFace(photo.name, png, hashlib.sha256(photo.data).hexdigest(), origin, flags, detection)


def _locate(
    yunet: YuNet | None, photo: _Photo, pixels: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], Origin, Detection | None]:
    if yunet is None:
        assert photo.landmarks is not None
        return photo.landmarks, Origin.GIVEN, None
    detection = _detector(yunet.model).detect(pixels, yunet.choice)
    if detection is not None:
        return detection.landmarks, Origin.DETECTED, detection
    if yunet.when_no_face is WhenNoFace.REFUSE:
        raise BadImageError("no face found")
    return central_landmarks(pixels.shape[1], pixels.shape[0]), Origin.CENTRE, None


def central_landmarks(width: int, height: int) -> NDArray[np.float64]:
    """Landmarks (5, 2) of a face that fills the middle of a photograph as in LFW."""
    scale = _CENTRE_SHARE * min(width, height) / 112
    landmarks: NDArray[np.float64] = (ARCFACE_TEMPLATE - 56) * scale + np.array([width / 2, height / 2])
    return landmarks


@cache
def _detector(model: Path) -> Detector:
    return Detector(model)
