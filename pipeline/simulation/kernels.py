"""Autograd functions that make a training step on rounded values cheap on a CPU.

PyTorch's own PReLU backward and learnable fake quantization take ten and four times the passes over memory that these
take (one thread, 14 MB tensors, channels last), and activations are most of these networks' work.
"""

import math
from typing import Any, NamedTuple

import torch

from ghostface_edge.pipeline.simulation.fake_quantize import fake_quantize
from ghostface_edge.targets.quant_params import INT8_MAX, INT8_MIN, QuantParams

_ENDS_SHARE = 0.25
"""Of a batch, that the gradients of a range's ends are taken from."""


class Prelu(torch.autograd.Function):
    """x where positive, slope * x elsewhere; x is (N, C, H, W), slope (C,) or (1,)."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, slope)
        return torch.nn.functional.prelu(x, slope)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        x, slope = ctx.saved_tensors
        gradient = gradients[0]
        by_slope = None
        if ctx.needs_input_grad[1]:
            by_channel = x.clamp(max=0.0).mul_(gradient).sum((0, 2, 3))
            by_slope = by_channel if slope.numel() > 1 else by_channel.sum().reshape(1)
        if not ctx.needs_input_grad[0]:
            return None, by_slope
        # Not torch.where: it is no vector code, and takes five times as long as these three passes together.
        positive = torch.ops.aten.threshold_backward(gradient, x, 0)
        return positive.addcmul_(gradient - positive, slope.reshape(1, -1, 1, 1)), by_slope


class LearnedGrid(NamedTuple):
    """An INT8 grid, and the ends it was made of, both positive: the range is [-low, high]."""

    params: QuantParams
    low: float
    high: float


class LearnedFakeQuantize(torch.autograd.Function):
    """Round to an INT8 grid whose ends are learned.

    Args of `apply`: x; ends (2,), the logarithms of -low and of high; the `LearnedGrid` of these ends.
    The gradient passes where x is inside the range; the ends get what LSQ gives a step size: the rounding error's share
    inside, the whole gradient where x is cut. They get it from a quarter of the batch, times four: of all gradients
    theirs are the least noisy, and take the most passes over memory.
    Source: Esser et al. 2020, arXiv:1902.08153; Bhalgat et al. 2020, arXiv:2004.09576, for the offset.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, _ends: torch.Tensor, grid: LearnedGrid) -> torch.Tensor:
        y = fake_quantize(grid.params, x)
        ctx.save_for_backward(x, y)
        ctx.grid = grid
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None, None]:
        x, y = ctx.saved_tensors
        params, by_low, by_high = ctx.grid
        scale, low, high = params.scale, params.low, params.high
        gradient = gradients[0].contiguous(memory_format=torch.channels_last)
        inside = torch.ops.aten.hardtanh_backward(gradient, x, low - scale / 2, high + scale / 2)
        if not ctx.needs_input_grad[1]:
            return inside, None, None
        count = math.ceil(len(x) * _ENDS_SHARE)
        flat_x, flat_y, flat_gradient, flat_inside = (_flat(value[:count]) for value in (x, y, gradient, inside))
        kept = flat_inside @ flat_y
        cut = flat_gradient.sum() - flat_inside.sum(), flat_gradient @ flat_y - kept
        # One transfer of all three, because each from a GPU waits for it.
        error, outside, moment = torch.stack([kept - flat_inside @ flat_x, *cut]).tolist()
        rounding = error / scale / (INT8_MAX - INT8_MIN)
        # What is cut sits at either end: two sums tell how much gradient each end got.
        above = (moment - low * outside) / (high - low)
        below = outside - above
        whole = len(x) / count
        return inside, torch.tensor([(rounding - below) * by_low * whole, (rounding + above) * by_high * whole]), None


def learned_grid(ends: torch.Tensor) -> LearnedGrid:
    """That of a range given as the logarithms of -low and of high; zero is on it."""
    low, high = torch.exp(ends.double()).tolist()
    scale = (low + high) / (INT8_MAX - INT8_MIN)
    zero_point = max(INT8_MIN, min(INT8_MAX, round(INT8_MIN + low / scale)))
    return LearnedGrid(QuantParams(scale, zero_point), low, high)


def _flat(x: torch.Tensor) -> torch.Tensor:
    """All values in memory order, of tensors whose channels are last in memory."""
    return x.permute(0, 2, 3, 1).reshape(-1)
