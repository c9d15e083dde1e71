"""Held-out faces: calibration faces that are for measuring only."""

import numpy as np

from ghostface_edge.targets.protocol import Faces

_MOST = 128


def hold_out(faces: Faces, *, seed: int) -> tuple[Faces, Faces]:
    """Shuffle; a tenth, at most 128, is for measuring only and comes second."""
    order = np.random.default_rng(seed).permutation(len(faces))
    held = max(2, min(_MOST, len(faces) // 10))
    return faces[order[held:]], faces[order[:held]]
