"""Divides channels by factors where convolutions produce them, and multiplies them back where others consume them."""

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from ghostface_edge.pipeline.graph.canonical import constant
from ghostface_edge.pipeline.prepare.channels import ChannelGroups


def rescale(graph: ir.Graph, groups: ChannelGroups, factors: NDArray[np.float64]) -> None:
    """Divide every channel by its group's factor, in place; the function is kept.

    Args:
        graph: float32; no constant belongs to two nodes.
        groups: of this graph.
        factors: (groups.count,), positive; 1 where the group is fixed.
    """
    for node in graph:
        if node.op_type != "Conv":
            continue
        weight = np.asarray(constant(node.inputs[1]), np.float64)
        source = factors[groups.group[str(node.inputs[0].name)]] if node.inputs[0] is not None else np.ones(1)
        sink = factors[groups.group[str(node.outputs[0].name)]]
        count = node.attributes["group"].as_int() if "group" in node.attributes else 1
        # Row o of a grouped convolution reads the columns of its own share of the input channels.
        columns = source.reshape(count, -1).repeat(len(weight) // count, axis=0)
        ones = (1,) * (weight.ndim - 2)
        set_constant(node, 1, weight * columns.reshape(*columns.shape, *ones) / sink.reshape(-1, 1, *ones))
        if len(node.inputs) > 2 and node.inputs[2] is not None:
            set_constant(node, 2, np.asarray(constant(node.inputs[2]), np.float64) / sink)


def set_constant(node: ir.Node, index: int, array: NDArray[np.generic]) -> None:
    """Give a node's constant input new values, as float32."""
    value = node.inputs[index]
    assert value is not None
    value.const_value = ir.tensor(np.ascontiguousarray(array, np.float32), name=value.name)
