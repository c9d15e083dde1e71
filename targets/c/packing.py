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

    image_bytes: int
    """Rows of the image under the window, each with room for a vector."""
    line_bytes: int
    """A row of the output."""
    weights: int
    """With taps in pairs, of whole vectors."""


def ring(layer: Depthwise) -> Ring:
    """Pixels follow each other directly where there are few channels and each is an output's."""
    window, channels, out = layer.window, layer.out.channels, layer.out
    is_dense = window.stride == 1 and channels < _FEW
    pitch = channels if is_dense else channels + -channels % _CHANNELS
    width = (out.columns - 1) * window.stride + window.columns
    pairs = (window.taps + 1) // 2
    return Ring(
        window.rows * (width * pitch + _CHANNELS), out.columns * channels, math.lcm(pitch, _CHANNELS) * 2 * pairs
    )


def channels(values: NDArray[Any]) -> NDArray[Any]:
    """(C,), filled up with zeros."""
    return np.pad(values, (0, -len(values) % _CHANNELS))


def _filled(values: Int8, *multiples: int) -> Int8:
    """Both axes filled up with zeros to multiples of these."""
    return np.pad(values, [(0, -size % multiple) for size, multiple in zip(values.shape, multiples, strict=True)])
