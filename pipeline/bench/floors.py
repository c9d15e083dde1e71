"""What a network would cost with cheaper activations: the floor that the handling of PReLU can come down to.

In: float32 ONNX. Out: the same graph with ReLU in place of every PReLU, or with nothing there. It computes something
else; only its speed means anything.
"""

from enum import StrEnum
from pathlib import Path

import onnx

from ghostface_edge.targets.onnx_file import read_onnx


class Floor(StrEnum):
    """What stands in the place of PReLU."""

    RELU = "relu"
    BARE = "bare"
    """Nothing: convolutions, additions and gates alone."""


def write_floor(model: Path, floor: Floor, output: Path) -> None:
    """Write the cheaper graph of a float32 ONNX model."""
    network = read_onnx(model)
    kept: list[onnx.NodeProto] = []
    renamed: dict[str, str] = {}
    for node in network.graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = renamed.get(name, name)
        if node.op_type == "PRelu" and floor is Floor.BARE:
            renamed[node.output[0]] = node.input[0]
            continue
        if node.op_type == "PRelu":
            node.op_type = "Relu"
            del node.input[1:]
        kept.append(node)
    del network.graph.node[:]
    network.graph.node.extend(kept)
    read = {name for node in kept for name in node.input}
    stored = [tensor for tensor in network.graph.initializer if tensor.name in read]
    del network.graph.initializer[:]
    network.graph.initializer.extend(stored)
    onnx.save(network, output)
