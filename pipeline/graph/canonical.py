"""One form for every ONNX graph of a GhostFaceNet, whoever wrote it.

In: float32 graph with NCHW input, BatchNorm of convolutions folded. Out: the same function in the operators that
all targets lower. The last BatchNorm is folded too, no two nodes share a constant, and nodes and tensors are named
after the weights they use.

    Conv                explicit pads [top, left, bottom, right], groups 1 or all, with or without a bias
    PRelu, Relu         slopes (1, C, 1, 1)
    GlobalAveragePool, HardSigmoid(alpha, beta), Mul, Concat(axis 1), Add, Flatten(axis 1)
    AveragePool         V2: 2x2, stride 2, no padding, an odd last row or column is dropped
    Sigmoid             V2
    Resize              V2: linear, half-pixel centres, no antialias; inputs (x, "", "", sizes), sizes int64 [height,
                        width] of axes [2, 3], so that the batch may stay dynamic
"""

from collections import Counter

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from onnx_ir.passes.common import ClearMetadataAndDocStringPass, RemoveUnusedNodesPass


def canonicalize(model: ir.Model) -> None:
    """Bring an exported graph into the canonical form, in place; the function is kept."""
    graph = model.graph
    for node in tuple(graph):
        if node.op_type == "ReduceMean":
            _pool(node)
        elif node.op_type == "Clip":
            _hard_sigmoid(node)
        elif node.op_type == "BatchNormalization":
            _fold_last_norm(node)
        elif node.op_type == "AveragePool":
            _plain_average_pool(node)
        elif node.op_type == "Resize":
            _resize(node)
    for node in tuple(graph):
        if node.op_type == "Reshape":
            _flatten(node)
    RemoveUnusedNodesPass()(model)
    _own_constants(graph)
    _name(graph)
    ClearMetadataAndDocStringPass()(model)


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
    tensor = ir.tensor(np.ascontiguousarray(array), name=name)
    value = ir.Value(name=name, shape=ir.Shape(array.shape), type=ir.TensorType(tensor.dtype), const_value=tensor)
    graph.register_initializer(value)
    return value


def _pool(node: ir.Node) -> None:
    """Mean over both spatial axes."""
    axes = constant(node.inputs[1]) if len(node.inputs) > 1 else None
    if axes is not None and sorted(axes.tolist()) in ([2, 3], [-2, -1]) and _integer(node, "keepdims", 1):
        replace([node], ir.node("GlobalAveragePool", [node.inputs[0]]))


def _hard_sigmoid(clip: ir.Node) -> None:
    """clip(alpha * x + beta, 0, 1), which the exporters spell Mul, Add, Clip."""
    add = _producer(clip.inputs[0], "Add")
    mul = _producer(_operands(add)[0], "Mul") if add is not None else None
    if add is None or mul is None or [constant(value) for value in clip.inputs[1:]] != [0.0, 1.0]:
        return
    (_, beta), (gate, alpha) = _operands(add), _operands(mul)
    if alpha is not None and beta is not None and alpha.size == beta.size == 1:
        attributes = {"alpha": float(alpha.item()), "beta": float(beta.item())}
        replace([mul, add, clip], ir.node("HardSigmoid", [gate], attributes))


def _fold_last_norm(norm: ir.Node) -> None:
    """BatchNorm over the flattened embedding, folded into the convolution before the flattening."""
    flatten = norm.inputs[0].producer() if norm.inputs[0] is not None else None
    conv = flatten.inputs[0].producer() if flatten is not None and flatten.inputs[0] is not None else None
    if flatten is None or flatten.op_type not in {"Reshape", "Flatten"} or conv is None or conv.op_type != "Conv":
        return
    arrays = [constant(value) for value in norm.inputs[1:]]
    kernel, weight = conv.inputs[1], constant(conv.inputs[1])
    if kernel is None or weight is None or any(array is None for array in arrays):
        return
    gamma, beta, mean, variance = (np.asarray(array, np.float64) for array in arrays)
    epsilon = norm.attributes["epsilon"].as_float() if "epsilon" in norm.attributes else 1e-5
    scale = gamma / np.sqrt(variance + epsilon)
    bias = constant(conv.inputs[2]) if len(conv.inputs) > 2 else None
    shift = beta + ((0.0 if bias is None else np.asarray(bias, np.float64)) - mean) * scale
    assert conv.graph is not None
    inputs = [
        conv.inputs[0],
        initializer(
            conv.graph,
            f"{kernel.name}.folded",
            (np.asarray(weight, np.float64) * scale[:, None, None, None]).astype(np.float32),
        ),
        initializer(conv.graph, f"{kernel.name}.folded_bias", shift.astype(np.float32)),
    ]
    replace([conv], ir.node("Conv", inputs, conv.attributes))
    replace([flatten, norm], ir.node("Flatten", [flatten.inputs[0]], {"axis": 1}))


def _plain_average_pool(node: ir.Node) -> None:
    """Keep only what says something: without padding, how padding counts does not matter."""
    pads = node.attributes["pads"].as_ints() if "pads" in node.attributes else ()
    if not any(pads) and not _integer(node, "ceil_mode", 0):
        kept = {
            name: node.attributes[name].as_ints() for name in ("kernel_shape", "strides") if name in node.attributes
        }
        replace([node], ir.node("AveragePool", [node.inputs[0]], kept))


def _resize(node: ir.Node) -> None:
    """A resize to a size that is known but for the batch, however the size was spelled."""
    shape = node.outputs[0].shape
    mode = node.attributes["mode"].as_string() if "mode" in node.attributes else "nearest"
    centres = node.attributes.get("coordinate_transformation_mode")
    half_pixel = centres is None or centres.as_string() in {"half_pixel", "pytorch_half_pixel"}
    if shape is None or len(shape) != 4 or mode != "linear" or not half_pixel or _integer(node, "antialias", 0):
        return
    height, width = shape[2], shape[3]
    if isinstance(height, int) and isinstance(width, int) and min(height, width) > 1:
        assert node.graph is not None
        sizes = initializer(node.graph, f"{node.outputs[0].name}.sizes", np.array([height, width], np.int64))
        attributes: dict[str, str | list[int]] = {
            "mode": "linear",
            "coordinate_transformation_mode": "half_pixel",
            "axes": [2, 3],
        }
        replace([node], ir.node("Resize", [node.inputs[0], None, None, sizes], attributes))


def _flatten(node: ir.Node) -> None:
    """Reshape to (batch, -1)."""
    target = constant(node.inputs[1])
    if target is not None and target.size == 2 and target[0] in {0, -1}:
        replace([node], ir.node("Flatten", [node.inputs[0]], {"axis": 1}))


def _own_constants(graph: ir.Graph) -> None:
    """Exporters share equal constants between nodes; a rewrite of one must not touch the other."""
    taken: set[str] = set()
    for node in graph:
        for index, value in enumerate(node.inputs):
            array = constant(value)
            if value is None or array is None:
                continue
            if value.name in taken:
                node.replace_input_with(index, initializer(graph, f"{value.name}.{len(taken)}", array))
            taken.add(str(value.name))
    for name in [name for name, value in graph.initializers.items() if not value.uses()]:
        del graph.initializers[name]


def _name(graph: ir.Graph) -> None:
    """Convolutions after their weights, activations after their convolution, the rest by kind and rank."""
    ranks: Counter[str] = Counter()
    for node in graph:
        source = node.inputs[0].producer() if node.inputs[0] is not None else None
        if node.op_type == "Conv" and node.inputs[1] is not None:
            node.name = str(node.inputs[1].name).split(".conv.weight")[0].removesuffix(".weight")
        elif node.op_type in {"PRelu", "Relu"} and source is not None and source.op_type == "Conv":
            node.name = f"{source.name}.activation"
        else:
            node.name = f"{node.op_type.lower()}.{ranks[node.op_type]}"
            ranks[node.op_type] += 1
        if not node.outputs[0].is_graph_output():
            node.outputs[0].name = node.name
        for value, role in zip(node.inputs[1:], ("weight", "bias", "sizes"), strict=False):
            if value is not None and value.is_initializer():
                value.name = f"{node.name}.{role}"


def _integer(node: ir.Node, name: str, default: int) -> int:
    return node.attributes[name].as_int() if name in node.attributes else default


def _producer(value: ir.Value | None, op_type: str) -> ir.Node | None:
    node = value.producer() if value is not None else None
    return node if node is not None and node.op_type == op_type else None


def _operands(node: ir.Node) -> tuple[ir.Value | None, NDArray[np.generic] | None]:
    """Of a node with two inputs: the computed one, and the constant other."""
    first, second = node.inputs[0], node.inputs[1]
    return (first, constant(second)) if constant(first) is None else (second, constant(first))
