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
import onnx_ir as ir
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from ghostface_edge.targets.onnxruntime.channel_padding import PASSING, ChannelPadding, Places
from ghostface_edge.targets.qdq import attributes_of, constant, graph_of, is_depthwise, name_of, operand, sizes, stored

_KNOWN: Final = PASSING | {"Conv", "Concat", "Add", "Mul", "Flatten"}
Array = NDArray[np.float64]


class SignsDifferError(Exception):
    """Channels that must stand upright have changed their sign; `args` are the PReLUs that turned them."""


def to_blocked(model: ModelProto) -> ModelProto:
    """Rewrite a float32 model; one with other operators than a GhostFaceNet's comes back as it is."""
    graph = graph_of(model)
    if any(node.op_type not in _KNOWN for node in graph) or not _is_plain(graph):
        return model
    upright: frozenset[ir.Node] = frozenset()
    while True:
        try:
            return _whole(model, graph, upright)
        except SignsDifferError as conflict:
            upright |= set(conflict.args)


def with_body(model: ModelProto, nodes: list[NodeProto], constants: dict[str, TensorProto]) -> ModelProto:
    """A model with other nodes and constants; input, output and metadata stay."""
    written, old = ModelProto(), model.graph
    written.CopyFrom(model)
    body = helper.make_graph(nodes, old.name, list(old.input), list(old.output), list(constants.values()))
    written.graph.CopyFrom(body)
    return written


def _is_plain(graph: ir.Graph) -> bool:
    """Whether tensors are (N, C, H, W) up to the Flatten, and operands of arithmetic computed or single numbers."""
    for node in graph:
        shape = node.outputs[0].shape
        if shape is None or len(shape) != (2 if node.op_type == "Flatten" else 4):
            return False
        constants = filter(None, map(stored, node.inputs))
        if node.op_type in {"Add", "Mul"} and any(constant.values.size > 1 for constant in constants):
            return False
    return True


def _whole(model: ModelProto, graph: ir.Graph, upright: frozenset[ir.Node]) -> ModelProto:
    writer = BlockedWriter(ChannelPadding(graph), upright)
    writer.take(graph.inputs[0])
    for node in graph:
        writer.write(node)
    return with_body(model, writer.nodes, writer.constants)


class BlockedWriter:
    """Writes nodes of a graph in their new form, one after the other.

    Args:
        padding: where the channels of the graph's tensors go.
        upright: PReLUs whose channels must keep their sign.

    Raises:
        SignsDifferError: from any method; start again with its PReLUs upright.
    """

    def __init__(self, padding: ChannelPadding, upright: frozenset[ir.Node]) -> None:
        self.padding, self.upright = padding, upright
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}
        self.signs: dict[ir.Value, Array] = {}
        """(C,) by tensor: 1, or -1 where the new graph computes the negative."""
        self.turned: dict[ir.Value, frozenset[ir.Node]] = {}
        """By tensor: the PReLUs that its signs come from."""

    def take(self, tensor: ir.Value) -> None:
        """Note a tensor that is there already, with its channels in their places."""
        self._note(tensor, np.ones(sizes(tensor)[1]))

    def follow(self, source: ir.Value, tensor: ir.Value) -> None:
        """Note a tensor that somebody else writes, channel by channel from another."""
        self._note(tensor, self.signs[source], self.turned[source])

    def write(self, node: ir.Node) -> None:
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

    def stand_upright(self, tensor: ir.Value) -> None:
        """Insist that no channel of a tensor has changed its sign."""
        if (self.signs[tensor] < 0).any():
            raise SignsDifferError(*self.turned[tensor])

    def _convolution(self, node: ir.Node) -> None:
        written = node.outputs[0]
        readers = written.consumers()
        weight, bias = self._weights(node)
        if len(readers) == 1 and self._is_done_by_its_convolution(readers[0]):
            self._activated(node, readers[0], weight, bias)
        else:
            self._convolve(node, weight, bias, name_of(written))
            self._note(written, np.ones(len(weight)))

    def _is_done_by_its_convolution(self, node: ir.Node) -> bool:
        """Maps of one pixel keep their PReLU: there is nothing to gain."""
        source = operand(node).producer()
        if node.op_type != "PRelu" or source is None or source.op_type != "Conv":
            return False
        return sizes(node.outputs[0])[2:] != (1, 1) and len(operand(node).consumers()) == 1

    def _activated(self, node: ir.Node, prelu: ir.Node, weight: Array, bias: Array) -> None:
        slopes, written = self._slopes(prelu), prelu.outputs[0]
        name, places = name_of(written), self.padding.places(written)
        steep = slopes > 1
        if prelu in self.upright and steep.any():
            plain = self._convolve(node, weight, bias, f"{name}.plain")
            line = self._scale(plain, slopes, f"{name}.line", places)
            bent = self._scale(self._emit("Relu", [plain], f"{name}.relu"), 1 - slopes, f"{name}.bend", places)
            self._emit("Add", [bent, line], name)
            self._note(written, np.ones(len(slopes)))
            return
        turn = np.where(steep, -slopes, 1.0)
        line = self._convolve(node, weight * _column(turn), bias * turn, f"{name}.line")
        gentle = np.where(steep, 1 / np.where(steep, slopes, 1.0), slopes)
        bend = self._scale(line, gentle - 1, f"{name}.bend", places)
        self._emit("Add", [line, self._emit("Relu", [bend], f"{name}.bent")], name)
        self._note(written, np.where(steep, -1.0, 1.0), frozenset({prelu} if steep.any() else ()))

    def _scale(self, source: str, factors: Array, name: str, places: Places) -> str:
        """Multiply each channel; a depthwise convolution, since multiplications leave the blocked layout."""
        weight = self._constant(f"{name}.weight", places.fill(_column(factors)))
        return self._emit("Conv", [source, weight], name, kernel_shape=[1, 1], group=places.count)

    def _prelu(self, node: ir.Node) -> None:
        """As an operator of its own; its input must stand upright."""
        source, written = operand(node), node.outputs[0]
        self.stand_upright(source)
        slopes = self.padding.places(written).fill(self._slopes(node)).reshape(1, -1, 1, 1)
        name = name_of(written)
        self._emit("PRelu", [name_of(source), self._constant(f"{name}.slope", slopes)], name)
        self._note(written, self.signs[source])

    def _slopes(self, prelu: ir.Node) -> Array:
        slope = constant(prelu, 1)
        return np.broadcast_to(slope.real().reshape(-1), sizes(prelu.outputs[0])[1:2])

    def _weights(self, node: ir.Node) -> tuple[Array, Array]:
        """Weight (O, I/groups, h, w) for the inputs as they stand, bias (O,)."""
        values, signs = constant(node, 1).real(), self.signs[operand(node)]
        values = values * (_column(signs) if is_depthwise(node) else signs[None, :, None, None])
        return values, constant(node, 2).real() if len(node.inputs) > 2 else np.zeros(len(values))

    def _convolve(self, node: ir.Node, weight: Array, bias: Array, name: str) -> str:
        """Write a convolution with `node`'s geometry and filled-up channels."""
        into, source = self.padding.places(node.outputs[0]), self.padding.places(operand(node))
        attributes = attributes_of(node)
        filled: NDArray[np.generic] = into.fill(weight)
        if is_depthwise(node):
            attributes["group"] = into.count
        else:
            filled = np.swapaxes(source.fill(np.swapaxes(filled, 0, 1)), 0, 1)
        constants = [self._constant(f"{name}.weight", filled), self._constant(f"{name}.bias", into.fill(bias))]
        return self._emit("Conv", [name_of(operand(node)), *constants], name, **attributes)

    def _concat(self, node: ir.Node) -> None:
        parts = [part for part in node.inputs if part is not None]
        self._emit("Concat", list(map(name_of, parts)), name_of(node.outputs[0]), axis=1)
        turned: frozenset[ir.Node] = frozenset().union(*(self.turned[part] for part in parts))
        self._note(node.outputs[0], np.concatenate([self.signs[part] for part in parts]), turned)

    def _arithmetic(self, node: ir.Node) -> None:
        operands = [value for value in node.inputs if value is not None and stored(value) is None]
        signs = self.signs[operands[0]]
        turned: frozenset[ir.Node] = frozenset().union(*(self.turned[value] for value in operands))
        if node.op_type == "Mul":
            signs = np.prod([self.signs[value] for value in operands], axis=0)
        elif any((self.signs[one] != signs).any() for one in operands) or (len(operands) == 1 and (signs < 0).any()):
            raise SignsDifferError(*turned)
        self._copy(node)
        self._note(node.outputs[0], signs, turned)

    def _copy(self, node: ir.Node) -> None:
        """Operators that work channel by channel stay as they are; those that bend need upright channels."""
        source, written = operand(node), node.outputs[0]
        if node.op_type in {"Relu", "Clip", "HardSigmoid", "Sigmoid", "Flatten"}:
            self.stand_upright(source)
        inputs = []
        for value in node.inputs:
            kept = stored(value)
            inputs.append(name_of(value) if kept is None else self._constant(name_of(value), kept.values))
        self._emit(node.op_type, inputs, name_of(written), **attributes_of(node))
        if node.op_type not in {"Add", "Mul"}:
            self.follow(source, written)

    def _note(self, tensor: ir.Value, signs: Array, turned: frozenset[ir.Node] = frozenset()) -> None:
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
