"""Photographs to aligned faces: a folder, or a `.bin` of a pair list."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.aligned_folder import AlignedFolder, Keep, align_folder, new_folder
from ghostface_edge.calibration.alignment import Locator, Origin, WhenNoFace, YuNet
from ghostface_edge.calibration.contact_sheet import contact_sheet
from ghostface_edge.calibration.landmarks import read_landmarks
from ghostface_edge.calibration.listed_pairs import align_listed, load_listed_pairs
from ghostface_edge.calibration.photos import open_photos
from ghostface_edge.calibration.unusable import OnBadImage
from ghostface_edge.calibration.verification import write_pairs
from ghostface_edge.pipeline.stages.aligned import kept_in
from ghostface_edge.pipeline.stages.face_reader import apart
from ghostface_edge.pipeline.support.progress import Progress, so_far
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.write import write_bytes
from ghostface_edge.targets.places.far_side import tell

_SHEET_FACES, _SHEET_COLUMNS = 100, 10


@dataclass(frozen=True, slots=True)
class AlignJob:
    """What a user asks for."""

    photographs: Path
    output: Path
    landmarks: Path | None
    detector: Path | None
    pairs: Path | None
    no_face: str
    on_bad_image: OnBadImage
    sheet: Path | None
    cores: int


def align(job: AlignJob, progress: Progress) -> str:
    """Align, write, and say in one line what came of it; photographs are read in a process of their own.

    Raises:
        InputError: options that do not go together, photographs that cannot be used, an output that cannot be written.
        ToolError: reading the photographs ended the process.
    """
    with (
        progress.stage("align") as advance,
        apart(Aligner, Store(), job.photographs, job.cores, so_far(advance)) as aligner,
    ):
        return aligner.align(job)


class Aligner:
    """What runs in the process; opened by `Place.open`.

    Args:
        cache: root of the store that keeps the faces of a `.bin`.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def align(self, job: AlignJob) -> str:
        """Align and write; returns what came of it."""
        locator = _locator(job)
        if job.output.suffix == ".bin":
            if job.pairs is None:
                raise InputError("a .bin holds pairs, and no pair list is given", fix="give one with --pairs")
            aligned = _align(job, locator, kept_in(Store(self._cache), Progress()))
            pairs = load_listed_pairs(job.pairs, aligned.path, on_bad_image=job.on_bad_image)
            write_pairs(pairs, job.output)
            done = f"{len(pairs.same)} pairs of "
        else:
            aligned = _align(job, locator, new_folder(job.output))
            done = ""
        _write_sheet(job, aligned)
        return f"{job.output}: {done}{_summary(aligned)}"


def _summary(aligned: AlignedFolder) -> str:
    centred = aligned.count(Origin.CENTRE)
    notes = [
        f"{centred} without a detected face, taken from the centre" if centred else "",
        f"{len(aligned.skipped)} skipped" if aligned.skipped else "",
        f"{len(aligned.flagged)} flagged as poor" if aligned.flagged else "",
    ]
    return "; ".join([f"{len(aligned.files)} faces", *filter(None, notes)])


def _locator(job: AlignJob) -> Locator:
    if (job.landmarks is None) == (job.detector is None):
        raise InputError("landmarks come from a CSV or from a detector", fix="give one of --landmarks and --detector")
    if job.landmarks is not None:
        return read_landmarks(job.landmarks)
    assert job.detector is not None
    return YuNet(job.detector, WhenNoFace(job.no_face))


def _align(job: AlignJob, locator: Locator, keep: Keep) -> AlignedFolder:
    photos, bad, jobs = open_photos(job.photographs), job.on_bad_image, job.cores
    if job.pairs is not None:
        return align_listed(job.pairs, photos, keep, locator, on_bad_image=bad, jobs=jobs, progress=tell)
    return align_folder(photos, keep, locator, on_bad_image=bad, jobs=jobs, progress=tell)


def _write_sheet(job: AlignJob, aligned: AlignedFolder) -> None:
    if job.sheet is None:
        return
    shown = aligned.files[:: max(1, len(aligned.files) // _SHEET_FACES)][:_SHEET_FACES]
    images = [(aligned.path / file.file).read_bytes() for file in shown]
    (faces,) = iterate_faces(images, len(images))
    marked = [place for place, file in enumerate(shown) if file.origin is Origin.CENTRE or file.flags]
    write_bytes(job.sheet, contact_sheet(np.asarray(faces), _SHEET_COLUMNS, marked))
