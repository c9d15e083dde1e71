"""Lowering of an ONNX graph to ncnn's layers: float, or the INT8 that a QDQ model asks for.

ncnn quantizes what a convolution reads, multiplies integers, and goes on in float; its grids are symmetric. So of the
QDQ model's grids those count that convolutions read, widened to both sides where they are not symmetric, and all
weights and their scales as they are. A convolution whose output's grid begins at 0 has a ReLU or a hard sigmoid folded
into it, and clips here; other ends do not saturate (cosine 0.9840 instead of 0.9821 on V1-0.5-2).
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.ncnn.model import Layer, NcnnModel, Setting, floats
from ghostface_edge.targets.ncnn.model import stored as marked
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.qdq import (
    constant,
    graph_of,
    label,
    name_of,
    operand,
    params,
    params_of,
    quantizer_behind,
    sizes,
    stored,
)
from ghostface_edge.targets.quant_params import INT8_MAX, INT8_MIN, QuantParams

_ADD, _MULTIPLY, _MAXIMUM, _MINIMUM = 0, 2, 4, 5
_CLIP: Final = 3
"""Of activations that a convolution does itself."""
_FIX: Final = "rewrite it as operators of a GhostFaceNet that `ghostface-edge export` writes"


def lower(model: Path, *, half_weights: bool = False) -> NcnnModel:
    """Lower a float32 ONNX graph, or a QDQ model.

    Args:
        model: opset 18, one NCHW input, BatchNorm folded.
        half_weights: store convolution weights as float16.

    Raises:
        InputError: not an ONNX model of one input and one output.
        ToolError: an operator, or a form of one, that no rule knows; the message names it.
    """
    return _Lowering(half_weights).model(graph_of(read_onnx(model)))


def bottom_scale(quantization: QuantParams) -> float:
    """What ncnn multiplies by before it rounds to [-127, 127]; a symmetric grid stays as it is."""
    if quantization.zero_point == 0:
        return 1 / quantization.scale
    return INT8_MAX / max(-quantization.low, quantization.high)


class _Lowering:
    def __init__(self, half_weights: bool) -> None:
        self.half_weights = half_weights
        self.layers: list[Layer] = []
        self.names: dict[ir.Value, str] = {}
        """Blobs by the ONNX tensor that they hold."""
        self.rules: dict[str, Callable[[ir.Node], None]] = {
            "Add": lambda node: self.binary(node, _ADD),
            "AveragePool": self.average_pool,
            "Clip": self.clip,
            "Concat": self.concat,
            "Conv": self.convolution,
            "DequantizeLinear": self.pass_on,
            "Flatten": lambda node: self.single(node, "Flatten"),
            "GlobalAveragePool": self.global_average_pool,
            "HardSigmoid": self.hard_sigmoid,
            "Max": lambda node: self.binary(node, _MAXIMUM),
            "Min": lambda node: self.binary(node, _MINIMUM),
            "Mul": lambda node: self.binary(node, _MULTIPLY),
            "PRelu": self.prelu,
            "QuantizeLinear": self.pass_on,
            "Relu": lambda node: self.single(node, "ReLU"),
            "Resize": self.resize,
            "Sigmoid": lambda node: self.single(node, "Sigmoid"),
        }

    def model(self, graph: ir.Graph) -> NcnnModel:
        (entry,), (end,) = graph.inputs, graph.outputs
        _, channels, height, width = sizes(entry)
        self.add("Input", (), entry, {0: width, 1: height, 2: channels})
        lengths = {value for node in graph if node.op_type == "Resize" for value in node.inputs[1:]}
        for node in graph:
            written = node.outputs[0]
            if node.op_type == "Shape" or written in lengths or stored(written) is not None:
                continue
            if node.op_type not in self.rules:
                raise ToolError(f"{label(node)} has no ncnn rule", fix=_FIX)
            self.rules[node.op_type](node)
        return NcnnModel(tuple(self.layers)).cut(self.names[end])

    def add(
        self,
        kind: str,
        inputs: tuple[str, ...],
        written: ir.Value | str,
        settings: dict[int, Setting],
        weights: bytes = b"",
    ) -> str:
        """Append a layer; returns the name of what it writes."""
        name = written if isinstance(written, str) else name_of(written)
        if not re.fullmatch(r"[^\s~]{1,200}", name):  # ncnn's reader takes no others
            name = f"blob{len(self.layers)}"
        if isinstance(written, ir.Value):
            self.names[written] = name
        self.layers.append(Layer(kind, inputs, name, settings, weights))
        return name

    def source(self, node: ir.Node) -> str:
        return self.names[operand(node)]

    def single(
        self, node: ir.Node, kind: str, settings: dict[int, Setting] | None = None, weights: bytes = b""
    ) -> None:
        self.add(kind, (self.source(node),), node.outputs[0], settings or {}, weights)

    def pass_on(self, node: ir.Node) -> None:
        """Grids are read where a convolution stands before or behind them."""
        self.names[node.outputs[0]] = self.source(node)

    def convolution(self, node: ir.Node) -> None:
        if tuple(node.attributes.get_ints("dilations", (1, 1))) != (1, 1):
            raise ToolError(f"{label(node)} is dilated, which no GhostFaceNet is", fix=_FIX)
        if node.attributes.get_string("auto_pad", "NOTSET") != "NOTSET":
            raise ToolError(f"{label(node)} leaves its padding to auto_pad", fix="export the model with explicit pads")
        kernel, image = constant(node, 1), params_of(operand(node))
        outputs, _, height, width = kernel.values.shape
        groups = node.attributes.get_int("group", 1)
        stride_h, stride_w = node.attributes.get_ints("strides", (1, 1))
        top, left, bottom, right = node.attributes.get_ints("pads", (0, 0, 0, 0))
        settings: dict[int, Setting] = {0: outputs, 1: width, 11: height, 3: stride_w, 13: stride_h}
        settings |= {4: left, 14: top, 15: right, 16: bottom, 5: int(len(node.inputs) > 2), 6: kernel.values.size}
        if groups > 1:
            settings[7] = groups
        is_integer = kernel.scales is not None and image is not None
        if is_integer:
            settings[8] = 1
        quantizer = quantizer_behind(node)
        if quantizer is not None and params(quantizer).zero_point == INT8_MIN:
            settings |= {9: _CLIP, 10: (0.0, params(quantizer).high)}
        weights = marked(self.weights(node, is_integer=is_integer))
        if len(node.inputs) > 2:
            weights += floats(constant(node, 2).real())
        if kernel.scales is not None and image is not None:
            weights += floats(1 / self.channel_scales(node, kernel.scales, outputs, groups))
            weights += floats([bottom_scale(image)])
        self.single(node, "Convolution" if groups == 1 else "ConvolutionDepthWise", settings, weights)

    def weights(self, node: ir.Node, *, is_integer: bool) -> NDArray[np.generic]:
        kernel = constant(node, 1)
        if is_integer:
            return kernel.values.astype(np.int8)
        real = kernel.real()
        if not self.half_weights:
            return real.astype(np.float32)
        limit = float(np.finfo(np.float16).max)
        return real.clip(-limit, limit).astype(np.float16)

    def channel_scales(
        self, node: ir.Node, scales: NDArray[np.float32], outputs: int, groups: int
    ) -> NDArray[np.float32]:
        """One for each output channel; ncnn has one for each group where there are several."""
        each = np.broadcast_to(scales, (outputs,))
        if groups in (1, outputs):
            return each
        raise ToolError(f"{label(node)} has {groups} groups of several channels, ncnn no scale for each", fix=_FIX)

    def binary(self, node: ir.Node, kind: int) -> None:
        computed = [value for value in node.inputs if value in self.names]
        names = [self.names[value] for value in computed if value is not None]
        if len(node.inputs) != 2 or not names:
            raise ToolError(f"{label(node)} does not join two tensors", fix=_FIX)
        settings: dict[int, Setting] = {0: kind}
        if len(names) == 1:
            position = 1 if node.inputs[0] in self.names else 0
            values = constant(node, position).real()
            if values.size == 1:
                settings |= {1: 1, 2: float(values.item())}
            else:
                names.append(self.memory(node, values))
        self.add("BinaryOp", tuple(names), node.outputs[0], settings)

    def memory(self, node: ir.Node, values: NDArray[np.float64]) -> str:
        """A constant for each channel, as a layer."""
        if values.ndim < 3 or values.size != values.shape[-3]:
            raise ToolError(f"{label(node)} has a constant of {values.shape}, not one for each channel", fix=_FIX)
        settings: dict[int, Setting] = {0: 1, 1: 1, 2: values.size}
        return self.add("MemoryData", (), f"{name_of(node.outputs[0])}.constant", settings, floats(values))

    def concat(self, node: ir.Node) -> None:
        if node.attributes["axis"].as_int() not in (1, -3):
            raise ToolError(f"{label(node)} joins along another axis than channels", fix=_FIX)
        names = tuple(self.names[value] for value in node.inputs if value is not None)
        self.add("Concat", names, node.outputs[0], {0: 0})

    def global_average_pool(self, node: ir.Node) -> None:
        """A vector in ncnn, which what joins it with a map would not take for channels."""
        flat = self.add("Pooling", (self.source(node),), f"{name_of(node.outputs[0])}.flat", {0: 1, 4: 1})
        self.add("Reshape", (flat,), node.outputs[0], {0: 1, 1: 1, 2: -1})

    def average_pool(self, node: ir.Node) -> None:
        rounds_up = node.attributes.get_int("ceil_mode", 0) != 0
        if rounds_up or any(node.attributes.get_ints("pads", (0, 0, 0, 0))):
            raise ToolError(f"{label(node)} is padded", fix=_FIX)
        (height, width), (stride_h, stride_w) = (
            node.attributes[name].as_ints() for name in ("kernel_shape", "strides")
        )
        self.single(node, "Pooling", {0: 1, 1: width, 11: height, 2: stride_w, 12: stride_h, 5: 1})

    def hard_sigmoid(self, node: ir.Node) -> None:
        alpha, beta = (node.attributes.get_float(name, default) for name, default in (("alpha", 0.2), ("beta", 0.5)))
        self.single(node, "HardSigmoid", {0: float(alpha), 1: float(beta)})

    def clip(self, node: ir.Node) -> None:
        low, high = (float(constant(node, position).real().item()) for position in (1, 2))
        self.single(node, "Clip", {0: low, 1: high})

    def prelu(self, node: ir.Node) -> None:
        slopes = constant(node, 1).real().reshape(-1)
        self.single(node, "PReLU", {0: slopes.size}, floats(slopes))

    def resize(self, node: ir.Node) -> None:
        mode, centre = (node.attributes.get_string(name, "") for name in ("mode", "coordinate_transformation_mode"))
        if mode != "linear" or centre not in ("", "half_pixel"):
            raise ToolError(f"{label(node)} is no bilinear one of pixels' centres", fix=_FIX)
        height, width = sizes(node.outputs[0])[2:]
        self.single(node, "Interp", {0: 2, 3: height, 4: width})
