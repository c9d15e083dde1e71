"""A quantized ONNX carrier as targets read it: operators between QuantizeLinear and DequantizeLinear.

In: ONNX with QDQ pairs (docs/quantization.md), or a float one, which simply has none. Out: nodes in order, what is
constant, what is on which grid, who writes and who reads what.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from ghostface_edge.targets.quant_params import QuantParams


@dataclass(frozen=True, slots=True)
class Stored:
    """A constant, float or integers with scales."""

    values: NDArray[np.generic]
    scales: NDArray[np.float32] | None
    """(), or (O,) along the first axis; None for float values."""

    def real(self) -> NDArray[np.float64]:
        """Float values, whatever is stored."""
        if self.scales is None:
            return np.asarray(self.values, np.float64)
        scales = np.asarray(self.scales, np.float64)
        shape = [-1] + [1] * (self.values.ndim - 1) if scales.size > 1 else [1] * self.values.ndim
        return np.asarray(self.values, np.float64) * scales.reshape(shape)


class QdqGraph:
    """Nodes, constants, grids and connections of one model.

    Args:
        model: ONNX with one input and one output; shapes are inferred here.
    """

    def __init__(self, model: ModelProto) -> None:
        self.model = onnx.shape_inference.infer_shapes(model, data_prop=True)
        graph = self.model.graph
        self.nodes: list[NodeProto] = list(graph.node)
        self.input, self.output = graph.input[0].name, graph.output[0].name
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self.producers = {name: node for node in self.nodes for name in node.output}
        self.readers: dict[str, list[NodeProto]] = {}
        for node in self.nodes:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        values = [*graph.value_info, *graph.output, *graph.input]
        self.shapes = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in values}
        """By tensor; an unknown or dynamic size is 0."""

    def attributes(self, node: NodeProto) -> dict[str, Any]:
        """A node's attributes by name."""
        return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}

    def stored(self, name: str) -> Stored | None:
        """The constant behind a name, also through DequantizeLinear; None for anything computed."""
        if name in self.constants:
            return Stored(self.constants[name], None)
        node = self.producers.get(name)
        if node is None or node.op_type != "DequantizeLinear" or node.input[0] not in self.constants:
            return None
        return Stored(self.constants[node.input[0]], self.constants[node.input[1]])

    def is_quantizer(self, node: NodeProto) -> bool:
        """Whether a node puts a computed tensor on a grid, or takes it off one."""
        return node.op_type in {"QuantizeLinear", "DequantizeLinear"} and node.input[0] not in self.constants

    def params(self, quantizer: NodeProto) -> QuantParams:
        """What a QuantizeLinear or DequantizeLinear of an activation says."""
        scale, zero_point = (self.constants[name] for name in quantizer.input[1:3])
        return QuantParams.from_onnx(scale, zero_point)

    def quantizer_behind(self, node: NodeProto) -> NodeProto | None:
        """The QuantizeLinear that is all that reads a node."""
        readers = self.readers.get(node.output[0], [])
        return readers[0] if len(readers) == 1 and readers[0].op_type == "QuantizeLinear" else None

    def params_of(self, name: str) -> QuantParams | None:
        """How a computed tensor is quantized, where a DequantizeLinear writes it."""
        node = self.producers.get(name)
        return self.params(node) if node is not None and self.is_quantizer(node) else None

    def dequantized_readers(self, quantizer: NodeProto) -> list[NodeProto]:
        """The nodes that read what a QuantizeLinear writes, past DequantizeLinear."""
        return [
            reader
            for dequantizer in self.readers.get(quantizer.output[0], [])
            for reader in self.readers.get(dequantizer.output[0], [])
        ]

    def is_depthwise(self, node: NodeProto) -> bool:
        """Whether a Conv has one filter per channel."""
        weight = self.stored(node.input[1])
        groups = self.attributes(node).get("group", 1)
        return weight is not None and groups == weight.values.shape[0] > 1 and weight.values.shape[1] == 1
