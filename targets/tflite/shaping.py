"""Operators that pool, join, reshape or resize: Concat, GlobalAveragePool, AveragePool, Flatten, Resize, Requantize."""

import numpy as np

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.tflite.context import Lowering
from ghostface_edge.targets.tflite.source import Node

_CHANNELS_NCHW = 1
_CHANNELS_NHWC = 3


def concatenate(node: Node, lowering: Lowering) -> None:
    """CONCATENATION along channels; int8 kernels want one scale, so an input with another goes through QUANTIZE."""
    if node.integer("axis", 0) != _CHANNELS_NCHW:
        raise ToolError(f"{node} joins axis {node.integer('axis', 0)}, not channels", fix="join channels (axis 1)")
    wanted = lowering.quantization(node.output)
    parts = [lowering.rescaled(name, wanted) for name in node.inputs]
    written = lowering.output(node.output)
    lowering.circuit.operator("CONCATENATION", parts, written, "ConcatenationOptions", axis=_CHANNELS_NHWC)


def global_average_pool(node: Node, lowering: Lowering) -> None:
    """MEAN over height and width, kept as axes of 1; in int8 it may change the scale, which an average pool may not."""
    axes = lowering.circuit.constant(f"{node.output}.axes", np.array([1, 2], np.int32))
    image = lowering.indices[node.inputs[0]]
    lowering.circuit.operator("MEAN", [image, axes], lowering.output(node.output), "ReducerOptions", keepDims=True)


def average_pool(node: Node, lowering: Lowering) -> None:
    """AVERAGE_POOL_2D without padding."""
    if any(node.integers("pads", (0, 0, 0, 0))) or node.integer("ceil_mode", 0):
        raise ToolError(f"{node} pads or rounds its output up", fix="pool without padding, ceil_mode 0")
    height, width = node.integers("kernel_shape", ())
    stride_h, stride_w = node.integers("strides", (1, 1))
    image = lowering.rescaled(node.inputs[0], lowering.quantization(node.output))
    lowering.circuit.operator(
        "AVERAGE_POOL_2D",
        [image],
        lowering.output(node.output),
        "Pool2DOptions",
        padding="VALID",
        strideH=stride_h,
        strideW=stride_w,
        filterHeight=height,
        filterWidth=width,
    )


def flatten(node: Node, lowering: Lowering) -> None:
    """RESHAPE (N, 1, 1, C) to (N, C); larger maps would need a TRANSPOSE."""
    _, height, width, channels = lowering.shape(node.inputs[0])
    if (height, width) != (1, 1) or node.integer("axis", 1) != 1:
        raise ToolError(f"{node} flattens a {height}x{width} map", fix="flatten after the pooling to 1x1")
    quantization = lowering.quantization(node.inputs[0])
    if quantization is not None:
        lowering.source.quantization.setdefault(node.output, quantization)
    image = lowering.rescaled(node.inputs[0], lowering.quantization(node.output))
    lowering.indices[node.output] = lowering.reshaped(image, node.output, (1, channels))


def resize(node: Node, lowering: Lowering) -> None:
    """RESIZE_BILINEAR with half-pixel centres, no antialiasing."""
    mode, centres = node.text("mode", "nearest"), node.text("coordinate_transformation_mode", "half_pixel")
    if (mode, centres, node.integer("antialias", 0)) != ("linear", "half_pixel", 0):
        raise ToolError(f"{node} resizes by {mode}, {centres}", fix="resize linearly with half-pixel centres")
    _, height, width, _ = lowering.shape(node.output)
    image = lowering.rescaled(node.inputs[0], lowering.quantization(node.output))
    size = lowering.circuit.constant(f"{node.output}.size", np.array([height, width], np.int32))
    written = lowering.output(node.output)
    lowering.circuit.operator("RESIZE_BILINEAR", [image, size], written, "ResizeBilinearOptions", halfPixelCenters=True)


def requantize(node: Node, lowering: Lowering) -> None:
    """QUANTIZE from one int8 scale to another."""
    image = lowering.indices[node.inputs[0]]
    lowering.circuit.operator("QUANTIZE", [image], lowering.output(node.output), "QuantizeOptions")
