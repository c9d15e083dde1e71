"""Faces to a `.tflite`'s own input, its own output to embeddings. Boards run this file as it is: Python 3.9."""

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import normalize

if TYPE_CHECKING:
    from ghostface_edge.targets.protocol import Embeddings, Faces

_INT8_RANGE: Final = (-128, 127)


def encode(faces: "Faces", dtype: "np.dtype[np.generic]", scale: float, zero_point: int) -> "NDArray[np.generic]":
    """NHWC in the artifact's type: float32 and int8 normalised, uint8 the camera's bytes as they are.

    A scale of 1/128 puts every byte half way between two steps; ties go down, so that int8 is byte - 128.

    Args:
        faces: RGB (N, S, S, 3).
        dtype: float32, int8 or uint8.
        scale: of an int8 input.
        zero_point: of an int8 input.
    """
    if dtype == np.uint8:
        return faces
    real = normalize(faces)
    if dtype == np.float32:
        return real
    steps: NDArray[np.float32] = np.ceil(real / np.float32(scale) - np.float32(0.5)) + np.float32(zero_point)
    return steps.clip(*_INT8_RANGE).astype(np.int8)


def decode(output: NDArray[np.generic], scale: float, zero_point: int) -> "Embeddings":
    """float32 as it is, int8 to the real values it stands for."""
    embeddings: Embeddings = output.astype(np.float32)
    if output.dtype == np.int8:
        embeddings = (embeddings - np.float32(zero_point)) * np.float32(scale)
    return embeddings
