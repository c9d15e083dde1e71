"""A convolution's weights and bias, and what may be folded into them without touching the integers' meaning."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from ghostface_edge.targets.qdq import constant
from ghostface_edge.targets.quant_params import ChannelScales, QuantParams
from ghostface_edge.targets.tflite.subgraph import Array

_LARGEST_BIAS: Final = 2**30
"""int32 bias that leaves the accumulator room for the products."""


@dataclass(frozen=True, slots=True)
class ConvWeights:
    """Filters in ONNX order (O, I/group, H, W), float32 or int8, and a real-valued bias (O,)."""

    filters: Array
    bias: NDArray[np.float64]
    scales: NDArray[np.float64] | None = None
    """(O,) of int8 filters."""

    @property
    def is_quantized(self) -> bool:
        """Are the filters int8?"""
        return self.scales is not None

    def affine(self, factor: float, offset: float) -> "ConvWeights":
        """The weights of factor * conv(x) + offset; int8 filters keep their integers."""
        bias = self.bias * factor + offset
        if self.scales is not None:
            return ConvWeights(self.filters, bias, self.scales * factor)
        return ConvWeights((np.asarray(self.filters, np.float64) * factor).astype(np.float32), bias)

    def fitting(self, image: QuantParams) -> "ConvWeights":
        """The weights with wider steps where a bias would overflow int32.

        It happens to dead channels: all but no weights, so a tiny scale, and a bias that is the whole output.
        """
        if self.scales is None:
            return self
        wider = np.maximum(self.scales, np.abs(self.bias) / (image.scale * _LARGEST_BIAS))
        if np.array_equal(wider, self.scales):
            return self
        shrink = (self.scales / wider).reshape(-1, 1, 1, 1)
        filters = np.rint(np.asarray(self.filters, np.float64) * shrink).astype(np.int8)
        return replace(self, filters=filters, scales=wider)

    def stored_filters(self, order: tuple[int, int, int, int]) -> tuple[Array, ChannelScales | None]:
        """Filters with their axes in TFLite's order, and their scales along the output channels' new axis."""
        scales = None if self.scales is None else ChannelScales(tuple(map(float, self.scales)), order.index(0))
        return self.filters.transpose(order), scales

    def stored_bias(self, image: QuantParams | None) -> tuple[Array, ChannelScales | None]:
        """The bias as float32, or as int32 at the accumulator's scale: the image's times the weights'."""
        if image is None or self.scales is None:
            return self.bias.astype(np.float32), None
        scales = np.float64(image.scale) * self.scales
        return np.rint(self.bias / scales).astype(np.int32), ChannelScales(tuple(map(float, scales)))


def read_conv_weights(node: ir.Node) -> ConvWeights:
    """Read a Conv's weights and bias.

    Raises:
        ToolError: weights that are computed.
        InputError: int8 ones with a zero point other than 0.
    """
    weight = constant(node, 1)
    channels = weight.values.shape[0]
    scales = None if weight.params is None else np.broadcast_to(np.array(weight.params.scales, np.float64), channels)
    has_bias = len(node.inputs) > 2 and node.inputs[2] is not None
    return ConvWeights(weight.values, constant(node, 2).real() if has_bias else np.zeros(channels), scales)
