"""The INT8 number grid of one tensor: scale and zero point, and what rounding to it does.

Activations are int8, asymmetric, one grid per tensor; weights int8, symmetric, one scale per output channel
(axis 0), in [-127, 127]; slopes int8, symmetric, one scale per tensor. Zero is always on the grid.
"""

from dataclasses import dataclass

import numpy as np
import torch

LOW, HIGH = -128, 127
WEIGHT_LIMIT = 127
_SMALLEST_SCALE = 1e-10
_BIAS_LIMIT = 2**28


@dataclass(frozen=True, slots=True)
class Grid:
    """Real value = scale * (integer - zero_point), the integer in [-128, 127]."""

    scale: float
    zero_point: int

    @property
    def low(self) -> float:
        """The smallest real value."""
        return self.scale * (LOW - self.zero_point)

    @property
    def high(self) -> float:
        """The largest real value."""
        return self.scale * (HIGH - self.zero_point)

    def round(self, x: torch.Tensor) -> torch.Tensor:
        """The nearest real values on the grid, halves to even as the runtimes do; float32 in and out."""
        y = x / self.scale
        return y.round_().clamp_(LOW - self.zero_point, HIGH - self.zero_point).mul_(self.scale)


def grid_between(low: float, high: float) -> Grid:
    """The grid that covers a range, widened to hold zero; its ends move so that zero is a grid point."""
    low, high = min(low, 0.0), max(high, 0.0)
    # Through float32, because that is how the scale is stored.
    scale = float(np.float32(max((high - low) / (HIGH - LOW), _SMALLEST_SCALE)))
    return Grid(scale, int(np.clip(round(LOW - low / scale), LOW, HIGH)))


def channel_scales(weight: torch.Tensor) -> torch.Tensor:
    """One scale per output channel, (O,)."""
    return (weight.flatten(1).abs().amax(1) / WEIGHT_LIMIT).clamp_min(_SMALLEST_SCALE)


def bias_limits(bias: torch.Tensor, source: Grid) -> torch.Tensor:
    """The smallest weight scales, (O,), at which each bias fits its int32 with room to accumulate.

    A bias is counted in units of weight scale times input scale. Channels whose weights died in training keep a bias
    and would overflow: in the official W0.5 checkpoint by a factor of 255.
    """
    return bias.abs() / (source.scale * _BIAS_LIMIT)


def round_bias(bias: torch.Tensor, scales: torch.Tensor, source: Grid) -> torch.Tensor:
    """Nearest biases on their int32 grids, whose unit is weight scale times input scale."""
    unit = scales.double() * source.scale
    return ((bias.double() / unit).round_() * unit).float()


def round_weight(weight: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Nearest weights on the grid of each output channel."""
    column = scales.reshape(-1, *[1] * (weight.dim() - 1))
    return (weight / column).round_().clamp_(-WEIGHT_LIMIT, WEIGHT_LIMIT).mul_(column)


def slope_scale(slope: torch.Tensor) -> float:
    """The one symmetric scale of a PReLU's slopes."""
    return float(channel_scales(slope.reshape(1, -1))[0])


def round_slope(slope: torch.Tensor) -> torch.Tensor:
    """Slopes of a PReLU on their one symmetric grid."""
    return round_weight(slope.reshape(1, -1), channel_scales(slope.reshape(1, -1))).reshape(slope.shape)
