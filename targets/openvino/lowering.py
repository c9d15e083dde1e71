"""A quantized carrier to an OpenVINO model.

Each QDQ pair becomes one FakeQuantize; OpenVINO's own conversion keeps five operators for it, and computes biases
from integers at load time, which doubles the `.xml`. Two kinds of pairs are left out:

- between a convolution and its PReLU: with it the PReLU is an operator of its own, without it the convolution does it
  in float on its accumulators, before it rounds once to the PReLU's grid;
- behind a Concat of tensors that are on the grid already, where it changes nothing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.qdq import QdqGraph

_LEVELS: Final = 256


def lower(carrier: Path) -> Any:
    """Build the `openvino.Model` of a carrier; input and output keep their names, the batch is dynamic.

    Raises:
        InputError: not an ONNX model.
        ToolError: an operator that no rule knows.
    """
    try:
        model = onnx.load(carrier)
    except Exception as error:
        raise InputError(f"{carrier}: not a readable ONNX model ({error})", fix="give an .onnx file") from error
    return _Lowering(QdqGraph(model)).model()


class _Lowering:
    """Nodes of the OpenVINO model by the ONNX tensor they compute."""

    def __init__(self, graph: QdqGraph) -> None:
        from openvino import opset13

        self.graph, self.op = graph, opset13
        self.nodes: dict[str, Any] = {}
        self.rules: dict[str, Callable[[NodeProto, dict[str, Any]], Any]] = {
            "QuantizeLinear": self.quantize,
            "DequantizeLinear": lambda node, _: self.value(node.input[0]),
            "Conv": self.convolution,
            "PRelu": lambda node, _: self.op.prelu(self.value(node.input[0]), self.row(node.input[1])),
            "Relu": lambda node, _: self.op.relu(self.value(node.input[0])),
            "Sigmoid": lambda node, _: self.op.sigmoid(self.value(node.input[0])),
            "HardSigmoid": self.hard_sigmoid,
            "Clip": self.clip,
            "Add": lambda node, _: self.op.add(*map(self.value, node.input)),
            "Mul": lambda node, _: self.op.multiply(*map(self.value, node.input)),
            "Concat": lambda node, attributes: self.op.concat([*map(self.value, node.input)], attributes["axis"]),
            "GlobalAveragePool": lambda node, _: self.op.reduce_mean(self.value(node.input[0]), _axes(2, 3), True),
            "AveragePool": self.average_pool,
            "Resize": self.resize,
            "Flatten": lambda node, _: self.op.reshape(self.value(node.input[0]), _axes(0, -1), True),
        }

    def model(self) -> Any:
        import openvino

        graph = self.graph
        shape = openvino.PartialShape([-1, *graph.shapes[graph.input][1:]])
        faces = self.op.parameter(shape, np.float32, name=graph.input)
        faces.output(0).get_tensor().set_names({graph.input})
        self.nodes[graph.input] = faces
        sizes = {name for node in graph.nodes if node.op_type == "Resize" for name in node.input[3:]}
        for node in graph.nodes:
            if node.op_type == "Shape" or node.output[0] in sizes or graph.stored(node.output[0]) is not None:
                continue
            rule = self.rules.get(node.op_type)
            if rule is None:
                raise ToolError(
                    f"{node.op_type} '{node.name}' has no rule for OpenVINO",
                    fix="quantize a GhostFaceNet exported by `ghostface-edge export`",
                )
            built = rule(node, graph.attributes(node))
            if built is not self.nodes.get(node.input[0]):
                built.set_friendly_name(node.name or node.output[0])
            self.nodes[node.output[0]] = built
        embeddings = self.nodes[graph.output]
        embeddings.output(0).get_tensor().set_names({graph.output})
        return openvino.Model([self.op.result(embeddings)], [faces], "ghostface")

    def value(self, name: str) -> Any:
        """A tensor, computed or constant."""
        if name in self.nodes:
            return self.nodes[name]
        stored = self.graph.stored(name)
        assert stored is not None
        return self.op.constant(stored.real().astype(np.float32))

    def row(self, name: str) -> Any:
        """Slopes as (C,)."""
        stored = self.graph.stored(name)
        assert stored is not None
        return self.op.constant(stored.real().reshape(-1).astype(np.float32))

    def quantize(self, node: NodeProto, _attributes: dict[str, Any]) -> Any:
        real = self.value(node.input[0])
        if self._is_activated_later(node) or self._is_quantized_alike(node):
            return real
        params = self.graph.params(node)
        low, high = (self.op.constant(np.float32(end)) for end in (params.low, params.high))
        return self.op.fake_quantize(real, low, high, low, high, _LEVELS)

    def _is_activated_later(self, node: NodeProto) -> bool:
        source, readers = self.graph.producers.get(node.input[0]), self.graph.dequantized_readers(node)
        is_conv = source is not None and source.op_type == "Conv"
        return is_conv and bool(readers) and all(reader.op_type == "PRelu" for reader in readers)

    def _is_quantized_alike(self, node: NodeProto) -> bool:
        source, params = self.graph.producers.get(node.input[0]), self.graph.params(node)
        if source is None or source.op_type != "Concat":
            return False
        return all(self.graph.params_of(name) == params for name in source.input)

    def convolution(self, node: NodeProto, attributes: dict[str, Any]) -> Any:
        stored = self.graph.stored(node.input[1])
        assert stored is not None
        groups = attributes.get("group", 1)
        weight = self.weight(stored.values, stored.scales, groups)
        pads = attributes.get("pads", [0, 0, 0, 0])
        convolve = self.op.group_convolution if groups > 1 else self.op.convolution
        strides = attributes.get("strides", [1, 1])
        product = convolve(self.value(node.input[0]), weight, strides, pads[:2], pads[2:], [1, 1])
        bias = self.graph.stored(node.input[2]) if len(node.input) > 2 else None
        if bias is None:
            return product
        return self.op.add(product, self.op.constant(bias.real().reshape(1, -1, 1, 1).astype(np.float32)))

    def weight(self, values: NDArray[np.generic], scales: NDArray[np.float32] | None, groups: int) -> Any:
        """(O, I, h, w), or (G, O/G, I/G, h, w) for groups; int8 stays int8 in the file, float becomes float16."""
        if scales is None:
            # A row at a time: scaled channels leave rows that float16 could not hold.
            scales = np.abs(values).max((1, 2, 3)).clip(np.finfo(np.float32).tiny).astype(np.float32)
            values = (np.asarray(values, np.float32) / scales.reshape(-1, 1, 1, 1)).astype(np.float16)
        lead = (groups, values.shape[0] // groups) if groups > 1 else (values.shape[0],)
        stored = self.op.constant(np.ascontiguousarray(values.reshape(*lead, *values.shape[1:])))
        per_channel = np.broadcast_to(scales.reshape(-1), values.shape[:1]).reshape(*lead, 1, 1, 1)
        return self.op.multiply(
            self.op.convert(stored, "f32"), self.op.constant(np.ascontiguousarray(per_channel, np.float32))
        )

    def hard_sigmoid(self, node: NodeProto, attributes: dict[str, Any]) -> Any:
        alpha, beta = (
            self.op.constant(np.float32(attributes.get(name, default)))
            for name, default in (("alpha", 0.2), ("beta", 0.5))
        )
        return self.op.hard_sigmoid(self.value(node.input[0]), alpha, beta)

    def clip(self, node: NodeProto, _attributes: dict[str, Any]) -> Any:
        low, high = (float(self.graph.constants[name]) for name in node.input[1:3])
        return self.op.clamp(self.value(node.input[0]), low, high)

    def average_pool(self, node: NodeProto, attributes: dict[str, Any]) -> Any:
        return self.op.avg_pool(
            self.value(node.input[0]), attributes["strides"], [0, 0], [0, 0], attributes["kernel_shape"], True
        )

    def resize(self, node: NodeProto, _attributes: dict[str, Any]) -> Any:
        height, width = self.graph.shapes[node.output[0]][2:]
        return self.op.interpolate(
            self.value(node.input[0]),
            _axes(height, width),
            mode="linear_onnx",
            shape_calculation_mode="sizes",
            coordinate_transformation_mode="half_pixel",
            axes=_axes(2, 3),
        )


def _axes(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)
