"""What a detector saw, drawn into a photograph: boxes and landmarks."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ghostface_edge.pipeline.tools.photographs import Box, FoundFace

MEANT, OTHER, POINT = (37, 99, 201), (130, 130, 130), (255, 196, 0)
"""RGB of the box of the face that is meant, of other faces, and of landmarks."""


def draw(picture: NDArray[np.uint8], face: FoundFace, scale: float, colour: tuple[int, int, int] = MEANT) -> None:
    """Draw into a picture in place.

    Args:
        picture: RGB uint8 (H, W, 3).
        face: where it was found, in pixels of the photograph.
        scale: pixels of the picture per pixel of the photograph.
        colour: of the box of the face that is meant.
    """
    width = max(1, round(max(picture.shape[:2]) / 250))
    for box in face.others:
        _box(picture, box, scale, OTHER, width)
    _box(picture, face.box, scale, colour, width)
    for x, y in face.landmarks:
        cv2.circle(picture, (round(x * scale), round(y * scale)), 2 * width, POINT, cv2.FILLED, cv2.LINE_AA)


def _box(picture: NDArray[np.uint8], box: Box, scale: float, colour: tuple[int, int, int], width: int) -> None:
    x, y, across, down = (side * scale for side in box)
    cv2.rectangle(picture, (round(x), round(y)), (round(x + across), round(y + down)), colour, width, cv2.LINE_AA)
