"""Decoded faces on disk, for child processes to map into memory; they go with the run that wrote them."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np

from ghostface_edge.calibration.aligned import FACE_SIZE, iterate_faces
from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.gallery_folder import GalleryFolder
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.protocol import Faces

_DECODE_STEP = 512


class DecodedFaces:
    """Faces as one `.npy` of uint8 (N, 112, 112, 3), written when first needed; a context that removes the file.

    Args:
        store: has room for it, and removes it after a run that was killed.
        sha256: of the faces.
        count: how many there are.
        batches: gives them in order.
    """

    def __init__(self, store: Store, sha256: str, count: int, batches: Callable[[], Iterator[Faces]]) -> None:
        self.sha256 = sha256
        self._store, self._count, self._batches = store, count, batches
        self._path: Path | None = None
        self._written = ExitStack()

    @classmethod
    def of_pairs(cls, store: Store, pairs: VerificationSet, *, mirrored: bool = False) -> Self:
        """The distinct faces of a verification set, or those faces as a mirror shows them."""
        digests = b"".join(hashlib.sha256(image).digest() for image in pairs.images)
        digest = hashlib.sha256(digests + b"mirrored" * mirrored).hexdigest()

        def batches() -> Iterator[Faces]:
            for batch in iterate_faces(pairs.images, _DECODE_STEP):
                yield batch[:, :, ::-1] if mirrored else batch

        return cls(store, digest, len(pairs.images), batches)

    @classmethod
    def of_gallery(cls, store: Store, gallery: GalleryFolder, *, mirrored: bool = False) -> Self:
        """The faces of a gallery, in its order, or those faces as a mirror shows them."""
        digest = hashlib.sha256(gallery.sha256.encode() + b"mirrored" * mirrored).hexdigest()

        def batches() -> Iterator[Faces]:
            for batch in gallery.batches(_DECODE_STEP):
                yield batch[:, :, ::-1] if mirrored else batch

        return cls(store, digest, len(gallery.files), batches)

    @classmethod
    def of_calibration(cls, store: Store, calibration: CalibrationSet) -> Self:
        """The faces of a calibration set, in its order."""
        return cls(store, calibration.sha256, len(calibration.files), lambda: iter([calibration.load()]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._written.close()
        self._path = None

    def __len__(self) -> int:
        return self._count

    @property
    def path(self) -> Path:
        """The file; child processes map it into memory.

        Raises:
            ToolError: there is no room for it.
        """
        if self._path is None:
            path = self._written.enter_context(self._store.scratch()) / "faces.npy"
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(self), FACE_SIZE, FACE_SIZE, 3)}
            # Written, not mapped: a map of a file that the disk has no room for ends the process at its first touch.
            with replacing(path) as partial, partial.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, header)
                for batch in self._batches():
                    file.write(np.ascontiguousarray(batch).data)
            self._path = path
        return self._path
