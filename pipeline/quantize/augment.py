"""Varies aligned faces the way cameras do: mirrored, shifted, brighter or darker, more or less contrast."""

import numpy as np
from numpy.typing import NDArray

_SHIFT_PIXELS = 4
_BRIGHTNESS = 20.0
_CONTRAST = 0.15


def augment(face: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    """A random view of an RGB uint8 face (S, S, 3); edges are repeated where the shift leaves them bare."""
    side = len(face)
    padding = ((_SHIFT_PIXELS, _SHIFT_PIXELS),) * 2
    padded = np.pad(face, (*padding, (0, 0)), mode="edge")
    top, left = generator.integers(0, 2 * _SHIFT_PIXELS + 1, 2)
    view = padded[top : top + side, left : left + side]
    if generator.random() < 0.5:
        view = view[:, ::-1]
    contrast = 1 + generator.uniform(-_CONTRAST, _CONTRAST)
    brightness = generator.uniform(-_BRIGHTNESS, _BRIGHTNESS)
    varied: NDArray[np.float64] = np.rint((view - 127.5) * contrast + 127.5 + brightness)
    return varied.clip(0, 255).astype(np.uint8)
