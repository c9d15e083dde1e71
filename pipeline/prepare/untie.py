"""A ghost module's own channel scales, where what it gives has to have those of a residual sum.

The first convolution of a ghost module without activation is read twice: as half of the output, which is added to a
shortcut, so that its channels have the scales of the whole chain of sums; and by the cheap convolution, for which they
are the wrong ones. A channel that is weak in the sum and strong in what the cheap convolution makes of it is rounded
to a handful of steps. One more depthwise 1 x 1 convolution in front of the sum takes any scale to any other: then only
what the sum itself needs ties the first convolution's channels no longer.
Measured in docs/decisions/0043-untied-ghosts.md: a third of what INT8 took from the official network.
"""

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from ghostface_edge.pipeline.graph.canonical import constant, initializer
from ghostface_edge.pipeline.prepare.fold import require_folded


class UntieGhosts(ir.passes.InPlacePass):
    """Between every convolution that a Concat and another convolution read, and this Concat: a depthwise identity."""

    def requires(self, model: ir.Model) -> None:
        """BatchNorms are folded: nothing else stands behind a convolution."""
        require_folded(model)

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Insert them."""
        tied = [node for node in model.graph if node.op_type == "Conv" and _is_read_by_both(node.outputs[0])]
        weights = [(node, weight) for node in tied if (weight := constant(node.inputs[1])) is not None]
        for node, weight in weights:
            _untie(model.graph, node, np.ones((len(weight), *[1] * (weight.ndim - 1)), np.float32))
        return ir.passes.PassResult(model, modified=bool(weights))


def _is_read_by_both(value: ir.Value) -> bool:
    return {"Concat", "Conv"} <= {node.op_type for node, _ in value.uses()}


def _untie(graph: ir.Graph, node: ir.Node, ones: NDArray[np.float32]) -> None:
    value, name, channels = node.outputs[0], f"{node.name}.rescaled", len(ones)
    zeros = np.zeros(channels, np.float32)
    inputs = [value, initializer(graph, f"{name}.weight", ones), initializer(graph, f"{name}.bias", zeros)]
    sides = ones.ndim - 2
    attributes: dict[str, int | list[int]] = {
        "kernel_shape": [1] * sides,
        "strides": [1] * sides,
        "pads": [0] * (2 * sides),
        "group": channels,
    }
    identity = ir.node("Conv", inputs, attributes, name=name)
    (output,) = identity.outputs
    output.name, output.shape, output.type = name, value.shape, value.type
    for reader, place in value.uses():
        if reader.op_type == "Concat":
            reader.replace_input_with(place, output)
    graph.insert_after(node, identity)
