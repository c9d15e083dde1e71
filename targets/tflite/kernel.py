"""A convolution's numbers: weights, bias, and what may be folded into them without touching the integers' meaning."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.tflite.circuit import Array, Quantization
from ghostface_edge.targets.tflite.source import Constant, Node, Source

_LARGEST_BIAS: Final = 2**30
"""int32 bias that leaves the accumulator room for the products."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """Weights in ONNX order (O, I/group, H, W), float32 or int8, and a real-valued bias (O,)."""

    weight: Constant
    bias: NDArray[np.float64]

    @property
    def is_quantized(self) -> bool:
        """Are the weights int8?"""
        return self.weight.quantization is not None

    def affine(self, factor: float, offset: float) -> "Kernel":
        """The kernel of factor * conv(x) + offset; int8 weights keep their integers."""
        quantization = self.weight.quantization
        if quantization is None:
            weight = Constant((self.weight.real() * factor).astype(np.float32))
        else:
            scales = tuple(scale * factor for scale in quantization.scales)
            weight = Constant(self.weight.data, Quantization(scales, quantization.zero_points, quantization.axis))
        return Kernel(weight, self.bias * factor + offset)

    def fitting(self, image: Quantization) -> "Kernel":
        """The kernel with wider weight steps where a bias would overflow int32.

        It happens to dead channels: all but no weights, so a tiny scale, and a bias that is the whole output.
        """
        quantization = self.weight.quantization
        if quantization is None:
            return self
        scales = np.broadcast_to(np.asarray(quantization.scales, np.float64), self.bias.shape)
        wider = np.maximum(scales, np.abs(self.bias) / (image.scale * _LARGEST_BIAS))
        if np.array_equal(wider, scales):
            return self
        shrink = (scales / wider).reshape(-1, 1, 1, 1)
        weight = np.rint(self.weight.data.astype(np.float64) * shrink).astype(np.int8)
        return Kernel(Constant(weight, Quantization(tuple(map(float, wider)), (0,) * len(wider))), self.bias)

    def filters(self, order: tuple[int, int, int, int]) -> tuple[Array, Quantization | None]:
        """Weights with their axes in TFLite's order, and their quantization with the output channels' new axis."""
        quantization = self.weight.quantization
        if quantization is not None:
            quantization = Quantization(quantization.scales, quantization.zero_points, order.index(0))
        return self.weight.data.transpose(order), quantization

    def stored_bias(self, image: Quantization | None) -> tuple[Array, Quantization | None]:
        """The bias as float32, or as int32 at the accumulator's scale: the image's times the weights'."""
        weight = self.weight.quantization
        if image is None or weight is None:
            return self.bias.astype(np.float32), None
        scales = np.float64(image.scale) * np.asarray(weight.scales, np.float64)
        return np.rint(self.bias / scales).astype(np.int32), Quantization(tuple(map(float, scales)), (0,) * len(scales))


def read_kernel(node: Node, source: Source) -> Kernel:
    """Read a Conv's weights and bias.

    Raises:
        ToolError: weights that are computed, or int8 with a zero point other than 0.
    """
    weight = source.constant(node, 1)
    if weight.quantization is not None and any(weight.quantization.zero_points):
        raise ToolError(
            f"{node} has asymmetric int8 weights, TFLite's kernels take symmetric ones",
            fix="quantize weights with zero point 0 in the carrier",
        )
    if len(node.inputs) > 2 and node.inputs[2]:
        return Kernel(weight, source.constant(node, 2).real())
    return Kernel(weight, np.zeros(weight.data.shape[0]))
