"""What targets read off and do to ONNX files: interface, operators, MACs by precision, half-precision weights."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.protocol import ArtifactInfo, Layout, Precision

_INTEGER_TYPES = {TensorProto.INT8, TensorProto.UINT8}
_MACS_KEY = "ghostface-edge.macs"


def load(path: Path) -> ModelProto:
    """Read an ONNX file with inferred shapes.

    Raises:
        InputError: missing or not an ONNX model.
    """
    return onnx.shape_inference.infer_shapes(read_onnx(path))


def save(model: ModelProto, path: Path) -> None:
    """Check and write."""
    onnx.checker.check_model(model)
    onnx.save(model, path)


def halve_weights(model: ModelProto) -> ModelProto:
    """Store float32 initializers of more than one element as float16, each behind a Cast back to float32."""
    halved = ModelProto()
    halved.CopyFrom(model)
    casts = []
    for tensor in halved.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or value.size == 1:
            continue
        name = tensor.name
        limit = np.finfo(np.float16).max
        tensor.CopyFrom(numpy_helper.from_array(np.clip(value, -limit, limit).astype(np.float16), f"{name}.fp16"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *halved.graph.node]
    del halved.graph.node[:]
    halved.graph.node.extend(nodes)
    return halved


def inspect(path: Path) -> ArtifactInfo:
    """Read the interface, the operators, and the MACs of one face by the precision of weights and input."""
    model = load(path)
    entry = model.graph.input[0]
    shape = tuple(dim.dim_value or -1 for dim in entry.type.tensor_type.shape.dim)
    return ArtifactInfo(
        layout=Layout.NHWC if shape[-1] == 3 else Layout.NCHW,
        input_name=entry.name,
        input_shape=shape,
        input_dtype=helper.tensor_dtype_to_np_dtype(entry.type.tensor_type.elem_type).name,
        input_scale=None,
        input_zero_point=None,
        operators=dict(sorted(Counter(node.op_type for node in model.graph.node).items())),
        macs_by_precision=macs_by_precision(model),
    )


def note_macs(model: ModelProto, macs: dict[str, int]) -> None:
    """Write down what the network itself needs, where a rewrite adds zeros and helper operators to count."""
    entry = model.metadata_props.add()
    entry.key, entry.value = _MACS_KEY, json.dumps(macs)


def macs_by_precision(model: ModelProto) -> dict[str, int]:
    """Multiply-accumulates of the convolutions and matrix products for one face, as noted, else as counted."""
    for entry in model.metadata_props:
        if entry.key == _MACS_KEY:
            noted: dict[str, int] = json.loads(entry.value)
            return noted
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    producers = {output: node for node in model.graph.node for output in node.output}
    values = [*model.graph.value_info, *model.graph.output]
    shapes = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in values}
    macs: Counter[str] = Counter()
    for node in model.graph.node:
        if node.op_type not in {"Conv", "Gemm", "MatMul"}:
            continue
        weight = _source(node.input[1], producers, stored)
        if weight is None:
            continue
        positions = int(np.prod(shapes[node.output[0]][2:])) if node.op_type == "Conv" else 1
        precision = _precision(node, weight, producers)
        macs[precision] += positions * int(np.prod(weight.dims))
    return dict(macs)


def _source(name: str, producers: dict[str, NodeProto], stored: dict[str, TensorProto]) -> TensorProto | None:
    """The stored tensor behind a weight, through DequantizeLinear and Cast."""
    while name not in stored:
        if name not in producers or producers[name].op_type not in {"DequantizeLinear", "Cast", "Identity"}:
            return None
        name = producers[name].input[0]
    return stored[name]


def _precision(node: NodeProto, weight: TensorProto, producers: dict[str, NodeProto]) -> Precision:
    source = producers.get(node.input[0])
    if weight.data_type in _INTEGER_TYPES and source is not None and source.op_type == "DequantizeLinear":
        return Precision.INT8
    return Precision.FP16 if weight.data_type == TensorProto.FLOAT16 else Precision.FP32
