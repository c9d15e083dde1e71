"""Float32 graphs in the form that ONNX Runtime's blocked kernels take from end to end; the function is kept.

In: float32 ONNX of a GhostFaceNet. Out: the same function, in operators that its NCHWc layout knows.
What is in the way there is PReLU (a third of the time, and a change of layout on both sides of it) and channels that do
not fill blocks. PReLU with slopes a <= 1 at y becomes y + relu((a - 1) y), the factor a 1x1 depthwise convolution that
takes the ReLU into its kernel. Where a > 1 the channel changes its sign, which the convolutions after it take back:
PReLU with slope a at y is minus PReLU with slope 1/a at -a y. Where an Add does not let it, a y + (1 - a) relu(y).
Source of the forms: measurements in docs/decisions/0010-onnxruntime-speed.md.
"""

from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from ghostface_edge.targets.onnxruntime.channels import PASSING, ChannelPlan
from ghostface_edge.targets.qdq import QdqGraph

_KNOWN: Final = PASSING | {"Conv", "Concat", "Add", "Mul", "Flatten"}
Array = NDArray[np.float64]


class SignsDifferError(Exception):
    """Channels that must stand upright have changed their sign; `args` are the PReLUs that turned them."""


def to_blocked(model: ModelProto) -> ModelProto:
    """Rewrite a float32 model; one with other operators than a GhostFaceNet's comes back as it is."""
    graph = QdqGraph(model)
    if any(node.op_type not in _KNOWN for node in graph.nodes) or not _is_plain(graph):
        return model
    upright: frozenset[str] = frozenset()
    while True:
        try:
            return _whole(graph, upright)
        except SignsDifferError as conflict:
            upright |= set(conflict.args)


def _is_plain(graph: QdqGraph) -> bool:
    """Whether tensors are (N, C, H, W) up to the Flatten, and operands of arithmetic computed or single numbers."""
    for node in graph.nodes:
        rank = len(graph.shapes.get(node.output[0], ()))
        if rank != (2 if node.op_type == "Flatten" else 4):
            return False
        if node.op_type in {"Add", "Mul"} and any(
            (stored := graph.stored(name)) is not None and stored.values.size > 1 for name in node.input
        ):
            return False
    return True


def _whole(graph: QdqGraph, upright: frozenset[str]) -> ModelProto:
    writer = BlockedWriter(graph, ChannelPlan(graph), upright)
    writer.take(graph.input)
    for node in graph.nodes:
        writer.write(node)
    model = onnx.ModelProto()
    model.CopyFrom(graph.model)
    body = helper.make_graph(
        writer.nodes,
        graph.model.graph.name,
        list(graph.model.graph.input),
        list(graph.model.graph.output),
        list(writer.constants.values()),
    )
    model.graph.CopyFrom(body)
    return model


class BlockedWriter:
    """Writes nodes of a graph in their new form, one after the other.

    Args:
        graph: the old one.
        plan: where its channels go.
        upright: PReLUs whose channels must keep their sign.

    Raises:
        SignsDifferError: from any method; start again with its PReLUs upright.
    """

    def __init__(self, graph: QdqGraph, plan: ChannelPlan, upright: frozenset[str]) -> None:
        self.graph, self.upright, self.plan = graph, upright, plan
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.signs: dict[str, Array] = {}
        """(C,) by tensor: 1, or -1 where the new graph computes the negative."""
        self.turned: dict[str, frozenset[str]] = {}
        """By tensor: the PReLUs that its signs come from."""

    def take(self, tensor: str) -> None:
        """Note a tensor that is there already, with its channels in their places."""
        self._note(tensor, np.ones(self.graph.shapes[tensor][1]))

    def follow(self, source: str, tensor: str) -> None:
        """Note a tensor that somebody else writes, channel by channel from another."""
        self._note(tensor, self.signs[source], self.turned[source])

    def write(self, node: NodeProto) -> None:
        """Write one node, whose inputs must have been written or taken."""
        match node.op_type:
            case "Conv":
                self._convolution(node)
            case "PRelu":
                if not self._is_done_by_its_convolution(node):
                    self._prelu(node)
            case "Concat":
                self._concat(node)
            case "Add" | "Mul":
                self._arithmetic(node)
            case _:
                self._copy(node)

    def stand_upright(self, tensor: str) -> None:
        """Insist that no channel of a tensor has changed its sign."""
        if (self.signs[tensor] < 0).any():
            raise SignsDifferError(*self.turned[tensor])

    def _convolution(self, node: NodeProto) -> None:
        readers = self.graph.readers.get(node.output[0], [])
        weight, bias = self._weights(node)
        if len(readers) == 1 and self._is_done_by_its_convolution(readers[0]):
            self._activated(node, readers[0], weight, bias)
        else:
            self._convolve(node, weight, bias, node.output[0])
            self._note(node.output[0], np.ones(len(weight)))

    def _is_done_by_its_convolution(self, node: NodeProto) -> bool:
        """Maps of one pixel keep their PReLU: there is nothing to gain."""
        source = self.graph.producers.get(node.input[0])
        if node.op_type != "PRelu" or source is None or source.op_type != "Conv":
            return False
        is_map = self.graph.shapes[node.output[0]][2:] != [1, 1]
        return is_map and len(self.graph.readers[node.input[0]]) == 1

    def _activated(self, node: NodeProto, prelu: NodeProto, weight: Array, bias: Array) -> None:
        slopes, name = self._slopes(prelu), prelu.output[0]
        steep = slopes > 1
        if prelu.name in self.upright and steep.any():
            plain = self._convolve(node, weight, bias, f"{name}.plain")
            line = self._scale(plain, slopes, f"{name}.line")
            bent = self._scale(self._emit("Relu", [plain], f"{name}.relu"), 1 - slopes, f"{name}.bend")
            self._emit("Add", [bent, line], name)
            self._note(name, np.ones(len(slopes)))
            return
        turn = np.where(steep, -slopes, 1.0)
        line = self._convolve(node, weight * _column(turn), bias * turn, f"{name}.line")
        gentle = np.where(steep, 1 / np.where(steep, slopes, 1.0), slopes)
        bend = self._scale(line, gentle - 1, f"{name}.bend")
        self._emit("Add", [line, self._emit("Relu", [bend], f"{name}.bent")], name)
        self._note(name, np.where(steep, -1.0, 1.0), frozenset({prelu.name} if steep.any() else ()))

    def _scale(self, source: str, factors: Array, name: str) -> str:
        """Multiply each channel; a depthwise convolution, since multiplications leave the blocked layout."""
        places = self.plan.places(name.rpartition(".")[0])
        weight = self._constant(f"{name}.weight", places.fill(_column(factors)))
        return self._emit("Conv", [source, weight], name, kernel_shape=[1, 1], group=places.count)

    def _prelu(self, node: NodeProto) -> None:
        """As an operator of its own; its input must stand upright."""
        source, name = node.input[0], node.output[0]
        self.stand_upright(source)
        slopes = self.plan.places(name).fill(self._slopes(node)).reshape(1, -1, 1, 1)
        self._emit("PRelu", [source, self._constant(f"{name}.slope", slopes)], name)
        self._note(name, self.signs[source])

    def _slopes(self, prelu: NodeProto) -> Array:
        stored = self.graph.stored(prelu.input[1])
        assert stored is not None
        return np.broadcast_to(stored.real().reshape(-1), self.graph.shapes[prelu.output[0]][1:2])

    def _weights(self, node: NodeProto) -> tuple[Array, Array]:
        """Weight (O, I/groups, h, w) for the inputs as they stand, bias (O,)."""
        weight, bias = self.graph.stored(node.input[1]), None
        assert weight is not None
        if len(node.input) > 2:
            bias = self.graph.stored(node.input[2])
        values, signs = weight.real(), self.signs[node.input[0]]
        values = values * (_column(signs) if self.graph.is_depthwise(node) else signs[None, :, None, None])
        return values, bias.real() if bias is not None else np.zeros(len(values))

    def _convolve(self, node: NodeProto, weight: Array, bias: Array, name: str) -> str:
        """Write a convolution with `node`'s geometry and filled-up channels."""
        into, source = self.plan.places(node.output[0]), self.plan.places(node.input[0])
        attributes = self.graph.attributes(node)
        filled: NDArray[np.generic] = into.fill(weight)
        if self.graph.is_depthwise(node):
            attributes["group"] = into.count
        else:
            filled = np.swapaxes(source.fill(np.swapaxes(filled, 0, 1)), 0, 1)
        constants = [self._constant(f"{name}.weight", filled), self._constant(f"{name}.bias", into.fill(bias))]
        return self._emit("Conv", [node.input[0], *constants], name, **attributes)

    def _concat(self, node: NodeProto) -> None:
        signs = np.concatenate([self.signs[part] for part in node.input])
        self._emit("Concat", list(node.input), node.output[0], axis=1)
        self._note(node.output[0], signs, frozenset().union(*(self.turned[part] for part in node.input)))

    def _arithmetic(self, node: NodeProto) -> None:
        operands = [name for name in node.input if self.graph.stored(name) is None]
        signs = self.signs[operands[0]]
        turned: frozenset[str] = frozenset().union(*(self.turned[name] for name in operands))
        if node.op_type == "Mul":
            signs = np.prod([self.signs[name] for name in operands], axis=0)
        elif any((self.signs[name] != signs).any() for name in operands) or (len(operands) == 1 and (signs < 0).any()):
            raise SignsDifferError(*turned)
        self._copy(node)
        self._note(node.output[0], signs, turned)

    def _copy(self, node: NodeProto) -> None:
        """Operators that work channel by channel stay as they are; those that bend need upright channels."""
        source = node.input[0]
        if node.op_type in {"Relu", "Clip", "HardSigmoid", "Sigmoid", "Flatten"}:
            self.stand_upright(source)
        inputs = []
        for name in node.input:
            stored = self.graph.stored(name) if name else None
            inputs.append(name if stored is None else self._constant(name, stored.values))
        self._emit(node.op_type, inputs, node.output[0], **self.graph.attributes(node))
        if node.op_type not in {"Add", "Mul"}:
            self._note(node.output[0], self.signs[source], self.turned[source])

    def _note(self, tensor: str, signs: Array, turned: frozenset[str] = frozenset()) -> None:
        self.signs[tensor], self.turned[tensor] = signs, turned

    def _emit(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def _constant(self, name: str, values: NDArray[np.generic]) -> str:
        array = values.astype(np.float32) if values.dtype == np.float64 else values
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name


def _column(values: Array) -> Array:
    return values[:, None, None, None]
