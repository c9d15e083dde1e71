"""Conv: CONV_2D or DEPTHWISE_CONV_2D, its padding, and what is folded into it.

A HardSigmoid right behind a convolution (the gate of a squeeze-and-excite block) is a scale and a shift of that
convolution and a clamp, so it costs no operator in int8 and one in float32.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.tflite.circuit import Quantization
from ghostface_edge.targets.tflite.context import Lowering
from ghostface_edge.targets.tflite.source import Constant, Node

_SATURATION_SLACK = 1.01
"""A gate's int8 range may end this far above 1, in its own scale: less than a step, so saturation is the clamp."""


@dataclass(frozen=True, slots=True)
class _Kernel:
    """Weights in ONNX order (O, I/group, H, W) with their quantization, and a real-valued bias (O,)."""

    weight: Constant
    bias: NDArray[np.float64]

    def affine(self, factor: float, offset: float) -> "_Kernel":
        """The kernel of factor * conv(x) + offset, its integers untouched."""
        quantization = self.weight.quantization
        if quantization is None:
            weight = Constant((self.weight.real() * factor).astype(np.float32))
        else:
            scales = tuple(scale * factor for scale in quantization.scales)
            weight = Constant(self.weight.data, Quantization(scales, quantization.zero_points, quantization.axis))
        return _Kernel(weight, self.bias * factor + offset)


def convolve(node: Node, lowering: Lowering) -> None:
    """Lower one Conv."""
    kernel = _kernel(node, lowering)
    gate = lowering.sole_consumer(node.output, "HardSigmoid")
    if gate is None:
        output, activation = lowering.absorb_relu(node)
        _emit(node, kernel, output, activation, lowering)
        return
    lowering.absorbed.add(gate.output)
    slope, offset = gate.number("alpha", 0.2), gate.number("beta", 0.5)
    wanted = lowering.quantization(gate.output)
    if wanted is not None:
        _refuse_unsaturated(gate, wanted)
        _emit(node, kernel.affine(slope, offset), gate.output, "RELU", lowering)
        return
    sixfold = f"{gate.output}.times6"
    lowering.source.shapes[sixfold] = lowering.source.shapes[gate.output]
    _emit(node, kernel.affine(6 * slope, 6 * offset), sixfold, "RELU6", lowering)
    sixth = lowering.circuit.constant(f"{gate.output}.sixth", np.full(1, 1 / 6, np.float32))
    lowering.circuit.operator("MUL", [lowering.indices[sixfold], sixth], lowering.output(gate.output), "MulOptions")


def _refuse_unsaturated(gate: Node, quantization: Quantization) -> None:
    top = (127 - quantization.zero_point) * quantization.scale
    if top > 1 + _SATURATION_SLACK * quantization.scale:
        raise ToolError(
            f"{gate} has an int8 range that reaches {top:.4f}, above the 1 at which it clamps",
            fix="quantize hard sigmoids over at most [0, 1] in the carrier",
        )


def _kernel(node: Node, lowering: Lowering) -> _Kernel:
    weight = lowering.source.constant(node, 1)
    if weight.quantization is not None and any(weight.quantization.zero_points):
        raise ToolError(
            f"{node} has asymmetric int8 weights, TFLite's kernels take symmetric ones",
            fix="quantize weights with zero point 0 in the carrier",
        )
    if len(node.inputs) > 2 and node.inputs[2]:
        return _Kernel(weight, lowering.source.constant(node, 2).real())
    return _Kernel(weight, np.zeros(weight.data.shape[0]))


def _emit(node: Node, kernel: _Kernel, output: str, activation: str, lowering: Lowering) -> None:
    weights = kernel.weight.data
    out_channels, in_per_group, height, width = weights.shape
    groups = node.integer("group", 1)
    depthwise = groups > 1
    if depthwise and in_per_group != 1:
        raise ToolError(
            f"{node} has {groups} groups of {in_per_group} channels, TFLite knows dense and depthwise convolutions",
            fix="split the grouped convolution before lowering",
        )
    if node.integers("dilations", (1, 1)) != (1, 1):
        raise ToolError(f"{node} is dilated, which no GhostFaceNet is", fix="export the model again")
    stride_h, stride_w = node.integers("strides", (1, 1))
    image, padding = _padded(node, (height, width), (stride_h, stride_w), lowering)
    order = (1, 2, 3, 0) if depthwise else (0, 2, 3, 1)
    filters = lowering.weight(
        node.inputs[1], weights.transpose(order), _moved(kernel.weight.quantization, 3 if depthwise else 0)
    )
    bias = _bias(node, kernel, lowering)
    settings: dict[str, int | str] = {
        "padding": padding,
        "strideH": stride_h,
        "strideW": stride_w,
        "fusedActivationFunction": activation,
    }
    written = lowering.output(output)
    if depthwise:
        lowering.circuit.operator(
            "DEPTHWISE_CONV_2D",
            [image, filters, bias],
            written,
            "DepthwiseConv2DOptions",
            depthMultiplier=out_channels // groups,
            **settings,
        )
    else:
        lowering.circuit.operator("CONV_2D", [image, filters, bias], written, "Conv2DOptions", **settings)


def _moved(quantization: Quantization | None, axis: int) -> Quantization | None:
    if quantization is None:
        return None
    return Quantization(quantization.scales, quantization.zero_points, axis)


def _bias(node: Node, kernel: _Kernel, lowering: Lowering) -> int:
    """float32, or int32 at the accumulator's scale: input's times weights'."""
    name = f"{node.output}.bias"
    image, weight = lowering.quantization(node.inputs[0]), kernel.weight.quantization
    if image is None or weight is None:
        return lowering.circuit.constant(name, kernel.bias.astype(np.float32))
    scales = np.float64(image.scale) * np.asarray(weight.scales, np.float64)
    steps = np.clip(np.rint(kernel.bias / scales), -(2**31), 2**31 - 1).astype(np.int32)
    return lowering.circuit.constant(name, steps, Quantization(tuple(map(float, scales)), (0,) * len(scales)))


def _padded(node: Node, kernel: tuple[int, int], strides: tuple[int, int], lowering: Lowering) -> tuple[int, str]:
    """The image to convolve and TFLite's padding word: SAME or VALID where they mean the ONNX pads, else a PAD."""
    if node.text("auto_pad", "NOTSET") != "NOTSET":
        raise ToolError(f"{node} leaves its padding to auto_pad", fix="export the model with explicit pads")
    top, left, bottom, right = node.integers("pads", (0, 0, 0, 0))
    image = lowering.indices[node.inputs[0]]
    if (top, left, bottom, right) == (0, 0, 0, 0):
        return image, "VALID"
    batch, height, width, channels = lowering.shape(node.inputs[0])
    if (top, bottom) == same_padding(height, kernel[0], strides[0]) and (left, right) == same_padding(
        width, kernel[1], strides[1]
    ):
        return image, "SAME"
    padded = lowering.activation(
        f"{node.output}.padded",
        (batch, height + top + bottom, width + left + right, channels),
        lowering.quantization(node.inputs[0]),
    )
    amounts = np.array([(0, 0), (top, bottom), (left, right), (0, 0)], np.int32)
    pads = lowering.circuit.constant(f"{node.output}.pads", amounts)
    lowering.circuit.operator("PAD", [image, pads], padded, "PadOptions")
    return padded, "VALID"


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME: pixels before and after along one axis, the odd one after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2
