"""Varies aligned faces the way cameras do: mirrored, shifted, brighter or darker, more or less contrast."""

import numpy as np

from ghostface_edge.targets.protocol import Faces

_SHIFT_PIXELS = 4
_BRIGHTNESS = 20.0
_CONTRAST = 0.15


def augment(faces: Faces, generator: np.random.Generator) -> Faces:
    """One random view of each RGB uint8 face (N, S, S, 3); edges are repeated where the shift leaves them bare."""
    side = faces.shape[1]
    padding = ((_SHIFT_PIXELS, _SHIFT_PIXELS),) * 2
    views = np.empty_like(faces)
    for index, face in enumerate(faces):
        padded = np.pad(face, (*padding, (0, 0)), mode="edge")
        top, left = generator.integers(0, 2 * _SHIFT_PIXELS + 1, 2)
        view = padded[top : top + side, left : left + side]
        if generator.random() < 0.5:
            view = view[:, ::-1]
        contrast = 1 + generator.uniform(-_CONTRAST, _CONTRAST)
        brightness = generator.uniform(-_BRIGHTNESS, _BRIGHTNESS)
        views[index] = np.clip(np.rint((view - 127.5) * contrast + 127.5 + brightness), 0, 255)
    return views
