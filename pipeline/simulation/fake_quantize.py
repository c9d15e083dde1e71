"""Fake quantization: real values rounded to what INT8 can hold, float32 in and out.

Activations are int8, asymmetric, one scale and zero point per tensor; weights int8, symmetric, one scale per output
channel (axis 0), in [-127, 127]; slopes int8, symmetric, one scale per tensor. Zero is always on the grid.
"""

import numpy as np
import torch

from ghostface_edge.targets.quant_params import INT8_MAX, INT8_MIN, QuantParams

WEIGHT_LIMIT = 127
_SMALLEST_SCALE = 1e-10
_BIAS_LIMIT = 2**28


def fake_quantize(params: QuantParams, x: torch.Tensor) -> torch.Tensor:
    """The nearest real values on the grid, halves to even as the runtimes do."""
    y = x / params.scale
    return y.round_().clamp_(INT8_MIN - params.zero_point, INT8_MAX - params.zero_point).mul_(params.scale)


def params_between(low: float, high: float) -> QuantParams:
    """Those that cover a range, widened to hold zero; its ends move so that zero is a grid point."""
    low, high = min(low, 0.0), max(high, 0.0)
    # Through float32, because that is how the scale is stored.
    scale = float(np.float32(max((high - low) / (INT8_MAX - INT8_MIN), _SMALLEST_SCALE)))
    return QuantParams(scale, int(np.clip(round(INT8_MIN - low / scale), INT8_MIN, INT8_MAX)))


def channel_scales(weight: torch.Tensor) -> torch.Tensor:
    """One scale per output channel, (O,)."""
    return (weight.flatten(1).abs().amax(1) / WEIGHT_LIMIT).clamp_min(_SMALLEST_SCALE)


def bias_limits(bias: torch.Tensor, source: QuantParams) -> torch.Tensor:
    """The smallest weight scales, (O,), at which each bias fits its int32 with room to accumulate.

    A bias is counted in units of weight scale times input scale. Channels whose weights died in training keep a bias
    and would overflow: in the official W0.5 checkpoint by a factor of 255.
    """
    return bias.abs() / (source.scale * _BIAS_LIMIT)


def round_bias(bias: torch.Tensor, scales: torch.Tensor, source: QuantParams) -> torch.Tensor:
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
