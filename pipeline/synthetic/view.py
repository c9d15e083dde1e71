"""Circumstances of a picture: pose, light, expression, occlusion, camera. Nothing here belongs to the person."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Occlusion(IntEnum):
    """What covers part of the face."""

    NONE = 0
    GLASSES = 1
    SUNGLASSES = 2
    MASK = 3
    HAND = 4
    CAP = 5


_OCCLUSION_ODDS = (0.70, 0.12, 0.04, 0.03, 0.07, 0.04)


@dataclass(frozen=True, slots=True)
class View:
    """One picture's circumstances; angles in radians."""

    yaw: float
    pitch: float
    roll: float
    smile: float
    mouth_open: float
    blink: float
    """0 open, 1 closed."""
    brow_raise: float
    gaze: tuple[float, float]
    light: tuple[float, float, float]
    """Unit vector towards the lamp."""
    ambient: float
    tint: NDArray[np.float64]
    """(3,) gain of red, green, blue."""
    gamma: float
    occlusion: Occlusion
    occlusion_seed: int
    landmark_jitter: NDArray[np.float64]
    """(5, 2) pixels, the landmark detector's error."""
    background: NDArray[np.uint8]
    """(4, 4, 3), enlarged to the picture."""
    clothes: tuple[float, float, float]
    blur: float
    """Gaussian sigma, pixels."""
    noise: float
    """Standard deviation, grey levels."""
    noise_seed: int


def draw_view(rng: np.random.Generator, hardness: float = 1.0) -> View:
    """A picture's circumstances.

    Args:
        rng: where chance comes from.
        hardness: how far pose, light and camera stray; 0 is a passport photograph, 1 an everyday one.
    """
    azimuth, height = rng.normal(0, 0.8), rng.normal(-0.45, 0.3)
    light = np.array((np.sin(azimuth), np.sin(height), np.cos(azimuth) * np.cos(height)))
    light /= np.linalg.norm(light)
    occlusion = rng.choice(len(Occlusion), p=_OCCLUSION_ODDS) if rng.random() < hardness else 0
    return View(
        yaw=float(np.clip(rng.normal(0, 0.24), -0.5, 0.5)) * hardness,
        pitch=float(np.clip(rng.normal(0, 0.12), -0.28, 0.28)) * hardness,
        roll=float(rng.normal(0, 0.05)) * hardness,
        smile=float(np.clip(rng.normal(0.3, 0.4), -0.4, 1.0)),
        mouth_open=float(max(0.0, rng.normal(-0.15, 0.35))),
        blink=float(max(0.0, rng.normal(-0.2, 0.35))) if rng.random() < 0.9 else 1.0,
        brow_raise=float(rng.normal(0, 0.018)),
        gaze=(float(rng.normal(0, 0.03)), float(rng.normal(0, 0.012))),
        light=(float(light[0]), float(light[1]), float(light[2])),
        ambient=float(rng.uniform(0.45, 0.9)),
        tint=np.clip(rng.normal(1.0, 0.055 * hardness, 3), 0.85, 1.15) * rng.uniform(0.75, 1.15),
        gamma=float(rng.uniform(1 - 0.25 * hardness, 1 + 0.3 * hardness)),
        occlusion=Occlusion(int(occlusion)),
        occlusion_seed=int(rng.integers(1 << 31)),
        landmark_jitter=rng.normal(0, 0.9 * hardness, (5, 2)),
        background=np.clip(rng.uniform(20, 235) + rng.normal(0, 25, 3) + rng.normal(0, 30, (4, 4, 3)), 0, 255).astype(
            np.uint8
        ),
        clothes=(float(rng.uniform(10, 240)), float(rng.uniform(10, 240)), float(rng.uniform(10, 240))),
        blur=float(max(0.0, rng.normal(0.35, 0.4))) * hardness,
        noise=float(rng.uniform(0.5, 7.0)) * hardness,
        noise_seed=int(rng.integers(1 << 31)),
    )
