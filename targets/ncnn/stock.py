"""What ncnn's own tools make by default: `ncnn2table` with its KL rule, then `ncnn2int8`, as they are documented.

The wheel has neither of them, so the rule is computed here: symmetric weights by their largest value, dense 3x3
kernels at stride 1 to 6 bits for the sake of Winograd's transform; what a convolution reads up to the threshold of
least divergence. Source: ncnn's tools/quantize, and S. Migacz, 8-bit inference with TensorRT, 2017.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.targets.ncnn.model import Layer, NcnnModel, floats, stored

_BINS: Final = 2048
_LEVELS: Final = 128
_ALMOST_NOTHING: Final = 1e-4
"""Added to every probability."""


def threshold(histogram: NDArray[np.int64], largest: float) -> float:
    """Where to saturate, for the least Kullback-Leibler divergence.

    Args:
        histogram: of absolute values that are not 0, `_BINS` from 0 to the largest.
        largest: of them.
    """
    share = histogram / max(histogram.sum(), 1)
    below = np.concatenate([[0], np.cumsum(share)])
    least, best = np.inf, _LEVELS
    for bins in range(_LEVELS, _BINS):
        clipped = share[:bins].copy()
        clipped[-1] += share[bins:].sum()
        edges, places = np.linspace(0, bins, _LEVELS + 1), np.arange(bins + 1)
        levelled = np.diff(np.interp(places, edges, np.interp(edges, places, below[: bins + 1])))
        real, rounded = clipped + _ALMOST_NOTHING, levelled + _ALMOST_NOTHING
        divergence = float(np.sum(real * np.log(real / rounded)))
        if divergence < least:
            least, best = divergence, bins
    return (best + 0.5) * largest / _BINS


def quantized(layer: Layer, bottom: float) -> Layer:
    """A float convolution in INT8.

    Args:
        layer: float32.
        bottom: threshold of what it reads.
    """
    outputs, is_dense = layer.number(0), layer.kind == "Convolution"
    count = layer.number(6)
    kernel = np.frombuffer(layer.weights, "<f4", count, 4).reshape(outputs, -1)
    geometry = tuple(layer.number(key) for key in (1, 11, 3, 13))
    steps = 31 if is_dense and geometry == (3, 3, 1, 1) else 127
    scales = steps / np.abs(kernel).max(axis=1).clip(np.finfo(np.float32).tiny)
    integers = np.rint(kernel * scales[:, None]).clip(-127, 127).astype(np.int8)
    rest = layer.weights[4 + 4 * count :]
    weights = stored(integers) + rest + floats(scales) + floats([127 / bottom])
    return replace(layer, settings={**layer.settings, 8: 1}, weights=weights)


class Histograms:
    """Absolute values of what convolutions read, collected over faces.

    Args:
        model: float32.
    """

    def __init__(self, model: NcnnModel) -> None:
        self.model = model
        self.read = sorted({layer.inputs[0] for layer in model.layers if layer.kind.startswith("Convolution")})
        self.largest = dict.fromkeys(self.read, 0.0)
        self.counted = {name: np.zeros(_BINS, np.int64) for name in self.read}

    def see(self, name: str, values: NDArray[np.float32]) -> None:
        """First pass: how large they get."""
        self.largest[name] = max(self.largest[name], float(np.abs(values).max()))

    def count(self, name: str, values: NDArray[np.float32]) -> None:
        """Second pass."""
        size = np.abs(values[values != 0]).astype(np.float64)
        bins = np.minimum(size / max(self.largest[name], 1e-30) * _BINS, _BINS - 1).astype(np.int64)
        self.counted[name] += np.bincount(bins, minlength=_BINS)

    def quantize(self) -> NcnnModel:
        """The model with all convolutions in INT8."""
        ends = {name: threshold(self.counted[name], max(self.largest[name], 1e-30)) for name in self.read}
        return NcnnModel(
            tuple(
                quantized(layer, ends[layer.inputs[0]]) if layer.kind.startswith("Convolution") else layer
                for layer in self.model.layers
            )
        )
