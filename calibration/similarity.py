"""Similarity transform that brings five landmarks onto the ArcFace template, and a face with them.

Source: Umeyama 1991, doi 10.1109/34.88573; template of Deng et al. 2019, arXiv:1801.07698, for 112x112.
"""

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import FACE_SIZE

ARCFACE_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Pixels (x, y) of the image's left eye, right eye, nose tip, left and right mouth corner."""


class DegenerateLandmarksError(Exception):
    """The points are not finite, or lie so close together that they fix no transform."""


def similarity_transform(points: NDArray[np.float64], onto: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation, uniform scale and shift that bring `points` nearest to `onto` in the least-squares sense.

    Args:
        points: (K, 2), pixels.
        onto: (K, 2), pixels.

    Returns:
        (2, 3), to be applied to (x, y, 1); never a reflection.

    Raises:
        DegenerateLandmarksError: the points do not determine it.
    """
    mean, onto_mean = points.mean(axis=0), onto.mean(axis=0)
    spread, onto_spread = points - mean, onto - onto_mean
    variance = np.square(spread).sum() / len(points)
    if not np.isfinite(variance) or variance < 1.0:
        raise DegenerateLandmarksError("its landmarks lie within a pixel of each other or are not finite")
    left, singular, right = np.linalg.svd(onto_spread.T @ spread / len(points))
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    scaled_rotation = (left * signs) @ right * (singular @ signs / variance)
    return np.column_stack((scaled_rotation, onto_mean - scaled_rotation @ mean))


def align(photo: NDArray[np.uint8], landmarks: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Warp a photograph so that its landmarks lie on the template: bilinear, black outside.

    Args:
        photo: RGB uint8 (H, W, 3).
        landmarks: (5, 2), in the template's order.

    Returns:
        RGB uint8 (112, 112, 3).

    Raises:
        DegenerateLandmarksError: the landmarks do not determine a transform.
    """
    import cv2

    transform = similarity_transform(landmarks, ARCFACE_TEMPLATE)
    face = cv2.warpAffine(
        photo,
        transform,
        (FACE_SIZE, FACE_SIZE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0),
    )
    return np.asarray(face, np.uint8)
