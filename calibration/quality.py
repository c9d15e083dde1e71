"""Faces that mislead a calibration: blurred, enlarged from next to nothing, or badly exposed.

The limits lie beyond 99.9 % of LFW's 7,701 faces (Laplacian variance 20 at 0.1 %, mean level of the centre 58 at 0.1 %
and 195 at 99.9 %).
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

_BLUR = 20.0
"""Variance of the Laplacian, gray levels squared."""
_TINY = 20.0
"""Distance between the eyes in the photograph, pixels; the template's is 35."""
_DARK, _BRIGHT = 45.0, 210.0
"""Mean gray level of the face's centre."""
_CENTRE = np.s_[20:100, 20:92]


class Flag(StrEnum):
    """What is wrong with a face."""

    BLUR = "blur"
    TINY = "tiny"
    DARK = "dark"
    BRIGHT = "bright"


def assess(face: NDArray[np.uint8], landmarks: NDArray[np.float64] | None = None) -> tuple[Flag, ...]:
    """Judge an aligned face.

    Args:
        face: RGB uint8 (112, 112, 3).
        landmarks: (5, 2) in the photograph that it was aligned from; without them, size is not judged.
    """
    import cv2

    gray = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    level = float(gray[_CENTRE].mean())
    eyes = None if landmarks is None else float(np.hypot(*(landmarks[1] - landmarks[0])))
    judged = {
        Flag.BLUR: float(cv2.Laplacian(gray, cv2.CV_64F).var()) < _BLUR,
        Flag.TINY: eyes is not None and eyes < _TINY,
        Flag.DARK: level < _DARK,
        Flag.BRIGHT: level > _BRIGHT,
    }
    return tuple(flag for flag, raised in judged.items() if raised)
