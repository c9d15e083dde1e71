"""Faces of strangers, read in a process of their own: pairs, calibration folders, galleries, photographs to align.

In: what a user names. Out: plain values. What a file may do to its parser or to an image decoder, it does to a process
that ends with its answer and gets so much memory and no more; what comes back are images that were decoded there
without a complaint.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.faces import CalibrationFace, CalibrationSet, sample, scan_folder
from ghostface_edge.calibration.gallery_folder import GalleryFolder, open_gallery
from ghostface_edge.calibration.lfw_errata import PHOTOGRAPHS_UNDER_TWO_NAMES
from ghostface_edge.calibration.pairs_source import PairsSource, open_pairs
from ghostface_edge.calibration.sampling import SamplingMethod
from ghostface_edge.calibration.unusable import OnBadImage
from ghostface_edge.calibration.verification import PairsFacts, VerificationSet
from ghostface_edge.pipeline.stages.aligned import kept_in
from ghostface_edge.pipeline.support.progress import Progress, so_far
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.places import far_side
from ghostface_edge.targets.places.connection import ChildDeath
from ghostface_edge.targets.places.place import LOCAL

Served = TypeVar("Served")

MEMORY_MB = 1500
"""For the largest `.bin` that is read, three times over."""
_FILES_AT_ONCE = 20_000
"""Files of a gallery that one message names."""
_MEMORY_MB_PER_PROCESS = 700
"""For each that aligns: a photograph of 64 megapixels, decoded, with room to search it."""


class FaceReader:
    """What runs in the process; opened by `Place.open`.

    Args:
        cache: root of the store that keeps aligned photographs.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._pairs: VerificationSet | None = None
        self._gallery: tuple[CalibrationFace, ...] = ()

    def open_pairs(self, source: PairsSource, jobs: int) -> PairsFacts:
        """See `pairs_source.open_pairs`; the arrays of the set are fetched one by one."""
        try:
            keep = kept_in(Store(self._cache), Progress())
            self._pairs = open_pairs(source, keep, jobs, far_side.tell).pairs
        except MemoryError:
            raise _too_large(source.path) from None
        return self._pairs

    def images(self) -> NDArray[np.uint8]:
        """All encoded images, one after the other."""
        return np.frombuffer(b"".join(self._opened.images), np.uint8)

    def ends(self) -> NDArray[np.int64]:
        """Where each of them ends."""
        return np.cumsum([len(image) for image in self._opened.images], dtype=np.int64)

    def index(self) -> NDArray[np.int64]:
        return self._opened.index.astype(np.int64)

    def same(self) -> NDArray[np.bool_]:
        return self._opened.same

    def sample(self, folder: Path, count: int, seed: int, method: SamplingMethod) -> CalibrationSet:
        """See `faces.sample`; photographs known to be in LFW's pairs are never chosen."""
        try:
            return sample(scan_folder(folder), count, seed, method=method, exclude=PHOTOGRAPHS_UNDER_TWO_NAMES)
        except MemoryError:
            raise _too_large(folder) from None

    def open_gallery(self, folder: Path, on_bad_image: OnBadImage) -> tuple[GalleryFolder, int]:
        """See `gallery_folder.open_gallery`; without its files, which are fetched in parts, and how many they are."""
        try:
            found = open_gallery(folder, on_bad_image, far_side.tell)
        except MemoryError:
            raise _too_large(folder) from None
        self._gallery = found.files
        return replace(found, files=()), len(found.files)

    def gallery_files(self, start: int, stop: int) -> tuple[CalibrationFace, ...]:
        return self._gallery[start:stop]

    @property
    def _opened(self) -> VerificationSet:
        assert self._pairs is not None
        return self._pairs


def read_pairs(source: PairsSource, store: Store, jobs: int, progress: Progress) -> VerificationSet:
    """Read a verification set, its photographs aligned if that is needed.

    Args:
        source: what the user named.
        store: keeps aligned photographs.
        jobs: number of processes that align.
        progress: told how far that is.

    Raises:
        InputError: files that cannot be used, or options that do not go together.
        ToolError: reading them ended the process.
    """
    aligning = source.landmarks is not None or source.detector is not None
    with (
        progress.stage(f"read {source.path}") as advance,
        apart(FaceReader, store, source.path, jobs * aligning, so_far(advance)) as reader,
    ):
        facts = reader.open_pairs(source, jobs)
        ends, images = reader.ends().tolist(), reader.images().tobytes()
        return VerificationSet(
            **{field.name: getattr(facts, field.name) for field in fields(PairsFacts)},
            images=tuple(images[start:end] for start, end in zip([0, *ends], ends, strict=False)),
            index=reader.index().astype(np.intp),
            same=reader.same(),
        )


def read_sets(sources: Sequence[PairsSource], store: Store, jobs: int, progress: Progress) -> list[VerificationSet]:
    """Read several verification sets, as `read_pairs` does.

    Raises:
        InputError: files that cannot be used, or two of one name.
        ToolError: reading them ended the process.
    """
    sets = [read_pairs(source, store, jobs, progress) for source in sources]
    twice = [name for name, count in Counter(pairs.name for pairs in sets).items() if count > 1]
    if twice:
        raise InputError(f"two sets of pairs are called '{twice[0]}'", fix="rename one of the files")
    return sets


def read_gallery(folder: Path, on_bad_image: OnBadImage, store: Store, progress: Progress) -> GalleryFolder:
    """Find and check every face of a folder of people; see `gallery_folder.open_gallery`.

    Raises:
        InputError: the folder or faces in it cannot be used.
        ToolError: reading them ended the process.
    """
    with (
        progress.stage(f"read {folder}") as advance,
        apart(FaceReader, store, folder, on_told=so_far(advance)) as reader,
    ):
        found, count = reader.open_gallery(folder, on_bad_image)
        parts = [reader.gallery_files(start, start + _FILES_AT_ONCE) for start in range(0, count, _FILES_AT_ONCE)]
    found = replace(found, files=tuple(file for part in parts for file in part))
    for left_out, why in (
        (found.under_two_names, "lie in the folders of two people"),
        (len(found.skipped), "cannot be used"),
    ):
        if left_out:
            progress.say(f"left out of the gallery: {left_out:,} faces that {why}")
    return found


def sample_faces(
    folder: Path, count: int, seed: int, store: Store, method: SamplingMethod = SamplingMethod.PER_IDENTITY
) -> CalibrationSet:
    """Choose calibration faces of a folder; see `faces.sample`.

    Raises:
        InputError: the folder or faces in it cannot be used.
        ToolError: reading them ended the process.
    """
    with apart(FaceReader, store, folder) as reader:
        return reader.sample(folder, count, seed, method)


@contextmanager
def apart(
    kind: Callable[[Path], Served],
    store: Store,
    path: Path,
    jobs: int = 0,
    on_told: Callable[..., None] = lambda *_: None,
) -> Iterator[Served]:
    """One `kind(root of the store)` in a process of its own that reads a stranger's file or folder.

    Args:
        kind: what runs there.
        store: has room for the log.
        path: what is read, for errors.
        jobs: how many processes it starts to align photographs.
        on_told: given what it tells.

    Raises:
        ToolError: the process died.
    """
    memory_mb = MEMORY_MB + _MEMORY_MB_PER_PROCESS * jobs
    with store.scratch() as logs:
        try:
            log = logs / "faces.log"
            with LOCAL.open(kind, store.root, log=log, memory_limit_mb=memory_mb, on_told=on_told) as served:
                yield served
        except ChildDeath as error:
            raise ToolError(
                f"{path} cannot be read: {error.message}", fix="run it again; if it ends so again, use another file"
            ) from error


def _too_large(path: Path) -> InputError:
    return InputError(f"{path} needs more than {MEMORY_MB:,} MB of memory to be read", fix="use fewer or smaller faces")
