"""The order in which kernels read weights.

ROWS: each output's weights one behind another, filled up to a multiple of 4. BLOCKS: 8 outputs by 4 inputs at a time,
the outputs' blocks outermost, both filled up with zeros.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.targets.c.layers import Depthwise, Int8

_WORD: Final = 4
_OUTPUTS: Final = 8
_CHANNELS: Final = 16
"""That parameters of channels are filled up to."""
_FEW: Final = 32


def rows(weights: Int8) -> Int8:
    """(outputs, inputs) to outputs times padded inputs."""
    return _filled(weights, 1, _WORD).reshape(-1)


def blocks(weights: Int8) -> Int8:
    """(outputs, inputs) to blocks of outputs, then of inputs; within a block outputs times inputs."""
    filled = _filled(weights, _OUTPUTS, _WORD)
    outputs, inputs = filled.shape
    return filled.reshape(outputs // _OUTPUTS, _OUTPUTS, inputs // _WORD, _WORD).transpose(0, 2, 1, 3).reshape(-1)


def taps(weights: Int8) -> Int8:
    """(taps, channels) to taps times filled channels."""
    return _filled(weights, 1, _CHANNELS).reshape(-1)


@dataclass(frozen=True, slots=True)
class Ring:
    """Working memory that `kernels/avx2.h` has for a depthwise layer on its stack."""

    image: int
    """int16 of the rows under the window in pairs, each with room for a vector."""
    line_bytes: int
    """A row of the output."""
    weights: int
    """int16, rows in pairs, of whole vectors."""


def ring(layer: Depthwise) -> Ring:
    """Few channels follow each other directly where each pixel is an output's; else it is a vector at a time."""
    window, channels, out = layer.window, layer.out.channels, layer.out
    pitch = channels if window.stride == 1 and channels < _FEW else _CHANNELS
    width = (out.columns - 1) * window.stride + window.columns
    slots = window.rows // 2 + 1 if window.stride % 2 else (window.rows + 1) // 2
    period = math.lcm(pitch, _CHANNELS)
    return Ring(
        (slots + 1) * 2 * (width * pitch + _CHANNELS), out.columns * pitch, 2 * slots * window.columns * period * 2
    )


def channels(values: NDArray[Any]) -> NDArray[Any]:
    """(C,), filled up with zeros."""
    return np.pad(values, (0, -len(values) % _CHANNELS))


def _filled(values: Int8, *multiples: int) -> Int8:
    """Both axes filled up with zeros to multiples of these."""
    return np.pad(values, [(0, -size % multiple) for size, multiple in zip(values.shape, multiples, strict=True)])
