"""The one form of every ONNX graph of a GhostFaceNet, and the small tools that rewrites of it share.

Float32, NCHW, opset 18, every BatchNorm folded, no constant shared by two nodes, nodes and tensors named after the
weights they use. `emit` writes it, and these are all the operators that targets and rewrites have to know:

    Conv                explicit pads [top, left, bottom, right], groups 1 or all, with or without a bias
    PRelu, Relu         slopes (1, C, 1, 1)
    GlobalAveragePool, HardSigmoid(alpha, beta), Mul, Concat(axis 1), Add, Flatten(axis 1)
    AveragePool         V2: 2x2, stride 2, no padding, an odd last row or column is dropped
    Sigmoid             V2
    Resize              V2: linear, half-pixel centres, no antialias; inputs (x, "", "", sizes), sizes int64 [height,
                        width] of axes [2, 3], so that the batch may stay dynamic

An Add of one constant right behind the input occurs where a checkpoint wants another mean than 127.5.
"""

from collections import Counter

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray


class Canonicalize(ir.passes.InPlacePass):
    """Name nodes and tensors.

    Convolutions are named after their weights, activations after their convolution, the rest by kind and rank.
    """

    def requires(self, model: ir.Model) -> None:
        """No constant is shared, since it is named after the node that reads it."""
        shared = [value.name for value in model.graph.initializers.values() if len(value.uses()) > 1]
        if shared:
            raise ir.passes.PreconditionError(f"{shared} belong to several nodes")

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Always counts as a modification."""
        ranks: Counter[str] = Counter()
        for node in model.graph:
            source = node.inputs[0].producer() if node.inputs[0] is not None else None
            if node.op_type == "Conv" and node.inputs[1] is not None:
                node.name = str(node.inputs[1].name).removesuffix(".conv.weight")
            elif node.op_type in {"PRelu", "Relu"} and source is not None:
                node.name = f"{source.name}.activation"
            else:
                node.name = f"{node.op_type.lower()}.{ranks[node.op_type]}"
                ranks[node.op_type] += 1
            if not node.outputs[0].is_graph_output():
                node.outputs[0].name = node.name
            for value, role in zip(node.inputs[1:], ("weight", "bias", "sizes"), strict=False):
                if value is not None and value.is_initializer():
                    value.name = f"{node.name}.{role}"
        return ir.passes.PassResult(model, modified=True)

    def ensures(self, model: ir.Model) -> None:
        """Every node has a name of its own."""
        names = [node.name for node in model.graph]
        if len(set(names)) < len(names):
            raise ir.passes.PostconditionError("two nodes have one name")


def constant(value: ir.Value | None) -> NDArray[np.generic] | None:
    """The array behind a constant value, None for anything computed."""
    if value is None or value.const_value is None:
        return None
    array: NDArray[np.generic] = value.const_value.numpy()
    return array


def replace(old: list[ir.Node], new: ir.Node) -> None:
    """Put `new` in the place of a chain of nodes; its output takes over the chain's last one."""
    last = old[-1]
    new.outputs[0].shape, new.outputs[0].type = last.outputs[0].shape, last.outputs[0].type
    assert last.graph is not None
    ir.convenience.replace_nodes_and_values(last.graph, last, old, [new], [last.outputs[0]], [new.outputs[0]])


def initializer(graph: ir.Graph, name: str, array: NDArray[np.generic]) -> ir.Value:
    """Add a constant to the graph."""
    tensor = ir.tensor(np.array(array, order="C"), name=name)
    value = ir.Value(name=name, shape=ir.Shape(array.shape), type=ir.TensorType(tensor.dtype), const_value=tensor)
    graph.register_initializer(value)
    return value
