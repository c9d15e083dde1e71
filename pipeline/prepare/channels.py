"""Channel groups: which channels of which tensors must be scaled alike for the graph to keep its function.

In: a graph. Out: a `ChannelGroups`: the group of every channel of every float tensor with channels, and the groups that
must stay as they are.

A convolution absorbs any scale at either end: of its inputs in the columns of its weights, of its outputs in their
rows. PReLU, ReLU, poolings and resizes pass a positive scale on, Concat passes it on by offset, Add ties its operands,
a multiplication with a gate passes its other operand's scale on. The graph's input and output, sigmoids, and everything
an unknown operator touches keep scale 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from ghostface_edge.pipeline.graph.canonical import constant
from ghostface_edge.targets.disjoint_sets import DisjointSets

_ACTIVATIONS = {"PRelu", "Relu", "MaxPool"}
_PASSING = _ACTIVATIONS | {"AveragePool", "GlobalAveragePool", "Resize"}
_FIXING = {"HardSigmoid", "Sigmoid", "Flatten"}
_IGNORED = {"Shape", "Constant"}


@dataclass(frozen=True, slots=True)
class ChannelGroups:
    """Channels tied together over the whole graph."""

    group: Mapping[str, NDArray[np.int64]]
    """Per tensor, (C,): the group of each channel."""
    count: int
    fixed: NDArray[np.bool_]
    """(count,): groups whose scale must stay 1."""
    unknown: tuple[str, ...]
    """`name (Op)` of nodes whose operator is not known; their channels are fixed."""


def find_groups(graph: ir.Graph, *, through_activations: bool = True) -> ChannelGroups:
    """Tie the channels of a graph with static channel counts.

    Args:
        graph: float32.
        through_activations: whether an activation ties its input to its output. It must for positive scales; whoever
            changes signs, and the slopes with them, treats the two sides apart.
    """
    channels = _Channels()
    for value in graph.inputs:
        channels.fix(channels.add(value))
    unknown, products = [], []
    for node in graph:
        if node.op_type in _IGNORED or _is_shape_arithmetic(node):
            continue
        for value in node.outputs:
            channels.add(value)
        if node.op_type in _ACTIVATIONS and not through_activations:
            continue
        if node.op_type == "Mul" and len(channels.of(node)) == 3:
            products.append(node)
        elif not _tie(channels, node):
            unknown += _fix_ends(channels, node)
    for value in graph.outputs:
        channels.fix(channels.add(value))
    for node in products:
        _tie_product(channels, node)
    return channels.groups(tuple(unknown))


def is_channelwise(node: ir.Node) -> bool:
    """Whether a PRelu has one slope per channel, or one in all."""
    slope = constant(node.inputs[1])
    return slope is not None and slope.size in {1, *slope.shape[-3:-2]}


def _tie(channels: "_Channels", node: ir.Node) -> bool:
    """Union what the operator ties; False if its channels have to be fixed."""
    ends = channels.of(node)
    match node.op_type:
        case "Conv":
            return constant(node.inputs[1]) is not None and len(ends) == 2
        case "PRelu" if not is_channelwise(node):
            return False
        case op if op in _PASSING:
            return channels.tie(ends[0], ends[-1])
        case "Add":
            return len(ends) == 3 and channels.tie(ends[0], ends[2]) and channels.tie(ends[1], ends[2])
        case "Concat" if node.attributes["axis"].as_int() == 1:
            whole = np.concatenate(ends[:-1])
            return len(ends) == len(node.inputs) + 1 and channels.tie(whole, ends[-1])
        case _:
            return False


def _fix_ends(channels: "_Channels", node: ir.Node) -> list[str]:
    """Fix every channel the node touches; name the node unless its kind is known to need that."""
    for end in channels.of(node):
        channels.fix(end)
    return [] if node.op_type in _FIXING else [f"{node.name} ({node.op_type})"]


def _tie_product(channels: "_Channels", node: ir.Node) -> None:
    """Tie a product with its factor that is no gate; a gate is a factor whose channels are all fixed."""
    first, second, product = channels.of(node)
    gate, other = (first, second) if channels.are_fixed(first) else (second, first)
    channels.fix(gate)
    if not channels.tie(other, product):
        channels.fix(other)
        channels.fix(product)


def _is_shape_arithmetic(node: ir.Node) -> bool:
    return node.outputs[0].dtype is not None and not node.outputs[0].dtype.is_floating_point()


class _Channels:
    """Numbers for the channels of all tensors, tied into groups, some of them fixed."""

    def __init__(self) -> None:
        self.count = 0
        self.tied: DisjointSets[int] = DisjointSets()
        self.fixed: set[int] = set()
        self.members: dict[str, NDArray[np.int64]] = {}

    def add(self, value: ir.Value) -> NDArray[np.int64]:
        """A tensor's channels; a tensor without a static channel axis has none."""
        name = str(value.name)
        if name not in self.members:
            shape = value.shape
            channels = shape[1] if shape is not None and len(shape) >= 2 else 0
            start, self.count = self.count, self.count + (channels if isinstance(channels, int) else 0)
            self.members[name] = np.arange(start, self.count)
        return self.members[name]

    def of(self, node: ir.Node) -> list[NDArray[np.int64]]:
        """Channels of every computed float input, then of the output."""
        values = [v for v in node.inputs if v is not None and constant(v) is None and str(v.name) in self.members]
        return [self.members[str(value.name)] for value in (*values, *node.outputs)]

    def tie(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> bool:
        if len(first) != len(second):
            return False
        for pair in zip(first.tolist(), second.tolist(), strict=True):
            self.tied.tie(pair)
        return True

    def fix(self, channels: NDArray[np.int64]) -> None:
        self.fixed.update(channels.tolist())

    def are_fixed(self, channels: NDArray[np.int64]) -> bool:
        return {self.tied.root(one) for one in channels.tolist()} <= self.fixed_roots()

    def fixed_roots(self) -> set[int]:
        return {self.tied.root(one) for one in self.fixed}

    def groups(self, unknown: tuple[str, ...]) -> ChannelGroups:
        roots = [self.tied.root(one) for one in range(self.count)]
        index = {root: rank for rank, root in enumerate(dict.fromkeys(roots))}
        ranks, fixed = np.array([index[root] for root in roots], np.int64), self.fixed_roots()
        group = {name: ranks[members] for name, members in self.members.items()}
        return ChannelGroups(group, len(index), np.array([root in fixed for root in index], np.bool_), unknown)
