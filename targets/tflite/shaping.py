"""Operators that pool, join, reshape or resize: Concat, GlobalAveragePool, AveragePool, Flatten, Resize, Requantize."""

import numpy as np
import onnx_ir as ir

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.qdq import label, name_of, operand
from ghostface_edge.targets.tflite.lowering_context import LoweringContext

_CHANNELS_NCHW = 1
_CHANNELS_NHWC = 3


def concatenate(node: ir.Node, lowering: LoweringContext) -> None:
    """CONCATENATION along channels; int8 kernels want one scale, so an input with another goes through QUANTIZE."""
    if node.attributes.get_int("axis", 0) != _CHANNELS_NCHW:
        raise ToolError(
            f"{label(node)} joins axis {node.attributes.get_int('axis', 0)}, not channels", fix="join channels (axis 1)"
        )
    wanted = lowering.quantization(node.outputs[0])
    parts = [lowering.rescaled(part, wanted) for part in node.inputs if part is not None]
    written = lowering.output(node.outputs[0])
    lowering.subgraph.operator("CONCATENATION", parts, written, "ConcatenationOptions", axis=_CHANNELS_NHWC)


def global_average_pool(node: ir.Node, lowering: LoweringContext) -> None:
    """MEAN over height and width, kept as axes of 1; in int8 it may change the scale, which an average pool may not."""
    axes = lowering.subgraph.constant(f"{node.outputs[0].name}.axes", np.array([1, 2], np.int32))
    image = lowering.input(node)
    lowering.subgraph.operator("MEAN", [image, axes], lowering.output(node.outputs[0]), "ReducerOptions", keepDims=True)


def average_pool(node: ir.Node, lowering: LoweringContext) -> None:
    """AVERAGE_POOL_2D without padding."""
    if any(node.attributes.get_ints("pads", (0, 0, 0, 0))) or node.attributes.get_int("ceil_mode", 0) != 0:
        raise ToolError(f"{label(node)} pads or rounds its output up", fix="pool without padding, ceil_mode 0")
    height, width = node.attributes.get_ints("kernel_shape", ())
    stride_h, stride_w = node.attributes.get_ints("strides", (1, 1))
    image = lowering.rescaled(operand(node), lowering.quantization(node.outputs[0]))
    lowering.subgraph.operator(
        "AVERAGE_POOL_2D",
        [image],
        lowering.output(node.outputs[0]),
        "Pool2DOptions",
        padding="VALID",
        strideH=stride_h,
        strideW=stride_w,
        filterHeight=height,
        filterWidth=width,
    )


def flatten(node: ir.Node, lowering: LoweringContext) -> None:
    """RESHAPE (N, 1, 1, C) to (N, C); larger maps would need a TRANSPOSE."""
    _, height, width, channels = lowering.shape(operand(node))
    if (height, width) != (1, 1) or node.attributes.get_int("axis", 1) != 1:
        raise ToolError(f"{label(node)} flattens a {height}x{width} map", fix="flatten after the pooling to 1x1")
    quantization = lowering.quantization(operand(node))
    if quantization is not None:
        lowering.source.params.setdefault(node.outputs[0], quantization)
    image = lowering.rescaled(operand(node), lowering.quantization(node.outputs[0]))
    lowering.indices[node.outputs[0]] = lowering.reshaped(image, name_of(node.outputs[0]), (1, channels))


def resize(node: ir.Node, lowering: LoweringContext) -> None:
    """RESIZE_BILINEAR with half-pixel centres, no antialiasing."""
    mode, centres = (
        node.attributes.get_string("mode", "nearest"),
        node.attributes.get_string("coordinate_transformation_mode", "half_pixel"),
    )
    if (mode, centres, node.attributes.get_int("antialias", 0)) != ("linear", "half_pixel", 0):
        raise ToolError(f"{label(node)} resizes by {mode}, {centres}", fix="resize linearly with half-pixel centres")
    _, height, width, _ = lowering.shape(node.outputs[0])
    image = lowering.rescaled(operand(node), lowering.quantization(node.outputs[0]))
    size = lowering.subgraph.constant(f"{node.outputs[0].name}.size", np.array([height, width], np.int32))
    written = lowering.output(node.outputs[0])
    lowering.subgraph.operator(
        "RESIZE_BILINEAR", [image, size], written, "ResizeBilinearOptions", halfPixelCenters=True
    )


def requantize(node: ir.Node, lowering: LoweringContext) -> None:
    """QUANTIZE from one int8 scale to another."""
    image = lowering.input(node)
    lowering.subgraph.operator("QUANTIZE", [image], lowering.output(node.outputs[0]), "QuantizeOptions")
