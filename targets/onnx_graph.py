"""ONNX files as targets see and change them: interface, operators, MACs by precision, half-precision weights."""

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
from onnx import ModelProto, TensorProto, helper, numpy_helper

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.protocol import ArtifactInfo, Layout, Precision
from ghostface_edge.targets.qdq import name_of, operand

_INTEGER_TYPES = {ir.DataType.INT8, ir.DataType.UINT8}
_QUANTIZED = {"QuantizeLinear", "DequantizeLinear"}
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
    graph = ir.from_proto(model).graph
    entry = graph.inputs[0]
    shape = tuple(size if isinstance(size, int) else -1 for size in entry.shape or ())
    return ArtifactInfo(
        layout=Layout.NHWC if shape[-1] == 3 else Layout.NCHW,
        input_name=name_of(entry),
        input_shape=shape,
        input_dtype=(entry.dtype or ir.DataType.UNDEFINED).numpy().name,
        input_scale=None,
        input_zero_point=None,
        operators=dict(sorted(Counter(node.op_type for node in graph).items())),
        macs_by_precision=macs_by_precision(model),
    )


def note_macs(model: ModelProto, macs: dict[str, int]) -> None:
    """Write down what the network itself needs, where a rewrite adds zeros and helper operators to count."""
    entry = model.metadata_props.add()
    entry.key, entry.value = _MACS_KEY, json.dumps(macs)


def is_made_for_runtime(model: ModelProto) -> bool:
    """Whether it was rewritten or quantized for one runtime, and is no float32 network to start from any more."""
    quantized = any(node.op_type in _QUANTIZED or node.op_type.startswith("QLinear") for node in model.graph.node)
    return quantized or any(entry.key == _MACS_KEY for entry in model.metadata_props)


def macs_by_precision(model: ModelProto) -> dict[str, int]:
    """Multiply-accumulates of the convolutions and matrix products for one face, as noted, else as counted."""
    for entry in model.metadata_props:
        if entry.key == _MACS_KEY:
            return _noted(entry.value)
    macs: Counter[str] = Counter()
    for node in ir.from_proto(model).graph:
        weight = _stored(operand(node, 1)) if node.op_type in {"Conv", "Gemm", "MatMul"} else None
        if weight is None:
            continue
        written = node.outputs[0].shape
        map_size = written[2:] if node.op_type == "Conv" and written is not None else ()
        positions = math.prod(size for size in map_size if isinstance(size, int))
        macs[_precision(node, weight)] += positions * weight.size
    return dict(macs)


def _noted(text: str) -> dict[str, int]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(type(count) is int and 0 <= count < 2**63 for count in found.values()):
        raise InputError(f"the metadata '{_MACS_KEY}' cannot be read", fix="convert the model again")
    return found


def _stored(value: ir.Value | None) -> ir.TensorProtocol | None:
    """The tensor behind a weight, through DequantizeLinear and Cast."""
    seen: set[ir.Value] = set()
    while value is not None and value.const_value is None and value not in seen:
        seen.add(value)
        node = value.producer()
        if node is None or node.op_type not in {"DequantizeLinear", "Cast", "Identity"}:
            return None
        value = node.inputs[0]
    return None if value is None else value.const_value


def _precision(node: ir.Node, weight: ir.TensorProtocol) -> Precision:
    source = operand(node).producer()
    if weight.dtype in _INTEGER_TYPES and source is not None and source.op_type == "DequantizeLinear":
        return Precision.INT8
    return Precision.FP16 if weight.dtype is ir.DataType.FLOAT16 else Precision.FP32
