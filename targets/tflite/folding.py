"""Narrow int8 convolutions as dense ones over several pixels at once.

XNNPACK's integer matrix kernels write 16 output channels at a time and its depthwise kernels 16 or more; a convolution
to 4 channels pays for 16. NHWC lets f neighbouring pixels of a row pass as one pixel of f times the channels, without
moving a byte: (H, W, C) is (H, W/f, f·C). Over that view the same convolution is dense, mostly zeros, and as exact:
zero weights add nothing to an integer accumulator (docs/decisions/0005-tflite-prelu.md has the times).
"""

from typing import Final

import numpy as np

from ghostface_edge.targets.tflite.circuit import Quantization
from ghostface_edge.targets.tflite.kernel import Kernel
from ghostface_edge.targets.tflite.source import Constant

_TILE_CHANNELS: Final = 16
_FACTORS: Final = (4, 2)
_LARGEST_KERNEL: Final = 3
_NARROWEST_MAP: Final = 56
"""Below it there are too few pixels for the time to be worth the zeros' bytes."""


def fold_factor(kernel: Kernel, strides: tuple[int, int], padding: str, width: int) -> int:
    """How many neighbouring pixels to fold into one; 1 where folding does not pay.

    Args:
        kernel: of the convolution.
        strides: vertical, horizontal.
        padding: SAME or VALID.
        width: of the map, pixels.
    """
    out_channels, _, height, taps = kernel.weight.data.shape
    keeps_size = strides == (1, 1) and (padding == "SAME" or taps == 1)
    if not (kernel.is_quantized and keeps_size and height == taps <= _LARGEST_KERNEL and width >= _NARROWEST_MAP):
        return 1
    fitting = (f for f in _FACTORS if width % f == 0 and f * out_channels <= _TILE_CHANNELS)
    return next(fitting, 1)


def folded_shape(shape: tuple[int, ...], factor: int) -> tuple[int, ...]:
    """(N, H, W, C) to (N, H, W/f, f·C)."""
    batch, height, width, channels = shape
    return (batch, height, width // factor, factor * channels)


def folded(kernel: Kernel, groups: int, factor: int) -> Kernel:
    """The dense kernel that does to (H, W/f, f·C) what `kernel` does to (H, W, C), at stride 1 and padding SAME."""
    weights = kernel.weight.data
    out_channels, in_per_group, height, taps = weights.shape
    in_channels = in_per_group * groups
    reach = taps // 2
    folded_reach = -(-reach // factor)
    dense = np.zeros((factor, out_channels, factor, in_channels, height, 2 * folded_reach + 1), weights.dtype)
    for pixel in range(factor):
        for tap in range(taps):
            block, source = divmod(pixel + tap - reach, factor)
            target = dense[pixel, :, source, :, :, block + folded_reach]
            if groups == 1:
                target[...] = weights[..., tap]
            else:
                every = np.arange(out_channels)
                target[every, every * groups // out_channels] = weights[:, 0, :, tap]
    shape = (factor * out_channels, factor * in_channels, height, 2 * folded_reach + 1)
    return Kernel(
        Constant(dense.reshape(shape), _repeated(kernel.weight.quantization, out_channels, factor)),
        np.tile(kernel.bias, factor),
    )


def _repeated(quantization: Quantization | None, channels: int, factor: int) -> Quantization | None:
    if quantization is None:
        return None
    scales = quantization.scales if len(quantization.scales) > 1 else quantization.scales * channels
    return Quantization(scales * factor, (0,) * (channels * factor))
