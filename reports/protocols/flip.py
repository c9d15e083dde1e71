"""A face and its mirror image as one embedding, as most published protocols use it."""

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError


def flip_sum(embeddings: NDArray[np.float32], mirrored: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add the embeddings of faces and of their mirror images.

    Args:
        embeddings: float32 (N, E), not normalised.
        mirrored: float32 (N, E), of the same faces, flipped left to right.

    Raises:
        InputError: their shapes differ.
    """
    if embeddings.shape != mirrored.shape:
        raise InputError(
            f"{embeddings.shape} embeddings and {mirrored.shape} of mirrored faces", fix="embed every face both ways"
        )
    return embeddings + mirrored
