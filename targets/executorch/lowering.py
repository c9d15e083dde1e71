"""Lowering of an ONNX graph to calls of PyTorch's operators: float, or with the quantization that a QDQ model asks for.

The vendor's exporter takes a PyTorch module; `exporter` makes one of these calls where PyTorch is. Their names and
arguments are PyTorch's own (`aten`, `quantized_decomposed`). XNNPACK's partitioner takes for quantized what it finds
between a DequantizeLinear of its own and a QuantizeLinear, so every reader gets one, and what it would compute in
float although all of it is quantized is quantized again: padding, and what a Concat joins on other grids than its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.qdq import (
    constant,
    graph_of,
    is_quantizer,
    label,
    operand,
    params,
    params_of,
    sizes,
    stored,
)
from ghostface_edge.targets.quant_params import INT8_MAX, INT8_MIN, QuantParams

Argument: TypeAlias = "str | float | Sequence[Argument] | None"
"""Of a call: a text is the name of what an earlier call gave, or of a constant."""
Call: TypeAlias = tuple[str, str, list[Argument]]
"""The name of what it gives, PyTorch's operator, arguments."""

_FIX: Final = "rewrite it as operators of a GhostFaceNet that `ghostface-edge export` writes"
_MAP: Final = (2, 3)
"""Axes of height and width."""


@dataclass(frozen=True, slots=True)
class Module:
    """A PyTorch module, as what it does."""

    input_shape: tuple[int, ...]
    """For one face; the input is called `faces`."""
    calls: list[Call]
    """The last one gives the embedding."""
    constants: dict[str, NDArray[np.generic]]


def lower(model: Path) -> Module:
    """Lower a float32 ONNX graph, or a QDQ model.

    Args:
        model: opset 18, one NCHW input, BatchNorm folded.

    Raises:
        InputError: not an ONNX model of one input and one output.
        ToolError: an operator, or a form of one, that no rule knows; the message names it.
    """
    return _Lowering().module(graph_of(read_onnx(model)))


class _Lowering:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.constants: dict[str, NDArray[np.generic]] = {}
        self.names: dict[ir.Value, str] = {}
        """Of what holds an ONNX tensor: its integers where it is quantized."""
        self.rules: dict[str, Callable[[ir.Node], str]] = {
            "Add": lambda node: self.elementwise(node, "aten.add.Tensor"),
            "AveragePool": self.average_pool,
            "Clip": self.clip,
            "Concat": self.concat,
            "Conv": self.convolution,
            "Flatten": self.flatten,
            "GlobalAveragePool": lambda node: self.call("aten.mean.dim", self.source(node), _MAP, 1),
            "HardSigmoid": self.hard_sigmoid,
            "Max": lambda node: self.elementwise(node, "aten.maximum.default"),
            "Min": lambda node: self.elementwise(node, "aten.minimum.default"),
            "Mul": lambda node: self.elementwise(node, "aten.mul.Tensor"),
            "PRelu": self.prelu,
            "QuantizeLinear": lambda node: self.quantized(self.source(node), params(node)),
            "Relu": lambda node: self.call("aten.relu.default", self.source(node)),
            "Resize": self.resize,
            "Sigmoid": lambda node: self.call("aten.sigmoid.default", self.source(node)),
        }

    def module(self, graph: ir.Graph) -> Module:
        (entry,), (end,) = graph.inputs, graph.outputs
        self.names[entry] = "faces"
        lengths = {value for node in graph if node.op_type == "Resize" for value in node.inputs[1:]}
        for node in graph:
            written = node.outputs[0]
            if node.op_type == "Shape" or written in lengths or stored(written) is not None:
                continue
            if node.op_type == "DequantizeLinear":
                self.names[written] = self.names[operand(node)]
                continue
            if node.op_type not in self.rules:
                raise ToolError(f"{label(node)} has no ExecuTorch rule", fix=_FIX)
            self.names[written] = self.rules[node.op_type](node)
        self.real(end)
        return Module(sizes(entry), self.calls, self.constants)

    def call(self, operator: str, *arguments: Argument) -> str:
        name = f"t{len(self.calls)}"
        self.calls.append((name, operator, list(arguments)))
        return name

    def hold(self, values: NDArray[np.generic]) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = values
        return name

    def real(self, value: ir.Value) -> str:
        """What holds real values: dequantized for this one reader, where it is quantized."""
        quantization = params_of(value)
        return self.names[value] if quantization is None else self.dequantized(self.names[value], quantization)

    def source(self, node: ir.Node) -> str:
        return self.real(operand(node))

    def quantized(self, name: str, quantization: QuantParams) -> str:
        grid = quantization.scale, quantization.zero_point, INT8_MIN, INT8_MAX
        return self.call("quantized_decomposed.quantize_per_tensor.default", name, *grid)

    def dequantized(self, name: str, quantization: QuantParams) -> str:
        grid = quantization.scale, quantization.zero_point, INT8_MIN, INT8_MAX
        return self.call("quantized_decomposed.dequantize_per_tensor.default", name, *grid)

    def again(self, name: str, quantization: QuantParams) -> str:
        """Quantized to a grid, and back."""
        return self.dequantized(self.quantized(name, quantization), quantization)

    def convolution(self, node: ir.Node) -> str:
        if node.attributes.get_string("auto_pad", "NOTSET") != "NOTSET":
            raise ToolError(f"{label(node)} leaves its padding to auto_pad", fix="export the model with explicit pads")
        dilations = node.attributes.get_ints("dilations", (1, 1))
        strides = node.attributes.get_ints("strides", (1, 1))
        top, left, bottom, right = node.attributes.get_ints("pads", (0, 0, 0, 0))
        image, padding = self.source(node), (top, left)
        if padding != (bottom, right):  # PyTorch's convolution pads both sides alike
            quantization, padding = params_of(operand(node)), (0, 0)
            image = self.call("aten.constant_pad_nd.default", image, (left, right, top, bottom), 0.0)
            image = image if quantization is None else self.again(image, quantization)
        bias = self.hold(constant(node, 2).real().astype(np.float32)) if len(node.inputs) > 2 else None
        groups = node.attributes.get_int("group", 1)
        arguments = image, self.kernel(node), bias, strides, padding, dilations, groups
        return self.call("aten.conv2d.default", *arguments)

    def kernel(self, node: ir.Node) -> str:
        kernel = constant(node, 1)
        if kernel.scales is None or params_of(operand(node)) is None:
            return self.hold(kernel.real().astype(np.float32))
        outputs = len(kernel.values)
        scales = np.broadcast_to(kernel.scales, (outputs,)).copy()
        grids = self.hold(scales), self.hold(np.zeros(outputs, np.int64)), 0, INT8_MIN, INT8_MAX
        return self.call("quantized_decomposed.dequantize_per_channel.default", self.hold(kernel.values), *grids)

    def elementwise(self, node: ir.Node, operator: str) -> str:
        if len(node.inputs) != 2:
            raise ToolError(f"{label(node)} does not join two tensors", fix=_FIX)
        return self.call(operator, *(self.real_or_constant(node, position) for position in (0, 1)))

    def real_or_constant(self, node: ir.Node, position: int) -> str:
        held = stored(operand(node, position))
        if held is None:
            return self.real(operand(node, position))
        return self.hold(held.real().astype(np.float32))

    def concat(self, node: ir.Node) -> str:
        (reader, *others), grid = node.outputs[0].consumers(), None
        if not others and is_quantizer(reader):
            grid = params(reader)
        joined = []
        for position in range(len(node.inputs)):
            value = operand(node, position)
            name = self.real(value)
            joined.append(name if grid is None or params_of(value) == grid else self.again(name, grid))
        return self.call("aten.cat.default", joined, node.attributes["axis"].as_int())

    def average_pool(self, node: ir.Node) -> str:
        if node.attributes.get_int("ceil_mode", 0) or any(node.attributes.get_ints("pads", (0, 0, 0, 0))):
            raise ToolError(f"{label(node)} is padded", fix=_FIX)
        kernel, strides = (node.attributes[name].as_ints() for name in ("kernel_shape", "strides"))
        return self.call("aten.avg_pool2d.default", self.source(node), kernel, strides)

    def hard_sigmoid(self, node: ir.Node) -> str:
        alpha, beta = (node.attributes.get_float(name, default) for name, default in (("alpha", 0.2), ("beta", 0.5)))
        scaled = self.call("aten.mul.Tensor", self.source(node), self.hold(np.array([alpha], np.float32)))
        moved = self.call("aten.add.Tensor", scaled, self.hold(np.array([beta], np.float32)))
        return self.call("aten.clamp.default", moved, 0.0, 1.0)

    def clip(self, node: ir.Node) -> str:
        low, high = (float(constant(node, position).real().item()) for position in (1, 2))
        return self.call("aten.clamp.default", self.source(node), low, high)

    def prelu(self, node: ir.Node) -> str:
        slopes = constant(node, 1).real().reshape(-1).astype(np.float32)
        return self.call("aten.prelu.default", self.source(node), self.hold(slopes))

    def flatten(self, node: ir.Node) -> str:
        return self.call("aten.view_copy.default", self.source(node), sizes(node.outputs[0]))

    def resize(self, node: ir.Node) -> str:
        mode, centre = (node.attributes.get_string(name, "") for name in ("mode", "coordinate_transformation_mode"))
        if mode != "linear" or centre not in ("", "half_pixel"):
            raise ToolError(f"{label(node)} is no bilinear one of pixels' centres", fix=_FIX)
        return self.call("aten.upsample_bilinear2d.vec", self.source(node), sizes(node.outputs[0])[2:], 0, None)
