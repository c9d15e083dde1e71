"""Folds BatchNorm into the convolution before it, wherever a graph still has one."""

import numpy as np
import onnx_ir as ir

from ghostface_edge.pipeline.graph.canonical import constant, initializer, replace


def fold_batch_norms(graph: ir.Graph) -> tuple[str, ...]:
    """Fold every BatchNorm that is the only reader of a convolution, in place.

    Returns:
        `name (BatchNormalization)` of those that could not be folded.
    """
    left = []
    for node in tuple(graph):
        if node.op_type != "BatchNormalization":
            continue
        conv = node.inputs[0].producer() if node.inputs[0] is not None else None
        if conv is None or not _foldable(conv, node):
            left.append(f"{node.name} (BatchNormalization)")
            continue
        _fold(graph, conv, node)
    return tuple(left)


def _foldable(conv: ir.Node, norm: ir.Node) -> bool:
    alone = len(tuple(conv.outputs[0].uses())) == 1 and not conv.outputs[0].is_graph_output()
    constants = [*conv.inputs[1:], *norm.inputs[1:]]
    return conv.op_type == "Conv" and alone and all(constant(value) is not None for value in constants)


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
