"""Pixels as networks take them: uint8 faces to float input.

Every GhostFaceNet of the official repository was trained on RGB, (x - 127.5) / 128.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError

MEAN = 127.5
SCALE = 128.0


def normalize(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """RGB uint8 (N, S, S, 3) to float32 (N, S, S, 3) in [-0.996, 0.996]."""
    return (faces.astype(np.float32) - np.float32(MEAN)) / np.float32(SCALE)


def require_shape(given: tuple[int, ...], taken: Sequence[object]) -> None:
    """Refuse faces that a model was not made for.

    Args:
        given: shape of the faces as the model's input.
        taken: that the model declares; an axis that is open is no number or a negative one.

    Raises:
        InputError: they differ.
    """
    sizes = [size if isinstance(size, int) and size >= 0 else None for size in taken]
    if len(sizes) != len(given) or any(size not in {None, given[axis]} for axis, size in enumerate(sizes)):
        shown = ", ".join("any" if size is None else str(size) for size in sizes)
        raise InputError(
            f"the model takes ({shown}), the faces come as {given}",
            fix="export it with an open batch axis, for aligned faces of their size",
        )
