"""Lowering of a QDQ model to an OpenVINO model.

Each QDQ pair becomes one FakeQuantize; OpenVINO's own conversion keeps five operators for it, and computes biases
from integers at load time, which doubles the `.xml`. Two kinds of pairs are left out:

- between a convolution and its PReLU: with it the PReLU is an operator of its own, without it the convolution does it
  in float on its accumulators, before it rounds once to the PReLU's integers;
- behind a Concat of tensors that have its scale and zero point already, where it changes nothing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.qdq import (
    constant,
    dequantized_readers,
    graph_of,
    label,
    name_of,
    operand,
    params,
    params_of,
    sizes,
    stored,
)

_LEVELS: Final = 256


def lower(qdq_model: Path) -> Any:
    """Build the `openvino.Model` of a QDQ model; input and output keep their names, the batch is dynamic.

    Raises:
        InputError: not an ONNX model.
        ToolError: an operator that no rule knows.
    """
    return _Lowering().model(graph_of(read_onnx(qdq_model)))


class _Lowering:
    """Nodes of the OpenVINO model by the ONNX tensor they compute."""

    def __init__(self) -> None:
        from openvino import opset13

        self.op = opset13
        self.nodes: dict[ir.Value, Any] = {}
        self.rules: dict[str, Callable[[ir.Node], Any]] = {
            "QuantizeLinear": self.quantize,
            "DequantizeLinear": self.source,
            "Conv": self.convolution,
            "PRelu": lambda node: self.op.prelu(self.source(node), self.constant(constant(node, 1).real().reshape(-1))),
            "Relu": lambda node: self.op.relu(self.source(node)),
            "Sigmoid": lambda node: self.op.sigmoid(self.source(node)),
            "HardSigmoid": self.hard_sigmoid,
            "Clip": self.clip,
            "Add": lambda node: self.op.add(*self.operands(node)),
            "Mul": lambda node: self.op.multiply(*self.operands(node)),
            "Concat": lambda node: self.op.concat(self.operands(node), node.attributes["axis"].as_int()),
            "GlobalAveragePool": lambda node: self.op.reduce_mean(self.source(node), _axes(2, 3), True),
            "AveragePool": self.average_pool,
            "Resize": self.resize,
            "Flatten": lambda node: self.op.reshape(self.source(node), _axes(0, -1), True),
        }

    def model(self, graph: ir.Graph) -> Any:
        import openvino

        (entry,), (end,) = graph.inputs, graph.outputs
        faces = self.op.parameter(openvino.PartialShape([-1, *sizes(entry)[1:]]), np.float32, name=name_of(entry))
        faces.output(0).get_tensor().set_names({name_of(entry)})
        self.nodes[entry] = faces
        lengths = {value for node in graph if node.op_type == "Resize" for value in node.inputs[3:]}
        for node in graph:
            written = node.outputs[0]
            if node.op_type == "Shape" or written in lengths or stored(written) is not None:
                continue
            rule = self.rules.get(node.op_type)
            if rule is None:
                raise ToolError(
                    f"{label(node)} has no rule for OpenVINO",
                    fix="quantize a GhostFaceNet exported by `ghostface-edge export`",
                )
            built = rule(node)
            if built is not self.nodes.get(operand(node)):
                built.set_friendly_name(node.name or name_of(written))
            self.nodes[written] = built
        embeddings = self.nodes[end]
        embeddings.output(0).get_tensor().set_names({name_of(end)})
        return openvino.Model([self.op.result(embeddings)], [faces], "ghostface")

    def source(self, node: ir.Node) -> Any:
        """What a node reads first."""
        return self.nodes[operand(node)]

    def operands(self, node: ir.Node) -> list[Any]:
        """All that a node reads, computed or constant."""
        return [
            self.nodes[value] if value in self.nodes else self.constant(constant(node, position).real())
            for position, value in enumerate(node.inputs)
            if value is not None
        ]

    def constant(self, values: NDArray[np.float64]) -> Any:
        return self.op.constant(values.astype(np.float32))

    def quantize(self, node: ir.Node) -> Any:
        real = self.source(node)
        if _is_activated_later(node) or _is_quantized_alike(node):
            return real
        wanted = params(node)
        low, high = (self.op.constant(np.float32(end)) for end in (wanted.low, wanted.high))
        return self.op.fake_quantize(real, low, high, low, high, _LEVELS)

    def convolution(self, node: ir.Node) -> Any:
        groups = node.attributes.get_int("group", 1)
        kernel = constant(node, 1)
        pads = list(node.attributes.get_ints("pads", [0, 0, 0, 0]))
        strides = list(node.attributes.get_ints("strides", [1, 1]))
        convolve = self.op.group_convolution if groups > 1 else self.op.convolution
        weight = self.weight(kernel.values, kernel.scales, groups)
        product = convolve(self.source(node), weight, strides, pads[:2], pads[2:], [1, 1])
        if len(node.inputs) < 3:
            return product
        return self.op.add(product, self.constant(constant(node, 2).real().reshape(1, -1, 1, 1)))

    def weight(self, values: NDArray[np.generic], scales: NDArray[np.float32] | None, groups: int) -> Any:
        """(O, I, h, w), or (G, O/G, I/G, h, w) for groups; int8 stays int8 in the file, float becomes float16."""
        if scales is None:
            # A row at a time: scaled channels leave rows that float16 could not hold.
            scales = np.abs(values).max((1, 2, 3)).clip(np.finfo(np.float32).tiny).astype(np.float32)
            values = (np.asarray(values, np.float32) / scales.reshape(-1, 1, 1, 1)).astype(np.float16)
        lead = (groups, values.shape[0] // groups) if groups > 1 else (values.shape[0],)
        stored = self.op.constant(np.ascontiguousarray(values.reshape(*lead, *values.shape[1:])))
        per_channel = np.broadcast_to(scales, values.shape[:1]).reshape(*lead, 1, 1, 1)
        return self.op.multiply(
            self.op.convert(stored, "f32"), self.op.constant(np.ascontiguousarray(per_channel, np.float32))
        )

    def hard_sigmoid(self, node: ir.Node) -> Any:
        ends = (node.attributes.get_float(name, default) for name, default in (("alpha", 0.2), ("beta", 0.5)))
        return self.op.hard_sigmoid(self.source(node), *(self.op.constant(np.float32(end)) for end in ends))

    def clip(self, node: ir.Node) -> Any:
        low, high = (constant(node, position).values.item() for position in (1, 2))
        return self.op.clamp(self.source(node), low, high)

    def average_pool(self, node: ir.Node) -> Any:
        strides, shape = (list(node.attributes[name].as_ints()) for name in ("strides", "kernel_shape"))
        return self.op.avg_pool(self.source(node), strides, [0, 0], [0, 0], shape, True)

    def resize(self, node: ir.Node) -> Any:
        return self.op.interpolate(
            self.source(node),
            _axes(*sizes(node.outputs[0])[2:]),
            mode="linear_onnx",
            shape_calculation_mode="sizes",
            coordinate_transformation_mode="half_pixel",
            axes=_axes(2, 3),
        )


def _is_activated_later(quantizer: ir.Node) -> bool:
    source, readers = operand(quantizer).producer(), dequantized_readers(quantizer)
    is_conv = source is not None and source.op_type == "Conv"
    return is_conv and bool(readers) and all(reader.op_type == "PRelu" for reader in readers)


def _is_quantized_alike(quantizer: ir.Node) -> bool:
    source, wanted = operand(quantizer).producer(), params(quantizer)
    if source is None or source.op_type != "Concat":
        return False
    return all(value is not None and params_of(value) == wanted for value in source.inputs)


def _axes(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)
