"""Decoded faces on disk, for child processes to map into memory."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np

from ghostface_edge.calibration.aligned import FACE_SIZE, iterate_faces
from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.protocol import Faces

_DECODE_STEP = 512


class DecodedFaces:
    """Faces as one `.npy` of uint8 (N, 112, 112, 3), written when first needed; a context that removes the file."""

    def __init__(self, sha256: str, count: int, batches: Callable[[], Iterator[Faces]]) -> None:
        self.sha256 = sha256
        self._count, self._batches = count, batches
        self._folder = tempfile.TemporaryDirectory(prefix="ghostface-edge-")

    @classmethod
    def of_pairs(cls, pairs: VerificationSet, *, mirrored: bool = False) -> Self:
        """The distinct faces of a verification set, or those faces as a mirror shows them."""
        digests = b"".join(hashlib.sha256(image).digest() for image in pairs.images)
        digest = hashlib.sha256(digests + b"mirrored" * mirrored).hexdigest()

        def batches() -> Iterator[Faces]:
            for batch in iterate_faces(pairs.images, _DECODE_STEP):
                yield batch[:, :, ::-1] if mirrored else batch

        return cls(digest, len(pairs.images), batches)

    @classmethod
    def of_calibration(cls, calibration: CalibrationSet) -> Self:
        """The faces of a calibration set, in its order."""
        return cls(calibration.sha256, len(calibration.files), lambda: iter([calibration.load()]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def __len__(self) -> int:
        return self._count

    @property
    def path(self) -> Path:
        """The file; child processes map it into memory."""
        path = Path(self._folder.name) / "faces.npy"
        if not path.exists():
            shape = (len(self), FACE_SIZE, FACE_SIZE, 3)
            with replacing(path) as partial:
                faces: np.memmap[Any, np.dtype[np.uint8]] = np.lib.format.open_memmap(
                    partial, mode="w+", dtype=np.uint8, shape=shape
                )
                at = 0
                for batch in self._batches():
                    faces[at : at + len(batch)] = batch
                    at += len(batch)
                faces.flush()
        return path
