"""Calibration faces, looked at before they decide anything.

In: uint8 faces. Out: calibration and held-out faces, warnings that name a figure, or an error.
"""

from dataclasses import dataclass

import numpy as np

from ghostface_edge.pipeline.quantize.held_out import hold_out
from ghostface_edge.pipeline.simulation.program import Program
from ghostface_edge.pipeline.simulation.simulate import embed
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.protocol import Embeddings, Faces

FEWEST, ENOUGH = 8, 200
_FLAT = 2.0
"""Standard deviation in grey levels below which an image shows nothing."""
_ALIKE = 0.5
"""Mean cosine between different images' embeddings; trained networks give faces of different people about 0."""


@dataclass(frozen=True, slots=True)
class SplitFaces:
    """Calibration faces in a seeded order."""

    calibration: Faces
    held_out: Faces
    reference: Embeddings
    """Of the held-out faces, float32."""
    warnings: tuple[str, ...]


def split_faces(program: Program, faces: Faces, *, seed: int) -> SplitFaces:
    """Shuffle, hold out a tenth (at most 128), check.

    Raises:
        InputError: wrong shape or type, fewer than 8 faces, or images that are all one colour or all the same.
    """
    if faces.dtype != np.uint8 or faces.ndim != 4 or faces.shape[3] != 3 or faces.shape[1] != faces.shape[2]:
        raise InputError(
            f"calibration faces are {faces.dtype} {faces.shape}, expected uint8 (N, S, S, 3)",
            fix="give aligned RGB faces",
        )
    if len(faces) < FEWEST:
        raise InputError(
            f"{len(faces)} calibration faces are too few, at least {FEWEST} are needed",
            fix=f"give {ENOUGH} or more aligned faces of different people",
        )
    flat = int((faces.std((1, 2, 3)) < _FLAT).sum())
    if flat == len(faces) or (faces == faces[:1]).all():
        raise InputError(
            f"all {len(faces)} calibration images are constant or the same",
            fix="give aligned faces of different people",
        )
    warnings = []
    if len(faces) < ENOUGH:
        warnings.append(f"{len(faces)} calibration faces are few: ranges settle from about {ENOUGH} on")
    if flat:
        warnings.append(f"{flat} of {len(faces)} calibration images are constant")
    calibration, held_out = hold_out(faces, seed=seed)
    reference = embed(program, held_out)
    alike = _mean_cosine(reference)
    if alike > _ALIKE:
        warnings.append(
            f"the network finds the calibration images alike (mean cosine {alike:.2f} between different images, "
            f"above {_ALIKE}): are they aligned faces, RGB, of different people?"
        )
    return SplitFaces(calibration, held_out, reference, tuple(warnings))


def _mean_cosine(reference: Embeddings) -> float:
    embeddings = reference.astype(np.float64)
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    count = len(unit)
    return float((np.square(unit.sum(0)).sum() - count) / (count * (count - 1)))
