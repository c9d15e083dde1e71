"""Channel padding: where the channels of every tensor go when tensors are filled up to whole blocks of channels.

MLAS, ONNX Runtime's kernel library, works on 16 channels at a time. A tensor of 10 channels costs it as much as one of
16, a Concat of such tensors forces it back to the plain layout, and its int8 depthwise kernel takes what is left over
one value at a time. So channels are filled up with zeros: a convolution writes them, the next ones give them no weight.
Tensors whose channels correspond share one arrangement; a Concat's is its inputs' one behind the other.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from ghostface_edge.targets.disjoint_sets import DisjointSets
from ghostface_edge.targets.qdq import is_depthwise, is_quantizer, operand, sizes, stored

BLOCK: Final = 16
PASSING: Final = frozenset(
    {"PRelu", "Relu", "Clip", "GlobalAveragePool", "HardSigmoid", "Sigmoid", "AveragePool", "Resize"}
)
"""Operators that keep channels apart and where they are."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a tensor's channels are."""

    at: NDArray[np.int64]
    """(C,), position of each channel."""
    count: int
    """Channels with the filling."""

    def fill(self, values: NDArray[np.generic], filling: float = 0) -> NDArray[np.generic]:
        """Spread the first axis of `values` (C, ...) over the places, (count, ...)."""
        filled = np.full((self.count, *values.shape[1:]), filling, values.dtype)
        filled[self.at] = values
        return filled


class ChannelPadding:
    """Places of every 4-D tensor of a graph.

    Args:
        graph: a network's, float or quantized.
        block: channels are filled up to a multiple of it.
    """

    def __init__(self, graph: ir.Graph, block: int = BLOCK) -> None:
        self._block = block
        self._same: DisjointSets[ir.Value] = DisjointSets()
        self._joins: dict[ir.Value, tuple[ir.Value, ...]] = {}
        self._exact = set(graph.inputs)
        for node in graph:
            self._same.tie(_corresponding(node))
        for node in graph:
            if node.op_type == "Concat":
                self._joins.setdefault(self._same.root(node.outputs[0]), tuple(filter(None, node.inputs)))
            elif node.op_type == "Flatten":
                self._exact.add(operand(node))
        self._exact = {self._same.root(value) for value in self._exact}

    def places(self, tensor: ir.Value) -> Places:
        """Where the channels of a tensor (N, C, H, W) are."""
        root, channels = self._same.root(tensor), sizes(tensor)[1]
        if root in self._exact:
            return Places(np.arange(channels), channels)
        if root not in self._joins:
            return Places(np.arange(channels), -(-channels // self._block) * self._block)
        parts, start = [], 0
        for value in self._joins[root]:
            part = self.places(value)
            parts.append(part.at + start)
            start += part.count
        return Places(np.concatenate(parts), start)


def _corresponding(node: ir.Node) -> tuple[ir.Value, ...]:
    """The tensors around a node whose channels are the same ones."""
    if node.op_type in {"Add", "Mul"}:
        return (node.outputs[0], *(value for value in node.inputs if value is not None and stored(value) is None))
    if node.op_type in PASSING or is_quantizer(node) or (node.op_type == "Conv" and is_depthwise(node)):
        return (node.outputs[0], operand(node))
    return (node.outputs[0],)
