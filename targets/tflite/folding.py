"""Folding of narrow int8 convolutions to dense ones over several pixels at once.

XNNPACK's integer matrix kernels write 16 output channels at a time and its depthwise kernels 16 or more; a convolution
to 4 channels pays for 16. They read 8 input channels at a time; the stem has 3. NHWC lets f neighbouring pixels of a
row pass as one pixel of f times the channels, without moving a byte: (H, W, C) is (H, W/f, f·C). Over that view the
same convolution is dense, mostly zeros, and as exact: zero weights add nothing to an integer accumulator
(docs/decisions/0005-tflite-prelu.md has the times).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ghostface_edge.targets.tflite.conv_weights import ConvWeights

_WRITTEN_CHANNELS: Final = 16
_READ_CHANNELS: Final = 8
_FACTORS: Final = (4, 2)
_LARGEST_KERNEL: Final = 3
_NARROWEST_MAP: Final = 56
"""Below it there are too few pixels for the time to be worth the zeros' bytes."""


@dataclass(frozen=True, slots=True)
class Fold:
    """How many neighbouring pixels of a row pass as one."""

    before: int
    """In the convolution's input."""
    after: int
    """In its output; `before` is this many strides."""


def find_fold(weights: ConvWeights, groups: int, strides: tuple[int, int], padding: str, width: int) -> Fold | None:
    """The fold that makes a convolution faster; None where none does.

    Args:
        weights: of the convolution.
        groups: 1 where it is dense.
        strides: vertical, horizontal.
        padding: SAME or VALID.
        width: of the input map, pixels.
    """
    out_channels, in_per_group, height, taps = weights.filters.shape
    stride = strides[1]
    is_small = height == taps <= _LARGEST_KERNEL and strides == (stride, stride) and stride <= taps
    is_padded = padding == "SAME" or taps == 1
    if not (weights.is_quantized and is_small and is_padded and width >= _NARROWEST_MAP):
        return None
    writes_few = [factor for factor in _FACTORS if factor * out_channels <= _WRITTEN_CHANNELS and stride == 1]
    reads_few = [2] if groups == 1 and 2 * in_per_group <= _READ_CHANNELS else []
    fitting = (factor for factor in writes_few + reads_few if width % (factor * stride) == 0)
    return next((Fold(factor * stride, factor) for factor in fitting), None)


def folded_shape(shape: tuple[int, ...], factor: int) -> tuple[int, ...]:
    """(N, H, W, C) to (N, H, W/f, f·C)."""
    batch, height, width, channels = shape
    return (batch, height, width // factor, factor * channels)


def folded(weights: ConvWeights, groups: int, fold: Fold) -> ConvWeights:
    """The dense weights that do to folded pixels, at a horizontal stride of 1 and padding SAME, what `weights` do."""
    filters = weights.filters
    out_channels, in_per_group, height, taps = filters.shape
    stride = fold.before // fold.after
    padded = (taps - stride) // 2
    places = [
        (pixel, tap, *divmod(pixel * stride + tap - padded, fold.before))
        for pixel in range(fold.after)
        for tap in range(taps)
    ]
    first, last = min(block for *_, block, _ in places), max(block for *_, block, _ in places)
    reach = max(-first, last - 1, 0)
    width = 2 * reach + 1 + (last > reach)  # SAME puts the odd one behind
    in_channels = in_per_group * groups
    dense = np.zeros((fold.after, out_channels, fold.before, in_channels, height, width), filters.dtype)
    for pixel, tap, block, source in places:
        target = dense[pixel, :, source, :, :, block + reach]
        if groups == 1:
            target[...] = filters[..., tap]
        else:
            every = np.arange(out_channels)
            target[every, every * groups // out_channels] = filters[:, 0, :, tap]
    shape = (fold.after * out_channels, fold.before * in_channels, height, width)
    scales = None if weights.scales is None else np.tile(weights.scales, fold.after)
    return ConvWeights(dense.reshape(shape), np.tile(weights.bias, fold.after), scales)
