"""A picture being painted: curves in head units in, pixels out.

Painting is flat; soft shadows gather in a layer of their own, and light, skin texture and camera come last.
"""

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from ghostface_edge.pipeline.synthetic.geometry import SIDE, Camera, Points
from ghostface_edge.pipeline.synthetic.identity import Colour, Identity
from ghostface_edge.pipeline.synthetic.view import View

_SHIFT = 4
"""Fractional bits of OpenCV's coordinates."""
_NEUTRAL = 128
_ROWS, _COLUMNS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
_TEXTURE_CORNERS = np.array(((-1.0, -1.3, 0.6), (1.0, -1.3, 0.6), (-1.0, 1.3, 0.6)))


class Canvas:
    """RGB uint8 (112, 112, 3), with a mask of what is head and a layer of soft shadows."""

    def __init__(self, camera: Camera, background: NDArray[np.uint8]) -> None:
        self.camera = camera
        self._matrix = camera.matrix.T * (1 << _SHIFT)
        self._origin = np.array((camera.shift.real, camera.shift.imag)) * (1 << _SHIFT)
        self._image: NDArray[np.uint8] = np.asarray(
            cv2.resize(background, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8
        )
        self._head = np.zeros((SIDE, SIDE), np.uint8)
        self._tone = np.full((SIDE, SIDE), _NEUTRAL, np.uint8)

    def fill(self, outline: Points, colour: Colour, *, head: bool = True) -> None:
        """Paint the inside of a closed curve; `head` says whether the lamp shades it as part of the head."""
        pixels = self._pixels(outline)
        cv2.fillPoly(self._image, [pixels], colour, cv2.LINE_AA, _SHIFT)
        cv2.fillPoly(self._head, [pixels], 255 if head else 0, cv2.LINE_AA, _SHIFT)

    def line(self, points: Points, colour: Colour, width: float) -> None:
        """Paint a stroke `width` head units wide."""
        thickness = max(1, round(width * self.camera.pixels_per_unit))
        cv2.polylines(self._image, [self._pixels(points)], False, colour, thickness, cv2.LINE_AA, _SHIFT)

    def dots(self, centres: Points, radii: NDArray[np.float64], colour: Colour) -> None:
        """Paint small discs."""
        scale = self.camera.pixels_per_unit * (1 << _SHIFT)
        for centre, radius in zip(self._pixels(centres), radii, strict=True):
            cv2.circle(self._image, centre.tolist(), max(4, int(radius * scale)), colour, -1, cv2.LINE_AA, _SHIFT)

    def soften(self, outline: Points, strength: float) -> None:
        """Darken (below 0) or lighten the inside of a curve, with blurred edges; -1 is black, 1 is twice as bright."""
        level = round(_NEUTRAL * (1 + strength))
        cv2.fillPoly(self._tone, [self._pixels(outline)], level, cv2.LINE_AA, _SHIFT)

    def blend(self, outline: Points, colour: Colour, opacity: float, grain: NDArray[np.float32]) -> None:
        """Lay a soft-edged, grainy colour over the inside of a curve."""
        cover = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(cover, [self._pixels(outline)], 255, cv2.LINE_AA, _SHIFT)
        alpha = cv2.GaussianBlur(cover, (0, 0), 1.6).astype(np.float32) * (opacity / 255) * grain
        ink = np.full_like(self._image, np.array(colour, np.uint8))
        self._image = np.asarray(cv2.blendLinear(ink, self._image, alpha, 1 - alpha), np.uint8)

    def finish(self, identity: Identity, view: View) -> NDArray[np.uint8]:
        """Light, texture, camera: RGB uint8 (112, 112, 3)."""
        tone = cv2.GaussianBlur(self._tone, (0, 0), 1.8).astype(np.float32) / _NEUTRAL
        factor = self._lambert(identity, view) * tone * (1 + self._texture(identity))
        head = self._head.astype(np.float32) / 255
        factor = 1 + head * (factor - 1)
        gain = cv2.merge([factor * np.float32(channel) for channel in view.tint])
        image = cv2.multiply(self._image, gain, dtype=cv2.CV_32F)
        if view.blur > 0.25:
            image = cv2.GaussianBlur(image, (0, 0), view.blur)
        top, left = view.noise_seed % SIDE, view.noise_seed // SIDE % SIDE
        image = cv2.scaleAdd(_grains()[top : top + SIDE, left : left + SIDE], view.noise, image)
        curve = 255 * (np.arange(256) / 255) ** view.gamma
        exposed = cv2.LUT(np.clip(image, 0, 255).astype(np.uint8), np.clip(curve, 0, 255).astype(np.uint8))
        return np.asarray(exposed, np.uint8)

    def _pixels(self, points: Points) -> NDArray[np.int32]:
        pixels: NDArray[np.int32] = np.rint(points @ self._matrix + self._origin).astype(np.int32)
        return pixels

    def _lambert(self, identity: Identity, view: View) -> NDArray[np.float32]:
        """Brightness of an ellipsoid the size of the head under the view's lamp."""
        scale, shift = self.camera.scale, self.camera.shift
        place = 1 / scale
        x = (_COLUMNS - shift.real) * np.float32(place.real) - (_ROWS - shift.imag) * np.float32(place.imag)
        y = (_COLUMNS - shift.real) * np.float32(place.imag) + (_ROWS - shift.imag) * np.float32(place.real)
        x *= np.float32(0.95 / identity.widths[2])
        y *= np.float32(0.85 / identity.chin)
        z = np.sqrt(np.maximum(0.0, 1 - x * x - y * y, dtype=np.float32))
        right, down, front = (np.float32(part) for part in view.light)
        facing = np.maximum(0.0, x * right + y * down + z * front, dtype=np.float32)
        brightness: NDArray[np.float32] = np.float32(view.ambient) + np.float32(1.25 * (1 - view.ambient)) * facing
        return brightness

    def _texture(self, identity: Identity) -> NDArray[np.float32]:
        last = np.float32(identity.texture.shape[0] - 1)
        corners = np.array(((0, 0), (last, 0), (0, last)), np.float32)
        onto = cv2.getAffineTransform(corners, self.camera.project(_TEXTURE_CORNERS).astype(np.float32))
        return np.asarray(cv2.warpAffine(identity.texture, onto, (SIDE, SIDE), flags=cv2.INTER_LINEAR), np.float32)


@functools.cache
def _grains() -> NDArray[np.float32]:
    """Unit noise (224, 224, 3), of which every picture gets its own window."""
    return np.random.default_rng(224).standard_normal((2 * SIDE, 2 * SIDE, 3), np.float32)
