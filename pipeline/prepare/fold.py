"""BatchNorm folded into the convolution before it, wherever a graph still has one."""

import numpy as np
import onnx_ir as ir

from ghostface_edge.pipeline.graph.canonical import constant, initializer, replace


class FoldBatchNorms(ir.passes.InPlacePass):
    """Fold every BatchNorm that is the only reader of a convolution."""

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Others stay as they are."""
        modified = False
        while found := _foldable(model.graph):
            modified = True
            for conv, norm in found:
                _fold(model.graph, conv, norm)
        return ir.passes.PassResult(model, modified)

    def ensures(self, model: ir.Model) -> None:
        """None is left that could be folded."""
        require_folded(model)


def require_folded(model: ir.Model) -> None:
    """Raise PreconditionError for a BatchNorm that could be folded: whatever it touches keeps its scale."""
    for _, norm in _foldable(model.graph):
        raise ir.passes.PreconditionError(f"{norm.name} is not folded")


def _foldable(graph: ir.Graph) -> list[tuple[ir.Node, ir.Node]]:
    """Convolutions, each with the BatchNorm behind it."""
    found = []
    for norm in graph:
        conv = norm.inputs[0].producer() if norm.op_type == "BatchNormalization" and norm.inputs[0] else None
        if conv is None or conv.op_type != "Conv" or conv.outputs[0].is_graph_output():
            continue
        constants = (*conv.inputs[1:], *norm.inputs[1:])
        if len(conv.outputs[0].uses()) == 1 and all(constant(value) is not None for value in constants):
            found.append((conv, norm))
    return found


def _fold(graph: ir.Graph, conv: ir.Node, norm: ir.Node) -> None:
    gamma, beta, mean, variance = (np.asarray(constant(value), np.float64) for value in norm.inputs[1:])
    epsilon = norm.attributes["epsilon"].as_float() if "epsilon" in norm.attributes else 1e-5
    scale = gamma / np.sqrt(variance + epsilon)
    weight = np.asarray(constant(conv.inputs[1]), np.float64)
    bias = np.asarray(constant(conv.inputs[2]), np.float64) if len(conv.inputs) > 2 else np.zeros(len(weight))
    rows = scale.reshape(-1, *[1] * (weight.ndim - 1))
    inputs = [
        conv.inputs[0],
        initializer(graph, f"{conv.name}.weight.folded", (weight * rows).astype(np.float32)),
        initializer(graph, f"{conv.name}.bias.folded", ((bias - mean) * scale + beta).astype(np.float32)),
    ]
    replace([conv, norm], ir.node("Conv", inputs, conv.attributes, name=conv.name))
