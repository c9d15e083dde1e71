"""The order in which kernels read weights.

ROWS: each output's weights one behind another, filled up to a multiple of 4. BLOCKS: 8 outputs by 4 inputs at a time,
the outputs' blocks outermost, both filled up with zeros.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.targets.c.layers import Int8

_WORD: Final = 4
_OUTPUTS: Final = 8
_CHANNELS: Final = 16
"""That parameters of channels are filled up to."""


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


def channels(values: NDArray[Any]) -> NDArray[Any]:
    """(C,), filled up with zeros."""
    return np.pad(values, (0, -len(values) % _CHANNELS))


def _filled(values: Int8, *multiples: int) -> Int8:
    """Both axes filled up with zeros to multiples of these."""
    return np.pad(values, [(0, -size % multiple) for size, multiple in zip(values.shape, multiples, strict=True)])
