"""Points of a head in space, and where they land in an aligned picture.

In: named curves in head units. Out: the same curves in pixels of a 112x112 picture whose five landmarks lie on the
ArcFace template as well as a similarity transform can put them.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.similarity import ARCFACE_TEMPLATE
from ghostface_edge.pipeline.synthetic.identity import Identity
from ghostface_edge.pipeline.synthetic.view import View

Points = NDArray[np.float64]
"""(N, 3) in head units, or (N, 2) in pixels."""

SIDE = 112
_DEPTH = 0.78
"""How far the head's front lies before its silhouette."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A rotation of the head, then a similarity transform z -> scale z + shift into the picture (z = x + iy)."""

    rotation: Points
    scale: complex
    shift: complex

    def project(self, points: Points) -> Points:
        """(N, 3) head units to (N, 2) pixels."""
        placed: Points = points @ self.matrix.T + (self.shift.real, self.shift.imag)
        return placed

    @property
    def matrix(self) -> Points:
        """(2, 3): rotation and scale at once."""
        real, imaginary = self.scale.real, self.scale.imag
        return np.array(((real, -imaginary), (imaginary, real))) @ self.rotation[:2]

    @property
    def pixels_per_unit(self) -> float:
        """Picture scale."""
        return abs(self.scale)


def on_surface(identity: Identity, x: NDArray[np.float64], y: NDArray[np.float64], raised: float = 0.0) -> Points:
    """Points on the front of the head, `raised` above it."""
    width, height = identity.widths[2] * 1.04, identity.chin * 1.04
    points = np.empty((len(x), 3))
    points[:, 0], points[:, 1] = x, y
    points[:, 2] = _DEPTH * np.sqrt(np.maximum(0.02, 1 - (x / width) ** 2 - (y / height) ** 2)) + raised
    return points


def camera_for(identity: Identity, view: View) -> Camera:
    """Turn the head as the view says and align its landmarks with the template."""
    rotation = _rotation(view.yaw, view.pitch, view.roll)
    spread = identity.mouth_width * (1 + 0.14 * view.smile)
    x = np.array((-identity.eye_spacing, identity.eye_spacing, 0.0, -spread, spread))
    nose = identity.eye_height + identity.nose_length
    y = np.array((identity.eye_height, identity.eye_height, nose, identity.mouth_height, identity.mouth_height))
    landmarks = on_surface(identity, x, y)
    landmarks[2, 2] += identity.nose_height
    turned = landmarks @ rotation.T
    source = turned[:, 0] + 1j * turned[:, 1]
    found = ARCFACE_TEMPLATE + view.landmark_jitter
    goal = found[:, 0] + 1j * found[:, 1]
    centred = source - source.mean()
    scale = complex((centred.conj() * (goal - goal.mean())).sum() / (abs(centred) ** 2).sum())
    return Camera(rotation, scale, complex(goal.mean() - scale * source.mean()))


def curve(keys: NDArray[np.float64], points: int) -> NDArray[np.float64]:
    """A smooth curve (points, D) through keys (K, D): Catmull-Rom, ends included."""
    smooth: NDArray[np.float64] = _basis(len(keys), points) @ keys
    return smooth


@functools.cache
def _basis(keys: int, points: int) -> NDArray[np.float64]:
    """Weights of every key in every point."""
    weights = np.zeros((points, keys))
    for row, at in enumerate(np.linspace(0, keys - 1, points)):
        left = min(int(at), keys - 2)
        t = at - left
        parts = (
            -0.5 * t + t**2 - 0.5 * t**3,
            1 - 2.5 * t**2 + 1.5 * t**3,
            0.5 * t + 2 * t**2 - 1.5 * t**3,
            -0.5 * t**2 + 0.5 * t**3,
        )
        for offset, part in zip((-1, 0, 1, 2), parts, strict=True):
            weights[row, min(max(left + offset, 0), keys - 1)] += part
    return weights


def _rotation(yaw: float, pitch: float, roll: float) -> Points:
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    turn = np.array(((cy, 0, sy), (0, 1, 0), (-sy, 0, cy)))
    nod = np.array(((1, 0, 0), (0, cp, -sp), (0, sp, cp)))
    lean = np.array(((cr, -sr, 0), (sr, cr, 0), (0, 0, 1)))
    rotation: Points = lean @ nod @ turn
    return rotation
