"""Pixels as networks take them: uint8 faces to float input.

Every GhostFaceNet of the official repository was trained on RGB, (x - 127.5) / 128.
"""

import numpy as np
from numpy.typing import NDArray

MEAN = 127.5
SCALE = 128.0


def normalize(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """RGB uint8 (N, S, S, 3) to float32 (N, S, S, 3) in [-0.996, 0.996]."""
    return (faces.astype(np.float32) - np.float32(MEAN)) / np.float32(SCALE)
