"""Conv: CONV_2D or DEPTHWISE_CONV_2D, its padding, and the hard sigmoid behind it.

A HardSigmoid right behind a convolution (the gate of a squeeze-and-excite block) is a scale and a shift of that
convolution and a clamp, so it costs no operator in int8 and one in float32.
"""

from typing import Final

import numpy as np
import onnx_ir as ir

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.qdq import label, name_of, operand
from ghostface_edge.targets.quant_params import QuantParams
from ghostface_edge.targets.tflite.conv_weights import ConvWeights, read_conv_weights
from ghostface_edge.targets.tflite.folding import find_fold, folded, folded_shape
from ghostface_edge.targets.tflite.kernel_set import KernelSet
from ghostface_edge.targets.tflite.lowering_context import LoweringContext

_XNNPACK_TAPS: Final = 25
"""Largest depthwise kernel that XNNPACK sums in one pass; past it, in int8, LiteRT's own kernel is 35 times faster."""
_SATURATION_SLACK: Final = 1.01
"""A gate's int8 range may end this far above 1, in its own scale: less than a step, so saturation is the clamp."""
_DENSE_ORDER: Final = (0, 2, 3, 1)
_DEPTHWISE_ORDER: Final = (1, 2, 3, 0)


def convolve(node: ir.Node, lowering: LoweringContext) -> None:
    """Lower one Conv."""
    weights = read_conv_weights(node)
    gate = lowering.sole_consumer(node.outputs[0], "HardSigmoid")
    if gate is None:
        output, activation = lowering.absorb_relu(node)
        _emit(node, weights, output, activation, lowering)
        return
    gated = gate.outputs[0]
    lowering.absorbed.add(gated)
    slope, offset = gate.attributes.get_float("alpha", 0.2), gate.attributes.get_float("beta", 0.5)
    wanted = lowering.quantization(gated)
    if wanted is not None:
        _refuse_unsaturated(gate, wanted)
        _emit(node, weights.affine(slope, offset), gated, "RELU", lowering)
        return
    sixfold = ir.Value(name=f"{gated.name}.times6", shape=gated.shape)
    _emit(node, weights.affine(6 * slope, 6 * offset), sixfold, "RELU6", lowering)
    sixth = lowering.subgraph.constant(f"{gated.name}.sixth", np.full(1, 1 / 6, np.float32))
    lowering.subgraph.operator("MUL", [lowering.indices[sixfold], sixth], lowering.output(gated), "MulOptions")


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME: pixels before and after along one axis, the odd one after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _refuse_unsaturated(gate: ir.Node, quantization: QuantParams) -> None:
    if quantization.high > 1 + _SATURATION_SLACK * quantization.scale:
        raise ToolError(
            f"{label(gate)} has an int8 range that reaches {quantization.high:.4f}, above the 1 at which it clamps",
            fix="quantize hard sigmoids over at most [0, 1] in the QDQ model",
        )


def _emit(node: ir.Node, weights: ConvWeights, output: ir.Value, activation: str, lowering: LoweringContext) -> None:
    source = operand(node)
    image_quantization = lowering.quantization(source)
    if image_quantization is not None:
        weights = weights.fitting(image_quantization)
    groups = node.attributes.get_int("group", 1)
    _refuse_unknown_form(node, groups, weights.filters.shape[1])
    stride_h, stride_w = node.attributes.get_ints("strides", (1, 1))
    image, padding = _padded(node, weights.filters.shape[2:], (stride_h, stride_w), lowering)
    settings: dict[str, int | str] = {
        "padding": padding,
        "strideH": stride_h,
        "strideW": stride_w,
        "fusedActivationFunction": activation,
    }
    fold = find_fold(weights, groups, (stride_h, stride_w), padding, lowering.shape(source)[2])
    if fold is None or lowering.kernels != KernelSet.XNNPACK:
        _append(node, weights, groups, (image, lowering.output(output)), settings, lowering)
        return
    name, shape = name_of(output), lowering.shape(output)
    wide = lowering.activation(f"{name}.folded", folded_shape(shape, fold.after), lowering.quantization(output))
    view = lowering.reshaped(image, f"{node.name}.view", folded_shape(lowering.shape(source), fold.before))
    _append(node, folded(weights, groups, fold), 1, (view, wide), settings | {"strideW": 1}, lowering)
    lowering.indices[output] = lowering.reshaped(wide, name, shape)


def _append(
    node: ir.Node,
    weights: ConvWeights,
    groups: int,
    ends: tuple[int, int],
    settings: dict[str, int | str],
    lowering: LoweringContext,
) -> None:
    """Append the operator that convolves tensor `ends[0]` into tensor `ends[1]`."""
    image, written = ends
    out_channels, _, height, width = weights.filters.shape
    stored = weights.stored_filters(_DENSE_ORDER if groups == 1 else _DEPTHWISE_ORDER)
    filters = lowering.weight(name_of(operand(node, 1)), *stored)
    stored_bias = weights.stored_bias(lowering.quantization(operand(node)))
    bias = lowering.subgraph.constant(f"{node.outputs[0].name}.bias", *stored_bias)
    if groups == 1:
        lowering.subgraph.operator("CONV_2D", [image, filters, bias], written, "Conv2DOptions", **settings)
        return
    multiplier = out_channels // groups
    if weights.is_quantized and lowering.kernels == KernelSet.XNNPACK and height * width > _XNNPACK_TAPS:
        # LiteRT reads the multiplier off the shapes; XNNPACK refuses a 0 and so leaves the operator to LiteRT.
        multiplier = 0
    lowering.subgraph.operator(
        "DEPTHWISE_CONV_2D",
        [image, filters, bias],
        written,
        "DepthwiseConv2DOptions",
        depthMultiplier=multiplier,
        **settings,
    )


def _refuse_unknown_form(node: ir.Node, groups: int, in_per_group: int) -> None:
    if groups > 1 and in_per_group != 1:
        raise ToolError(
            f"{label(node)} has {groups} groups of {in_per_group} channels, TFLite knows dense and depthwise ones",
            fix="split the grouped convolution before lowering",
        )
    if tuple(node.attributes.get_ints("dilations", (1, 1))) != (1, 1):
        raise ToolError(f"{label(node)} is dilated, which no GhostFaceNet is", fix="export the model again")
    if node.attributes.get_string("auto_pad", "NOTSET") != "NOTSET":
        raise ToolError(f"{label(node)} leaves its padding to auto_pad", fix="export the model with explicit pads")


def _padded(
    node: ir.Node, kernel: tuple[int, ...], strides: tuple[int, int], lowering: LoweringContext
) -> tuple[int, str]:
    """The image to convolve and TFLite's padding word: SAME or VALID where they mean the ONNX pads, else a PAD."""
    top, left, bottom, right = node.attributes.get_ints("pads", (0, 0, 0, 0))
    image, source = lowering.input(node), operand(node)
    if (top, left, bottom, right) == (0, 0, 0, 0):
        return image, "VALID"
    batch, height, width, channels = lowering.shape(source)
    same = same_padding(height, kernel[0], strides[0]), same_padding(width, kernel[1], strides[1])
    if ((top, bottom), (left, right)) == same:
        return image, "SAME"
    name, shape = f"{node.outputs[0].name}.padded", (batch, height + top + bottom, width + left + right, channels)
    padded = lowering.activation(name, shape, lowering.quantization(source))
    amounts = np.array([(0, 0), (top, bottom), (left, right), (0, 0)], np.int32)
    pads = lowering.subgraph.constant(f"{node.outputs[0].name}.pads", amounts)
    lowering.subgraph.operator("PAD", [image, pads], padded, "PadOptions")
    return padded, "VALID"
