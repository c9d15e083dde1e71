"""ONNX files, judged before any runtime sees them.

In: a file that anybody made. Out: nothing, or why it is refused. Three looks, the cheap one first: the graph's form
(one image in, no control flow, no operators of strangers, no files beside it, every value written once before it is
read), the constants (each as large as it says, no NaN), and the size of every tensor that the operators compute
(`onnx_sizes`), since a few bytes can ask for more memory than there is.
"""

import math
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import onnx
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.checks.onnx_sizes import BATCH, check_sizes
from ghostface_edge.targets.onnx_file import read_onnx, stored_tensors

_FIX: Final = "give a face network as plain ONNX: one image in, standard operators, weights inside the file"
_MAX_NODES: Final = 20_000
_MAX_AXES: Final = 8
_DOMAINS: Final[Mapping[str, int]] = MappingProxyType(
    {"": onnx.defs.onnx_opset_version(), "ai.onnx": onnx.defs.onnx_opset_version(), "com.microsoft": 1}
)
"""Whose operators are known, and the newest set of them; the last are ONNX Runtime's integer operators."""
_STRANGE: Final = ("Bernoulli", "Multinomial", "NonZero", "Optional", "Random", "Regex", "Sequence", "String", "TfIdf")
"""Parts of names of operators on other things than numbers, or whose results the input alone does not decide."""
_SUBGRAPHS: Final = (AttributeProto.GRAPH, AttributeProto.GRAPHS)
_IMAGES: Final = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8, TensorProto.INT8}
_FIELDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        TensorProto.FLOAT: "float_data",
        TensorProto.DOUBLE: "double_data",
        TensorProto.INT64: "int64_data",
        TensorProto.INT32: "int32_data",
        TensorProto.INT16: "int32_data",
        TensorProto.INT8: "int32_data",
        TensorProto.UINT16: "int32_data",
        TensorProto.UINT8: "int32_data",
        TensorProto.BOOL: "int32_data",
        TensorProto.FLOAT16: "int32_data",
        TensorProto.BFLOAT16: "int32_data",
        TensorProto.UINT32: "uint64_data",
        TensorProto.UINT64: "uint64_data",
    }
)
"""Types of constants, and where they lie unless they are raw bytes."""


def check(path: Path) -> None:
    """Refuse a model that is damaged, does what no face network does, or computes tensors beyond all measure.

    Raises:
        InputError: what is wrong with it.
    """
    model = read_onnx(path)
    fault = next(_faults(model), None)
    if fault is not None:
        raise InputError(f"{path}: {fault}", fix=_FIX)
    try:
        onnx.checker.check_model(model)
    except Exception as error:  # the parsers raise whatever the bytes provoke
        raise InputError(f"{path}: not a readable ONNX model ({_first_line(error)})", fix=_FIX) from error
    try:
        check_sizes(model)
    except InputError as error:
        raise InputError(f"{path}: {error.message}", fix=error.fix) from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _faults(model: ModelProto) -> Iterator[str]:
    yield from _form(model)
    yield from _order(model)
    names: set[str] = set()
    for tensor in model.graph.initializer:
        if tensor.name in names:
            yield f"holds the constant '{tensor.name}' twice"
        names.add(tensor.name)
    for tensor in stored_tensors(model):
        yield from _constant(tensor)


def _form(model: ModelProto) -> Iterator[str]:
    graph = model.graph
    if model.ir_version > onnx.IR_VERSION:
        yield f"is of ONNX's version {model.ir_version}, the newest known is {onnx.IR_VERSION}"
    if model.functions or model.training_info or graph.sparse_initializer:
        yield "holds functions, training steps or sparse constants"
    if len(graph.node) > _MAX_NODES:
        yield f"holds {len(graph.node):,} operators, more than {_MAX_NODES:,}"
    versions = {entry.domain: entry.version for entry in model.opset_import}
    for domain, version in versions.items():
        if domain in _DOMAINS and not 1 <= version <= _DOMAINS[domain]:
            yield f"uses version {version} of the operators '{domain or 'ai.onnx'}', {_DOMAINS[domain]} is the newest"
    for node in graph.node:
        yield from _operator(node, versions.keys() & _DOMAINS.keys())
    stored = {tensor.name for tensor in graph.initializer}
    entries = [value for value in graph.input if value.name not in stored]
    if len(entries) != 1 or not graph.output:
        yield f"takes {len(entries)} inputs and gives {len(graph.output)} outputs, a face network takes one image"
    else:
        yield from _entry(entries[0])
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type not in {*_FIELDS, TensorProto.UNDEFINED}:
            yield f"calls '{value.name}' numbers of type {value.type.tensor_type.elem_type}"


def _entry(value: ValueInfoProto) -> Iterator[str]:
    axes = value.type.tensor_type.shape.dim
    sizes = [axis.dim_value if axis.HasField("dim_value") else "any" for axis in axes]
    if len(axes) != 4:
        yield f"takes '{value.name}', which is no batch of images"
    elif value.type.tensor_type.elem_type not in _IMAGES:
        yield f"takes '{value.name}' of type {value.type.tensor_type.elem_type}, images are float32 or bytes"
    elif any(axis.dim_value < 0 for axis in axes) or axes[0].dim_value > BATCH:
        yield f"takes '{value.name}' of {sizes}, no batch that anybody would give"
    elif not {axes[1].dim_value, axes[3].dim_value} & {0, 3}:
        yield f"takes '{value.name}' of {sizes}, which are no RGB images"


def _operator(node: NodeProto, domains: Set[str]) -> Iterator[str]:
    kind = str(node.op_type)  # where it is not UTF-8, protobuf hands out bytes
    named = f"'{node.name or kind}' is a {kind}"
    if node.domain not in domains:
        yield f"{named} of '{node.domain}', whose operators are not known"
    if any(part in kind for part in _STRANGE):
        yield f"{named}, which no face network has"
    for attribute in node.attribute:
        if attribute.type in _SUBGRAPHS or attribute.HasField("g") or attribute.graphs:
            yield f"{named} with a graph inside, as loops and branches are"
        if attribute.HasField("sparse_tensor") or attribute.sparse_tensors:
            yield f"{named} with a sparse constant"


def _order(model: ModelProto) -> Iterator[str]:
    """Every value is written once, before it is read; so nothing goes round in a circle."""
    graph = model.graph
    written = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        missing = next((name for name in node.input if name and name not in written), None)
        if missing is not None:
            yield f"'{node.name or node.op_type}' reads '{missing}', which nothing before it writes"
        for name in filter(None, node.output):
            if name in written:
                yield f"'{name}' is written twice"
            written.add(name)
    for value in graph.output:
        if value.name not in written:
            yield f"gives '{value.name}', which nothing writes"


def _constant(tensor: TensorProto) -> Iterator[str]:
    """A constant that is not as large as it says, or not a number."""
    name, shape = tensor.name or "of an operator", list(tensor.dims)
    if tensor.data_type not in _FIELDS:
        yield f"the constant {name} is of type {tensor.data_type}, weights are numbers"
        return
    if tensor.HasField("segment"):
        yield f"the constant {name} is one part of several"
        return
    if len(shape) > _MAX_AXES or any(size < 0 for size in shape):
        yield f"the constant {name} has the shape {shape[:_MAX_AXES]}"
        return
    count = math.prod(shape)
    if tensor.HasField("raw_data"):
        width = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize
        held, wanted = len(tensor.raw_data), count * width
    else:
        held, wanted = len(getattr(tensor, _FIELDS[tensor.data_type])), count
    if held != wanted:
        unit = "bytes" if tensor.HasField("raw_data") else "values"
        yield f"the constant {name} of shape {shape} holds {held:,} {unit}"
    elif tensor.data_type in {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16}:
        bad = int(np.count_nonzero(np.isnan(numpy_helper.to_array(tensor))))
        if bad:
            yield f"the constant {name} holds {bad} NaN"
