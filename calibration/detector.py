"""Landmarks from YuNet, OpenCV's small face detector, given its ONNX file.

Finding and measuring are two steps. The photograph is searched at growing sizes until a face is found. Its landmarks
are then read again on two enlarged crops and averaged: on 305 LFW photographs that raised the cosine to the
embeddings of MTCNN-aligned faces from 0.886 (one look) to 0.949. Runs in worker processes only.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError

_SEARCH_SIDES = (320, 640, 1280)
"""Longer side of the photograph, in pixels, in the order tried."""
_CROP_SIDES = (320, 416)
_CROP_MARGIN = 1.5
"""Side of a crop over the longer side of the face's box."""
_SCORE = 0.6
_NMS = 0.3
_TOP_K = 500


class Choice(StrEnum):
    """Which of several faces is meant."""

    CENTRAL = "central"
    """The one nearest the photograph's centre: whom LFW's photographs are of."""
    LARGEST = "largest"


@dataclass(frozen=True, slots=True)
class Detection:
    """The face that is meant, and what else looks like one."""

    landmarks: NDArray[np.float64]
    """(5, 2) pixels, in the ArcFace template's order."""
    box: NDArray[np.float64]
    """(4,), pixels: x, y, width, height."""
    score: float
    """How sure the detector is of it, up to 1."""
    others: NDArray[np.float64]
    """(K, 4), boxes of the other faces."""


class Detector:
    """A loaded YuNet."""

    def __init__(self, model: Path) -> None:
        """Load the detector.

        Raises:
            InputError: the file is no YuNet.
        """
        import cv2
        import cv2.utils.logging as cv2_logging

        cv2_logging.setLogLevel(cv2_logging.LOG_LEVEL_ERROR)  # OpenCV 5 warns about its own default on every load
        try:
            self._net = cv2.FaceDetectorYN.create(str(model), "", (320, 320), _SCORE, _NMS, _TOP_K)
        except cv2.error as error:
            raise InputError(
                f"{model} cannot be loaded as a face detector: {str(error).strip()[-200:]}",
                fix="use OpenCV's face_detection_yunet ONNX file",
            ) from None

    def detect(self, photo: NDArray[np.uint8], choice: Choice = Choice.CENTRAL) -> Detection | None:
        """Find the face of an RGB uint8 (H, W, 3) photograph that is meant; None where there is none at any size."""
        height, width = photo.shape[:2]
        whole = max(height, width)
        for side in _SEARCH_SIDES:
            scale = min(side / whole, 2.0)
            faces = self._look(photo, scale, (0.0, 0.0), (round(width * scale), round(height * scale)))
            if len(faces):
                meant = _nearest(faces, (width / 2, height / 2)) if choice is Choice.CENTRAL else _largest(faces)
                face, others = faces[meant], np.delete(faces[:, :4], meant, axis=0)
                return Detection(self._measure(photo, face), face[:4], float(face[14]), others)
        return None

    def _measure(self, photo: NDArray[np.uint8], face: NDArray[np.float64]) -> NDArray[np.float64]:
        centre = face[:2] + face[2:4] / 2
        readings = []
        for side in _CROP_SIDES:
            scale = side / (max(face[2], face[3]) * _CROP_MARGIN)
            corner = centre - side / scale / 2
            seen = self._look(photo, scale, (corner[0], corner[1]), (side, side))
            if len(seen):
                readings.append(seen[_nearest(seen, (centre[0], centre[1]))][4:14])
        landmarks = np.mean(readings, axis=0) if readings else face[4:14]
        return np.asarray(landmarks, np.float64).reshape(5, 2)

    def _look(
        self, photo: NDArray[np.uint8], scale: float, corner: tuple[float, float], size: tuple[int, int]
    ) -> NDArray[np.float64]:
        """Detect on a scaled window.

        Args:
            photo: the whole photograph.
            scale: window pixels per photograph pixel.
            corner: the window's upper left, in photograph pixels.
            size: width and height of the window, in window pixels.

        Returns:
            (K, 15): x, y, width, height, five points, score; in photograph pixels.
        """
        import cv2

        size = max(size[0], 1), max(size[1], 1)
        rest = scale
        if scale < 1:  # averaging first: warpAffine alone would skip pixels
            photo = np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
            rest = 1.0
        transform = np.array([[rest, 0.0, -scale * corner[0]], [0.0, rest, -scale * corner[1]]])
        window = cv2.warpAffine(photo, transform, size)
        self._net.setInputSize(size)
        _, found = self._net.detect(np.ascontiguousarray(window[:, :, ::-1]))
        if found is None:
            return np.empty((0, 15))
        faces = np.asarray(found, np.float64)
        faces[:, :14] /= scale
        faces[:, (0, 4, 6, 8, 10, 12)] += corner[0]
        faces[:, (1, 5, 7, 9, 11, 13)] += corner[1]
        return faces


def _nearest(faces: NDArray[np.float64], point: tuple[float, float]) -> int:
    centres = faces[:, :2] + faces[:, 2:4] / 2
    return int(np.argmin(np.hypot(*(centres - point).T)))


def _largest(faces: NDArray[np.float64]) -> int:
    return int(np.argmax(faces[:, 2] * faces[:, 3]))
