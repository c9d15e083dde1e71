"""Sizes of all tensors that an ONNX model computes, found without computing one.

ONNX's own shape inference does it, with what it does not know made known to it: integer operators of ONNX Runtime are
replaced by the standard ones whose shapes they have, and small constants that a model computes for itself, as PyTorch's
exporter writes the zeros of a Pad, are computed by ONNX's reference.
"""

import math
from collections.abc import Iterator
from typing import Any, Final, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper

from ghostface_edge.reports.errors import InputError

BATCH: Final = 32
"""Faces that a model with an open batch is given at once, at most."""
SIDE: Final = 112
MAX_ELEMENTS: Final = 2**27
"""Of one tensor: 0.5 GB of float32. GhostFaceNetV2-1.3-1 has 26 million in a batch of 32."""
MAX_ELEMENTS_TOGETHER: Final = 2**31
"""Of all tensors, which are never all there at once. GhostFaceNetV2-1.3-1 has 581 million."""
_FIX: Final = "give a network for images of a known size, in batches of 32 at most, with its shapes made constant"
_SMALL: Final = 1024
_FOLDED: Final = {
    "Add", "Cast", "Concat", "Constant", "ConstantOfShape", "Div", "Gather", "Identity", "Mul", "Reshape", "Slice",
    "Squeeze", "Sub", "Transpose", "Unsqueeze",
}  # fmt: skip
"""Operators that shapes are computed with."""


def check_sizes(model: ModelProto) -> None:
    """Refuse a model that computes a tensor of unknown or of too large a size.

    Args:
        model: checked, one input of four axes.

    Raises:
        InputError: names the first operator.
    """
    shadow = _shadow(model)
    shapes = _infer(shadow)
    if any(shape is None for shape in shapes.values()):
        _fold(shadow)
        shapes = _infer(shadow)
    together = 0
    for name, shape in shapes.items():
        if shape is None:
            raise InputError(f"the size of '{name}' cannot be told from the model", fix=_FIX)
        count = math.prod(shape)
        together += count
        if min(shape, default=0) < 0 or count > MAX_ELEMENTS or together > MAX_ELEMENTS_TOGETHER:
            raise InputError(f"computes '{name}' of shape {list(shape)}, {together:,} numbers so far", fix=_FIX)


def _shadow(model: ModelProto) -> ModelProto:
    """A model of the same shapes in standard operators, without its weights, for the largest batch it will be given."""
    stored = {tensor.name for tensor in model.graph.initializer}
    entry = ValueInfoProto()
    entry.CopyFrom(next(value for value in model.graph.input if value.name not in stored))
    for axis, size in enumerate(entry.type.tensor_type.shape.dim):
        if size.dim_value <= 0:
            size.dim_value = SIDE if axis else BATCH
    small = [tensor for tensor in model.graph.initializer if math.prod(tensor.dims) <= _SMALL]
    weights = [
        helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        for tensor in model.graph.initializer
        if math.prod(tensor.dims) > _SMALL
    ]
    outputs = [ValueInfoProto(name=value.name) for value in model.graph.output]
    nodes = [standard for node in model.graph.node for standard in _standard(node)]
    graph = helper.make_graph(nodes, "shapes", [entry, *weights], outputs, small)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _standard(node: NodeProto) -> Iterator[NodeProto]:
    """Operators of the standard whose results have the shapes of this one's."""
    if node.domain != "com.microsoft":
        yield node
        return
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    is_nhwc, kind = attributes.pop("channels_last", 0), node.op_type.removeprefix("QLinear")
    inputs, (name, *_) = list(node.input), node.output
    sources = {
        "Conv": [inputs[0], *inputs[3:4]],
        "AveragePool": inputs[:1],
        "GlobalAveragePool": inputs[:1],
        "Add": inputs[0::3][:2],
        "Mul": inputs[0::3][:2],
        "Concat": inputs[2::3],
        "Sigmoid": inputs[:1],
        "LeakyRelu": inputs[:1],
    }
    if not node.op_type.startswith("QLinear") or kind not in sources:
        raise InputError(f"'{node.name or name}' is a {node.op_type} of {node.domain}, which is not known", fix=_FIX)
    if kind in {"Sigmoid", "LeakyRelu"}:
        kind, attributes = "Identity", {}
    if is_nhwc:
        yield helper.make_node("Transpose", sources[kind][:1], [f"{name}.in"], perm=[0, 3, 1, 2])
        yield helper.make_node(kind, [f"{name}.in", *sources[kind][1:]], [f"{name}.out"], **attributes)
        yield helper.make_node("Transpose", [f"{name}.out"], [name], perm=[0, 2, 3, 1])
    else:
        yield helper.make_node(kind, sources[node.op_type.removeprefix("QLinear")], [name], **attributes)


def _infer(shadow: ModelProto) -> dict[str, tuple[int, ...] | None]:
    """Shapes of what every operator writes; None where one is not known."""
    try:
        inferred = onnx.shape_inference.infer_shapes(shadow, strict_mode=True, data_prop=True)
    except Exception as error:  # the parsers raise whatever the bytes provoke
        raise InputError(f"its tensors do not fit each other ({_first_line(error)})", fix=_FIX) from error
    known: dict[str, tuple[int, ...]] = {}
    for value in (*inferred.graph.value_info, *inferred.graph.output):
        sizes = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(size.HasField("dim_value") for size in sizes):
            known[value.name] = tuple(size.dim_value for size in sizes)
    return {name: known.get(name) for node in shadow.graph.node for name in node.output if name}


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1][:200]


def _fold(shadow: ModelProto) -> None:
    """Put small constants in the place of operators that compute them, in place."""
    values: dict[str, NDArray[np.generic]] = {
        tensor.name: numpy_helper.to_array(tensor) for tensor in shadow.graph.initializer
    }
    versions, kept = list(shadow.opset_import), []
    for node in shadow.graph.node:
        folded = _compute(node, values, versions) if node.op_type in _FOLDED and len(node.output) == 1 else None
        if folded is None:
            kept.append(node)
        else:
            values[node.output[0]] = folded
            shadow.graph.initializer.append(numpy_helper.from_array(folded, node.output[0]))
    del shadow.graph.node[:]
    shadow.graph.node.extend(kept)


def _compute(
    node: NodeProto, values: dict[str, NDArray[np.generic]], versions: list[Any]
) -> NDArray[np.generic] | None:
    """What one operator makes of small constants; None if that is not small or its inputs are computed."""
    names = [name for name in node.input if name]
    if any(name not in values for name in names):
        return None
    if node.op_type == "ConstantOfShape" and not 0 <= math.prod(map(int, values[names[0]].reshape(-1))) <= _SMALL:
        return None
    from onnx.reference import ReferenceEvaluator

    function = helper.make_function("fold", "fold", names, list(node.output), [node], versions)
    try:
        (result,) = cast(
            "list[Any]", ReferenceEvaluator(function).run(None, {name: values[name] for name in names}, {})
        )
    except Exception as error:  # the reference raises whatever the operator's inputs provoke
        raise InputError(
            f"'{node.name or node.op_type}' cannot be computed ({_first_line(error)})", fix=_FIX
        ) from error
    return np.asarray(result) if np.size(result) <= _SMALL else None
