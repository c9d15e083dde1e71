"""Where the channels of every tensor go when tensors are filled up to whole blocks of channels.

MLAS, ONNX Runtime's kernel library, works on 16 channels at a time. A tensor of 10 channels costs it as much as one of
16, a Concat of such tensors forces it back to the plain layout, and its int8 depthwise kernel takes what is left over
one value at a time. So channels are filled up with zeros: a convolution writes them, the next ones give them no weight.
Tensors whose channels correspond share one arrangement; a Concat's is its inputs' one behind the other.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from ghostface_edge.targets.qdq import QdqGraph

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


class ChannelPlan:
    """Places of every 4-D tensor of a graph.

    Args:
        graph: a network's, float or quantized.
        block: channels are filled up to a multiple of it.
    """

    def __init__(self, graph: QdqGraph, block: int = BLOCK) -> None:
        self._graph, self._block = graph, block
        self._parent: dict[str, str] = {}
        self._joins: dict[str, tuple[str, ...]] = {}
        self._exact: set[str] = set()
        for node in graph.nodes:
            self._tie(*self._corresponding(node))
        for node in graph.nodes:
            if node.op_type == "Concat":
                self._joins.setdefault(self._root(node.output[0]), tuple(node.input))
            elif node.op_type == "Flatten":
                self._exact.add(self._root(node.input[0]))
        self._exact.add(self._root(graph.input))

    def places(self, tensor: str) -> Places:
        """Where the channels of a tensor (N, C, H, W) are."""
        root, channels = self._root(tensor), self._graph.shapes[tensor][1]
        if root in self._exact:
            return Places(np.arange(channels), channels)
        if root not in self._joins:
            return Places(np.arange(channels), -(-channels // self._block) * self._block)
        parts, start = [], 0
        for name in self._joins[root]:
            part = self.places(name)
            parts.append(part.at + start)
            start += part.count
        return Places(np.concatenate(parts), start)

    def _corresponding(self, node: NodeProto) -> tuple[str, ...]:
        """The tensors around a node whose channels are the same ones."""
        graph, kind = self._graph, node.op_type
        if kind in {"Add", "Mul"}:
            return (node.output[0], *(name for name in node.input if graph.stored(name) is None))
        if kind in PASSING or graph.is_quantizer(node) or (kind == "Conv" and graph.is_depthwise(node)):
            return (node.output[0], node.input[0])
        return ()

    def _root(self, name: str) -> str:
        while (parent := self._parent.get(name, name)) != name:
            name = parent
        return name

    def _tie(self, *names: str) -> None:
        for name in names[1:]:
            self._parent[self._root(name)] = self._root(names[0])
