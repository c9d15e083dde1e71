"""A video or a camera, frame by frame: faces found, and what is told of them drawn into an annotated file or a window.

Decoders of videos are native code fed by strangers: this runs in a process of its own.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import cv2
import cv2.utils.logging as cv2_logging
import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import FACE_SIZE
from ghostface_edge.calibration.detector import Choice, Detector
from ghostface_edge.calibration.image_file import MAX_PIXELS
from ghostface_edge.calibration.quality import assess
from ghostface_edge.calibration.similarity import DegenerateLandmarksError, align
from ghostface_edge.pipeline.tools.drawing import MEANT, draw
from ghostface_edge.pipeline.tools.photographs import FoundFace, boxes_of
from ghostface_edge.reports.errors import InputError, ToolError

CODECS: Final = MappingProxyType({".mp4": "mp4v", ".webm": "VP80"})
"""Of annotated files, by their ending: MPEG-4, and VP8, which browsers play. OpenCV's packages bring no H.264."""
_CONTAINERS: Final = ("mov", "matroska", "avi", "mpegts", "mpeg", "ogg", "flv", "asf")
"""FFmpeg's names of files that hold their pictures themselves; a list or a playlist leads to others."""
_OPTIONS: Final = MappingProxyType({"format_whitelist": ",".join(_CONTAINERS), "protocol_whitelist": "file"})
SAME, DIFFERENT = (26, 127, 55), (198, 40, 40)
_USUAL_FPS = 25.0
_FASTEST_FPS = 1000.0
_WINDOW = "ghostface-edge match"
_ENDING_KEYS = frozenset({27, ord("q")})


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a video."""

    second: float
    face: FoundFace | None
    """None where there is none."""


class Film:
    """What runs in the process; opened by `Place.open`."""

    def __init__(self, _cache: Path) -> None:
        cv2.setNumThreads(1)
        cv2_logging.setLogLevel(cv2_logging.LOG_LEVEL_ERROR)
        self._number = 0
        self._writer: cv2.VideoWriter | None = None
        self._picture = np.empty((0, 0, 3), np.uint8)
        self._face: FoundFace | None = None
        self._aligned = np.empty((0, FACE_SIZE, FACE_SIZE, 3), np.uint8)

    def open_file(self, video: Path, detector: Path, choice: Choice) -> int:
        """Returns how many frames the file says it has; 0 if it does not say.

        Raises:
            InputError: no video that OpenCV reads.
        """
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "|".join(f"{name};{value}" for name, value in _OPTIONS.items())
        file = cv2.VideoCapture(str(video.absolute()), cv2.CAP_FFMPEG)  # else a name could be a protocol's
        self._open(file, str(video), detector, choice)
        return max(0, int(self._source.get(cv2.CAP_PROP_FRAME_COUNT)))

    def open_camera(self, number: int, detector: Path, choice: Choice, in_window: bool) -> None:
        """Open a camera, and a window for what it sees.

        Raises:
            InputError: no such camera, or an OpenCV without windows.
        """
        if in_window:
            try:
                cv2.namedWindow(_WINDOW)
            except cv2.error:
                raise InputError(
                    "this OpenCV has no windows: it is the headless one",
                    fix="record into a file with --show FILE.mp4, or install opencv-python in its place",
                ) from None
        self._in_window = in_window
        self._open(cv2.VideoCapture(number), f"camera {number}", detector, choice)

    def record(self, path: Path) -> None:
        """Write annotated frames to a file, whose ending chooses the codec.

        Raises:
            ToolError: this OpenCV cannot write it.
        """
        codec = cv2.VideoWriter.fourcc(*CODECS[path.suffix])
        size = tuple(int(self._source.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        self._writer = cv2.VideoWriter(str(path), codec, self._fps, size)
        if not self._writer.isOpened():
            raise ToolError(f"this OpenCV cannot write {path.suffix} videos", fix="name another file: .mp4 or .webm")

    def next(self) -> Frame | None:
        """The next frame with the face that is meant; None at the end."""
        there, pixels = self._source.read()
        if not there:
            return None
        self._picture = np.asarray(pixels[:, :, ::-1], np.uint8).copy()
        second, self._number = self._number / self._fps, self._number + 1
        self._face = self._find(self._picture)
        return Frame(second, self._face)

    def aligned(self) -> NDArray[np.uint8]:
        """RGB uint8 (1, 112, 112, 3) of that face."""
        return self._aligned

    def tell(self, text: str, same: bool | None) -> bool:
        """Draw the last frame with what is told of it; returns whether a key in the window ended it."""
        if self._face is not None:
            colour = MEANT if same is None else SAME if same else DIFFERENT
            draw(self._picture, self._face, 1.0, colour)
            size = max(0.5, self._picture.shape[1] / 1000)
            at = (round(self._face.box[0]), max(round(self._face.box[1] - 8), 14))
            for ink, width in (((255, 255, 255), 4), (colour, 1)):
                cv2.putText(self._picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, ink, width, cv2.LINE_AA)
        shown = self._picture[:, :, ::-1]
        if self._writer is not None:
            self._writer.write(np.ascontiguousarray(shown))
        if self._in_window:
            cv2.imshow(_WINDOW, shown)
            return cv2.waitKey(1) & 0xFF in _ENDING_KEYS
        return False

    def close(self) -> None:
        """End the file."""
        if self._writer is not None:
            self._writer.release()

    _in_window = False

    def _open(self, source: cv2.VideoCapture, name: str, detector: Path, choice: Choice) -> None:
        self._source, self._name = source, name
        self._detector, self._choice = Detector(detector), choice
        width, height = (source.get(side) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if not source.isOpened() or not 0 < width * height <= MAX_PIXELS:
            raise InputError(f"{name} cannot be opened as a video", fix="give a file that FFmpeg reads, such as .mp4")
        fps = source.get(cv2.CAP_PROP_FPS)
        self._fps = fps if 0 < fps <= _FASTEST_FPS else _USUAL_FPS

    def _find(self, picture: NDArray[np.uint8]) -> FoundFace | None:
        seen = self._detector.detect(picture, self._choice)
        if seen is None:
            return None
        try:
            face = align(picture, seen.landmarks)
        except DegenerateLandmarksError:
            return None
        self._aligned = face[None]
        return boxes_of(Path(self._name), seen, assess(face, seen.landmarks))
