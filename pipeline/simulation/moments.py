"""Moments of a tensor's values between thresholds: one look at each value gives the cost of cutting at any of them.

In: values and the gradients with respect to them. Out: by channel and side of zero, what `tails` and `gains` add up.
"""

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]

THRESHOLDS: Array = 2.0 ** (-np.arange(10) / 2)
"""Where tails are tabulated, as parts of the channel's extreme value: 1 down to 1/22.6."""

_BINS = len(THRESHOLDS) + 1
"""The values from each threshold to the one before, and all below the last."""
_EXPONENT_BITS, _EXPONENT_OF_ONE = 23, 127
"""Where a float32 has its exponent, and what stands there for 1."""


def channel_moments(values: torch.Tensor, gradients: torch.Tensor, low: Array, high: Array) -> Array:
    """Moments 0, 1 and 2 of values over their channel's extreme, weighted by the squares of gradients.

    Args:
        values: (P, C), float32.
        gradients: (P, C).
        low: (C,), the channels' extremes.
        high: (C,).

    Returns:
        (3, C, 2, bins): of the positive values, then of the negative ones.
    """
    channels = values.shape[1]
    over_high, over_low = (
        torch.from_numpy(np.divide(1.0, end, out=np.zeros_like(end), where=end > 0)).float() for end in (high, -low)
    )
    reach = torch.maximum(values * over_high, values * -over_low)
    square = reach.square()
    # The exponent of the square counts the factors of sqrt(2) between value and extreme.
    bins = (_EXPONENT_OF_ONE - (square.view(torch.int32) >> _EXPONENT_BITS)).clamp_(0, _BINS - 1)
    bins += torch.arange(channels, dtype=torch.int32) * (2 * _BINS)
    index = bins.add_(values < 0, alpha=_BINS).flatten()
    weight = gradients.square()
    sums = [torch.bincount(index, w.flatten(), channels * 2 * _BINS) for w in (weight, weight * reach, weight * square)]
    return torch.stack(sums).reshape(3, channels, 2, _BINS).numpy()


def gains(moments: Array) -> Array:
    """(C,): sum of the squared gradients."""
    total: Array = moments[0].sum((1, 2))
    return total


def tails(moments: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """What cutting a channel at each threshold costs, the squares of excess times gradient: at low, at high.

    Args:
        moments: of `channel_moments`, any sum of them.
        low: (C,), the extremes that they were taken with.
        high: (C,).

    Returns:
        Each (C, len(THRESHOLDS)).
    """
    beyond = moments.cumsum(3)[..., :-1]
    parts = (beyond[2] - 2 * THRESHOLDS * beyond[1] + THRESHOLDS**2 * beyond[0]).clip(0.0)
    ends = np.stack([high, -low], 1).clip(0.0)
    at_high, at_low = (parts * ends[..., None] ** 2).transpose(1, 0, 2)
    return at_low, at_high
