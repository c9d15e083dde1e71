"""Float islands in a quantized carrier, cut where only one tensor is alive.

In: a QDQ carrier and the segments that shall compute in float. Out: a carrier in which their operators have float
weights and no quantizer between them. Weights and biases are those of the integers, so nothing is needed but the file.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper

from ghostface_edge.targets.qdq import Stored
from ghostface_edge.targets.quant_params import INT8_MIN, ChannelScales, QuantParams

_FULL: Final = 255


class _QdqGraph:
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
            return Stored(self.constants[name])
        node = self.producers.get(name)
        if node is None or node.op_type != "DequantizeLinear" or node.input[0] not in self.constants:
            return None
        scale = self.constants[node.input[1]]
        params = QuantParams(float(scale), 0) if scale.ndim == 0 else ChannelScales(tuple(map(float, scale)))
        return Stored(self.constants[node.input[0]], params)

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

    def dequantized_readers(self, quantizer: NodeProto) -> list[NodeProto]:
        """The nodes that read what a QuantizeLinear writes, past DequantizeLinear."""
        return [
            reader
            for dequantizer in self.readers.get(quantizer.output[0], [])
            for reader in self.readers.get(dequantizer.output[0], [])
        ]


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive operators between two tensors that everything passes through."""

    name: str
    """The first operator's, which belongs to no other segment."""
    nodes: frozenset[str]
    """Names of the operators that compute, quantizers not among them."""
    macs: int
    """Of one face."""


def find_segments(carrier: ModelProto) -> tuple[Segment, ...]:
    """Cut a carrier wherever a single tensor is alive, but never between a convolution and its activation."""
    graph = _QdqGraph(carrier)
    computing = _computing(graph)
    last_read = {
        _value(graph, name): index for index, node in enumerate(computing) for name in _computed_inputs(graph, node)
    }
    alive: set[str] = set()
    segments: list[Segment] = []
    begun: list[NodeProto] = []
    for index, node in enumerate(computing):
        begun.append(node)
        alive |= {_value(graph, name) for name in _computed_inputs(graph, node)} | {node.output[0]}
        alive = {value for value in alive if last_read.get(value, -1) > index}
        if index == len(computing) - 1 or (alive == {node.output[0]} and not _is_activated(graph, node)):
            segments.append(_segment(graph, begun))
            begun = []
    return tuple(segments)


def free(carrier: ModelProto, floats: Collection[Segment]) -> ModelProto:
    """Let some segments compute in float; a tensor between two precisions stays on its grid."""
    graph = _QdqGraph(carrier)
    chosen: set[str] = set().union(*(segment.nodes for segment in floats))
    return _Freeing(graph, chosen).model() if chosen else carrier


def off_grid(carrier: ModelProto, freed: ModelProto) -> tuple[str, ...]:
    """Values that have a grid in a carrier and none in what `free` made of it."""
    before, after = (
        dict.fromkeys(node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear")
        for model in (carrier, freed)
    )
    return tuple(name for name in before if name not in after)


class _Freeing:
    """Writes the new carrier.

    Args:
        graph: the old one.
        chosen: names of the operators that become float.
    """

    def __init__(self, graph: _QdqGraph, chosen: Collection[str]) -> None:
        self.graph, self.chosen = graph, chosen
        self.nodes: list[NodeProto] = []
        self.constants = dict(graph.constants)
        self.renamed: dict[str, str] = {}

    def model(self) -> ModelProto:
        for node in self.graph.nodes:
            self.write(node)
        read = {name for node in self.nodes for name in node.input}
        stored = [
            numpy_helper.from_array(np.asarray(self.constants[name]), name) for name in self.constants if name in read
        ]
        old = self.graph.model
        model = onnx.ModelProto()
        model.CopyFrom(old)
        graph, ends = old.graph, (list(old.graph.input), list(old.graph.output))
        model.graph.CopyFrom(helper.make_graph(self.nodes, graph.name, *ends, stored))
        return onnx.shape_inference.infer_shapes(model)

    def write(self, node: NodeProto) -> None:
        graph = self.graph
        if node.op_type == "DequantizeLinear" and (stored := graph.stored(node.output[0])) is not None:
            if all(reader.name in self.chosen for reader in graph.readers[node.output[0]]):
                self.constants[node.output[0]] = stored.real().astype(np.float32)
                return
        elif graph.is_quantizer(node):
            quantizer = node if node.op_type == "QuantizeLinear" else graph.producers[node.input[0]]
            if self.is_dropped(quantizer):
                if node is not quantizer:
                    self.renamed[node.output[0]] = self.saturated(quantizer)
                return
        elif _is_pixel_shift(graph, node) and self.is_dropped(graph.readers[node.output[0]][0]):
            self.renamed[node.output[0]] = node.input[0]
            return
        written = onnx.NodeProto()
        written.CopyFrom(node)
        for index, name in enumerate(node.input):
            written.input[index] = self.renamed.get(name, name)
        if node.op_type == "Conv" and node.name in self.chosen and written.input[0] == graph.input:
            self.take_shift_back(node)
        self.nodes.append(written)

    def is_dropped(self, quantizer: NodeProto) -> bool:
        """Whether everything around a quantizer is float."""
        source = self.graph.producers.get(quantizer.input[0])
        readers = self.graph.dequantized_readers(quantizer)
        is_float = source is None or source.name in self.chosen or _is_pixel_shift(self.graph, source)
        return is_float and all(reader.name in self.chosen for reader in readers)

    def saturated(self, quantizer: NodeProto) -> str:
        """What a dropped quantizer's readers read: a range that ends at 0 behind a convolution was its activation."""
        source, params = quantizer.input[0], self.graph.params(quantizer)
        producer = self.graph.producers.get(source)
        name: str = self.renamed.get(source, source)
        if producer is None or producer.op_type != "Conv" or params.zero_point > INT8_MIN:
            return name
        saturated, ends = f"{name}.saturated", [f"{name}.low", f"{name}.high"]
        if _is_gate(params):
            # A HardSigmoid with alpha 1 and beta 0 would do, but OpenVINO 2026.4 computes another function.
            self.constants.update(zip(ends, (np.float32(0), np.float32(1)), strict=True))
            self.nodes.append(helper.make_node("Clip", [name, *ends], [saturated], saturated))
        else:
            self.nodes.append(helper.make_node("Relu", [name], [saturated], saturated))
        return saturated

    def take_shift_back(self, node: NodeProto) -> None:
        """A convolution that reads the pixels as the float model does needs the float model's bias."""
        shift = next(self.graph.constants[n.input[1]] for n in self.graph.nodes if _is_pixel_shift(self.graph, n))
        weight = self.constants[node.input[1]]
        shifted = self.constants[node.input[2]] + float(shift) * weight.sum(axis=(1, 2, 3))
        self.constants[node.input[2]] = shifted.astype(np.float32)


def _computing(graph: _QdqGraph) -> list[NodeProto]:
    """Nodes that compute from the faces, in order, without quantizers and the shift in front of the first."""
    sizes = {name for node in graph.nodes if node.op_type == "Resize" for name in node.input[1:]}
    return [
        node
        for node in graph.nodes
        if graph.stored(node.output[0]) is None
        and not graph.is_quantizer(node)
        and not _is_pixel_shift(graph, node)
        and node.op_type != "Shape"
        and node.output[0] not in sizes
    ]


def _computed_inputs(graph: _QdqGraph, node: NodeProto) -> list[str]:
    names = node.input[:1] if node.op_type == "Resize" else node.input
    return [name for name in names if name and graph.stored(name) is None]


def _value(graph: _QdqGraph, name: str) -> str:
    """The tensor behind its quantizers."""
    while (producer := graph.producers.get(name)) is not None and graph.is_quantizer(producer):
        name = producer.input[0]
    return name


def _is_activated(graph: _QdqGraph, node: NodeProto) -> bool:
    quantizer = graph.quantizer_behind(node)
    readers = graph.readers.get(node.output[0], []) if quantizer is None else graph.dequantized_readers(quantizer)
    return any(reader.op_type in {"PRelu", "Relu", "Flatten"} for reader in readers)


def _is_pixel_shift(graph: _QdqGraph, node: NodeProto) -> bool:
    return node.op_type == "Add" and node.input[0] == graph.input and node.input[1] in graph.constants


def _is_gate(params: QuantParams) -> bool:
    return abs(params.scale * _FULL - 1) < 1e-4


def _segment(graph: _QdqGraph, nodes: list[NodeProto]) -> Segment:
    macs = 0
    for node in nodes:
        if node.op_type == "Conv":
            stored = graph.stored(node.input[1])
            assert stored is not None
            macs += stored.values.size * int(np.prod(graph.shapes[node.output[0]][2:]))
    return Segment(nodes[0].name, frozenset(node.name for node in nodes), macs)
