"""Who a rendered person is: shape, colours and texture, everything that stays between two pictures.

Lengths are in head units: the eyes lie about 0.68 apart, the head is about 1.6 wide; x to the image's right, y down,
z towards the camera, origin at the middle of the head.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]
"""RGB in [0, 255]."""

_SKIN = np.array(
    [(244, 208, 184), (232, 190, 160), (214, 164, 128), (182, 128, 92), (138, 92, 64), (88, 58, 44)], float
)
_HAIR = np.array(
    [
        (24, 20, 20),
        (48, 34, 26),
        (84, 56, 36),
        (128, 88, 50),
        (186, 150, 96),
        (224, 200, 150),
        (140, 60, 30),
        (160, 158, 156),
        (214, 212, 210),
    ],
    float,
)
_IRIS = np.array([(60, 38, 24), (96, 62, 34), (124, 104, 60), (84, 110, 84), (88, 122, 150), (120, 134, 142)], float)


class HairStyle(IntEnum):
    """Outline of the hair."""

    BALD = 0
    CROPPED = 1
    SHORT = 2
    RECEDING = 3
    LONG = 4
    FRINGE = 5
    ROUND = 6


class Beard(IntEnum):
    """Where hair grows on the lower face."""

    NONE = 0
    STUBBLE = 1
    MOUSTACHE = 2
    GOATEE = 3
    FULL = 4


@dataclass(frozen=True, slots=True)
class Identity:
    """One person."""

    skin: Colour
    hair: Colour
    iris: Colour
    lips: Colour
    widths: tuple[float, float, float, float, float]
    """Half widths of the face at forehead, temple, cheekbone, jaw and chin."""
    chin: float
    """How far below the origin the face ends."""
    crown: float
    """How far above the origin the hairline lies."""
    eye_spacing: float
    eye_height: float
    """Its y."""
    eye_width: float
    eye_open: float
    eye_tilt: float
    lid: float
    """How much of the upper lid shows."""
    brow_gap: float
    brow_thickness: float
    brow_length: float
    brow_arch: float
    brow_tilt: float
    brow_darkness: float
    nose_length: float
    nose_width: float
    nose_bridge: float
    nose_tip: float
    nose_height: float
    """How far the tip stands out."""
    mouth_height: float
    """Its y."""
    mouth_width: float
    upper_lip: float
    lower_lip: float
    cupid_bow: float
    ear_size: float
    ear_height: float
    hair_style: HairStyle
    hair_volume: float
    hair_length: float
    parting: float
    curls: NDArray[np.float64]
    """(40,) relative bumps of the hair's outline."""
    beard: Beard
    beard_density: float
    age: float
    """0 to 1: folds and shadows."""
    blush: float
    moles: NDArray[np.float64]
    """(M, 3): x, y, radius."""
    freckles: NDArray[np.float64]
    """(F, 3): x, y, radius."""
    texture: NDArray[np.float32]
    """(12, 12) blotches of the skin, around 0."""


def draw_identity(population: int, seed: int, number: int) -> Identity:
    """One person of a population; the same arguments always give the same one, others another one."""
    rng = np.random.default_rng((population, seed, number))
    spread = _Spread(rng)
    tone = rng.beta(1.1, 1.3) * (len(_SKIN) - 1.001)
    skin = _along(_SKIN, tone) + rng.normal(0, 7, 3)
    dark = tone / len(_SKIN)
    hair_index = rng.integers(0, 3 if dark > 0.5 else len(_HAIR))
    hair = _HAIR[hair_index] * rng.uniform(0.7, 1.25) + rng.normal(0, 6, 3)
    iris = _IRIS[rng.integers(0, 2 if dark > 0.5 else len(_IRIS))] + rng.normal(0, 10, 3)
    redness = rng.uniform(0.1, 0.55)
    lips = skin * (1 - redness) + np.array((168.0, 52.0, 60.0)) * redness * (1 - 0.45 * dark) - 12
    bearded = rng.random() < 0.45
    style = HairStyle(rng.choice(7, p=(0.07, 0.14, 0.22, 0.12, 0.2, 0.13, 0.12)))
    width = spread(0.78, 0.055)
    count = rng.integers(0, 4)
    freckled = rng.random() < 0.2
    freckles = rng.integers(12, 40) if freckled else 0
    return Identity(
        skin=_colour(skin),
        hair=_colour(hair),
        iris=_colour(iris),
        lips=_colour(lips),
        widths=(
            width * spread(0.84, 0.05),
            width * spread(0.97, 0.03),
            width,
            width * spread(0.83, 0.07),
            width * spread(0.40, 0.08),
        ),
        chin=spread(1.12, 0.07),
        crown=spread(0.86, 0.08),
        eye_spacing=spread(0.345, 0.022),
        eye_height=spread(-0.12, 0.02),
        eye_width=spread(0.165, 0.018),
        eye_open=spread(0.09, 0.017),
        eye_tilt=spread(0.012, 0.022),
        lid=spread(0.032, 0.013),
        brow_gap=spread(0.19, 0.028),
        brow_thickness=spread(0.052, 0.018),
        brow_length=spread(0.235, 0.025),
        brow_arch=spread(0.05, 0.025),
        brow_tilt=spread(0.0, 0.035),
        brow_darkness=rng.uniform(0.35, 1.0),
        nose_length=spread(0.40, 0.045),
        nose_width=spread(0.165, 0.03),
        nose_bridge=spread(0.065, 0.018),
        nose_tip=spread(0.075, 0.018),
        nose_height=spread(0.24, 0.06),
        mouth_height=spread(0.64, 0.035),
        mouth_width=spread(0.27, 0.033),
        upper_lip=spread(0.06, 0.02),
        lower_lip=spread(0.085, 0.024),
        cupid_bow=spread(0.022, 0.014),
        ear_size=spread(0.22, 0.035),
        ear_height=spread(0.06, 0.05),
        hair_style=style,
        hair_volume=spread(0.16, 0.06),
        hair_length=rng.uniform(0.5, 1.4),
        parting=rng.uniform(-0.4, 0.4),
        curls=rng.normal(0, rng.choice((0.006, 0.02, 0.045)), 40),
        beard=Beard(rng.choice((1, 2, 3, 4))) if bearded else Beard.NONE,
        beard_density=rng.uniform(0.35, 0.95),
        age=rng.beta(1.3, 1.8),
        blush=rng.uniform(0, 0.22),
        moles=np.column_stack(
            (rng.uniform(-0.6, 0.6, count), rng.uniform(-0.7, 0.95, count), rng.uniform(0.012, 0.032, count))
        ),
        freckles=np.column_stack(
            (rng.uniform(-0.55, 0.55, freckles), rng.normal(0.2, 0.14, freckles), rng.uniform(0.006, 0.014, freckles))
        ),
        texture=rng.normal(0, rng.uniform(0.015, 0.05), (12, 12)).astype(np.float32),
    )


class _Spread:
    """Normal values kept within two deviations, so that nobody is a monster."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def __call__(self, mean: float, deviation: float) -> float:
        return mean + deviation * float(np.clip(self._rng.normal(), -2.0, 2.0))


def _along(palette: NDArray[np.float64], at: float) -> NDArray[np.float64]:
    low = int(at)
    part = at - low
    mixed: NDArray[np.float64] = palette[low] * (1 - part) + palette[low + 1] * part
    return mixed


def _colour(values: NDArray[np.float64]) -> Colour:
    red, green, blue = np.clip(values, 6, 250)
    return float(red), float(green), float(blue)
