"""Conv: CONV_2D or DEPTHWISE_CONV_2D, its padding, and the hard sigmoid behind it.

A HardSigmoid right behind a convolution (the gate of a squeeze-and-excite block) is a scale and a shift of that
convolution and a clamp, so it costs no operator in int8 and one in float32.
"""

from typing import Final

import numpy as np

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.tflite.circuit import Quantization
from ghostface_edge.targets.tflite.context import Lowering
from ghostface_edge.targets.tflite.folding import find_fold, folded, folded_shape
from ghostface_edge.targets.tflite.forms import Kernels
from ghostface_edge.targets.tflite.kernel import Kernel, read_kernel
from ghostface_edge.targets.tflite.source import Node

_XNNPACK_TAPS: Final = 25
"""Largest depthwise kernel that XNNPACK sums in one pass; past it, in int8, LiteRT's own kernel is 35 times faster."""
_SATURATION_SLACK: Final = 1.01
"""A gate's int8 range may end this far above 1, in its own scale: less than a step, so saturation is the clamp."""
_DENSE_ORDER: Final = (0, 2, 3, 1)
_DEPTHWISE_ORDER: Final = (1, 2, 3, 0)


def convolve(node: Node, lowering: Lowering) -> None:
    """Lower one Conv."""
    kernel = read_kernel(node, lowering.source)
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


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME: pixels before and after along one axis, the odd one after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _refuse_unsaturated(gate: Node, quantization: Quantization) -> None:
    top = (127 - quantization.zero_point) * quantization.scale
    if top > 1 + _SATURATION_SLACK * quantization.scale:
        raise ToolError(
            f"{gate} has an int8 range that reaches {top:.4f}, above the 1 at which it clamps",
            fix="quantize hard sigmoids over at most [0, 1] in the carrier",
        )


def _emit(node: Node, kernel: Kernel, output: str, activation: str, lowering: Lowering) -> None:
    image_quantization = lowering.quantization(node.inputs[0])
    if image_quantization is not None:
        kernel = kernel.fitting(image_quantization)
    groups = node.integer("group", 1)
    _refuse_unknown_form(node, groups, kernel.weight.data.shape[1])
    stride_h, stride_w = node.integers("strides", (1, 1))
    image, padding = _padded(node, kernel.weight.data.shape[2:], (stride_h, stride_w), lowering)
    settings: dict[str, int | str] = {
        "padding": padding,
        "strideH": stride_h,
        "strideW": stride_w,
        "fusedActivationFunction": activation,
    }
    fold = find_fold(kernel, groups, (stride_h, stride_w), padding, lowering.shape(node.inputs[0])[2])
    if fold is None or lowering.kernels != Kernels.XNNPACK:
        _append(node, kernel, groups, (image, lowering.output(output)), settings, lowering)
        return
    shape = lowering.shape(output)
    wide = lowering.activation(f"{output}.folded", folded_shape(shape, fold.after), lowering.quantization(output))
    view = lowering.reshaped(image, f"{node.name}.view", folded_shape(lowering.shape(node.inputs[0]), fold.before))
    _append(node, folded(kernel, groups, fold), 1, (view, wide), settings | {"strideW": 1}, lowering)
    lowering.indices[output] = lowering.reshaped(wide, output, shape)


def _append(
    node: Node,
    kernel: Kernel,
    groups: int,
    ends: tuple[int, int],
    settings: dict[str, int | str],
    lowering: Lowering,
) -> None:
    """Append the operator that convolves tensor `ends[0]` into tensor `ends[1]`."""
    image, written = ends
    out_channels, _, height, width = kernel.weight.data.shape
    filters = lowering.weight(node.inputs[1], *kernel.filters(_DENSE_ORDER if groups == 1 else _DEPTHWISE_ORDER))
    bias = lowering.circuit.constant(f"{node.output}.bias", *kernel.stored_bias(lowering.quantization(node.inputs[0])))
    if groups == 1:
        lowering.circuit.operator("CONV_2D", [image, filters, bias], written, "Conv2DOptions", **settings)
        return
    multiplier = out_channels // groups
    if kernel.is_quantized and lowering.kernels == Kernels.XNNPACK and height * width > _XNNPACK_TAPS:
        # LiteRT reads the multiplier off the shapes; XNNPACK refuses a 0 and so leaves the operator to LiteRT.
        multiplier = 0
    lowering.circuit.operator(
        "DEPTHWISE_CONV_2D",
        [image, filters, bias],
        written,
        "DepthwiseConv2DOptions",
        depthMultiplier=multiplier,
        **settings,
    )


def _refuse_unknown_form(node: Node, groups: int, in_per_group: int) -> None:
    if groups > 1 and in_per_group != 1:
        raise ToolError(
            f"{node} has {groups} groups of {in_per_group} channels, TFLite knows dense and depthwise convolutions",
            fix="split the grouped convolution before lowering",
        )
    if node.integers("dilations", (1, 1)) != (1, 1):
        raise ToolError(f"{node} is dilated, which no GhostFaceNet is", fix="export the model again")
    if node.text("auto_pad", "NOTSET") != "NOTSET":
        raise ToolError(f"{node} leaves its padding to auto_pad", fix="export the model with explicit pads")


def _padded(node: Node, kernel: tuple[int, ...], strides: tuple[int, int], lowering: Lowering) -> tuple[int, str]:
    """The image to convolve and TFLite's padding word: SAME or VALID where they mean the ONNX pads, else a PAD."""
    top, left, bottom, right = node.integers("pads", (0, 0, 0, 0))
    image = lowering.indices[node.inputs[0]]
    if (top, left, bottom, right) == (0, 0, 0, 0):
        return image, "VALID"
    batch, height, width, channels = lowering.shape(node.inputs[0])
    same = same_padding(height, kernel[0], strides[0]), same_padding(width, kernel[1], strides[1])
    if ((top, bottom), (left, right)) == same:
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
