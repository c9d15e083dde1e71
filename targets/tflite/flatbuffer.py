"""Serialization of a TFLite subgraph to `.tflite` bytes, through LiteRT's published schema.

Source: `ai_edge_litert.schema_py_generated` (object API); file layout as in TensorFlow Lite's schema v3.
"""

from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from ghostface_edge.targets.quant_params import ChannelScales, QuantParams
from ghostface_edge.targets.tflite.subgraph import Operator, Subgraph, Tensor
from ghostface_edge.targets.tflite.versions import oldest_version

SIGNATURE: Final = "serving_default"
_ALIGNMENT_BYTES: Final = 16
_MAX_DEPRECATED_CODE: Final = 127
_TYPES: Final = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.float16): schema.TensorType.FLOAT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.uint8): schema.TensorType.UINT8,
}


class _AlignedBuffer(schema.BufferT):  # type: ignore[misc]
    """A buffer at a 16-byte boundary, as the schema's `force_align` asks and its Python packer forgets."""

    def Pack(self, builder: Any) -> int:  # noqa: N802 (the schema's name)
        data = 0
        if self.data is not None:
            raw = self.data.tobytes()
            builder.StartVector(1, len(raw), _ALIGNMENT_BYTES)
            builder.head -= len(raw)
            builder.Bytes[builder.head : builder.head + len(raw)] = raw
            data = builder.EndVector()
        schema.BufferStart(builder)
        if self.data is not None:
            schema.BufferAddData(builder, data)
        return int(schema.BufferEnd(builder))


class _SharedQuantization(schema.QuantizationParametersT):  # type: ignore[misc]
    """Quantization parameters that are written once for all tensors that have equal ones."""

    def Pack(self, builder: "_SharingBuilder") -> int:  # noqa: N802 (the schema's name)
        key = self.quantizedDimension, self.scale.tobytes(), self.zeroPoint.tobytes()
        if key not in builder.quantizations:
            builder.quantizations[key] = int(super().Pack(builder))
        return builder.quantizations[key]


class _SharingBuilder(flatbuffers.Builder):  # type: ignore[misc]
    """Writes equal vectors once: shapes, scales, and the zero points of which a convolution has two per channel.

    Tables may point at one vector together; it makes a small int8 model a seventh smaller.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._vectors: dict[tuple[str, bytes], int] = {}
        self._strings: dict[str, int] = {}
        self.quantizations: dict[tuple[int, bytes, bytes], int] = {}

    def CreateNumpyVector(self, x: NDArray[Any]) -> int:  # noqa: N802 (flatbuffers' name)
        key = x.dtype.str, x.tobytes()
        if key not in self._vectors:
            self._vectors[key] = super().CreateNumpyVector(x)
        return self._vectors[key]

    def CreateString(self, s: str, encoding: str = "utf-8", errors: str = "strict") -> int:  # noqa: N802
        if s not in self._strings:
            self._strings[s] = super().CreateString(s, encoding, errors)
        return self._strings[s]


def serialize(subgraph: Subgraph) -> bytes:
    """Write a subgraph as a `.tflite` file; equal ones give equal bytes."""
    model = schema.ModelT()
    model.version = 3
    model.description = "ghostface-edge"
    empty = _AlignedBuffer()
    model.buffers = [empty]
    model.operatorCodes = []

    graph = schema.SubGraphT()
    graph.name = "main"
    graph.inputs = np.asarray(subgraph.inputs, np.int32)
    graph.outputs = np.asarray(subgraph.outputs, np.int32)
    graph.tensors = [_tensor(tensor, subgraph.batch_is_dynamic, model.buffers) for tensor in subgraph.tensors]
    codes: dict[tuple[str, int], int] = {}
    graph.operators = [_operator(operator, subgraph, codes) for operator in subgraph.operators]
    model.operatorCodes = [_operator_code(kind, version) for kind, version in codes]
    model.subgraphs = [graph]
    model.signatureDefs = [_signature(subgraph)]

    return _packed(model)


def pack(model: Any) -> bytes:
    """Write a model that was unpacked (schema's ModelT) and changed, its buffers aligned."""
    aligned = []
    for buffer in model.buffers:
        aligned.append(_AlignedBuffer())
        aligned[-1].data = buffer.data
    model.buffers = aligned
    return _packed(model)


def _packed(model: Any) -> bytes:
    builder = _SharingBuilder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(tensor: Tensor, batch_is_dynamic: bool, buffers: list[Any]) -> Any:
    written = schema.TensorT()
    written.name = tensor.name
    written.type = _TYPES[tensor.dtype]
    written.shape = np.asarray(tensor.shape, np.int32)
    if tensor.data is None:
        written.buffer = 0
        if batch_is_dynamic and tensor.is_batched:
            written.shapeSignature = np.asarray((-1, *tensor.shape[1:]), np.int32)
    else:
        buffer = _AlignedBuffer()
        buffer.data = tensor.data
        buffers.append(buffer)
        written.buffer = len(buffers) - 1
    if tensor.quantization is not None:
        written.quantization = _quantization(tensor.quantization, tensor.dtype)
    return written


def _quantization(quantization: QuantParams | ChannelScales, dtype: np.dtype[np.generic]) -> Any:
    written = _SharedQuantization()
    written.scale = np.asarray(quantization.scales, np.float32)
    if isinstance(quantization, ChannelScales):
        zero_points, written.quantizedDimension = (0,) * len(quantization.scales), quantization.axis
    else:
        zero_points = (quantization.uint8_zero_point if dtype == np.uint8 else quantization.zero_point,)
    written.zeroPoint = np.asarray(zero_points, np.int64)
    return written


def _operator(operator: Operator, subgraph: Subgraph, codes: dict[tuple[str, int], int]) -> Any:
    version = oldest_version(operator.kind, subgraph.tensors[operator.inputs[0]].dtype)
    written = schema.OperatorT()
    written.opcodeIndex = codes.setdefault((operator.kind, version), len(codes))
    written.inputs = np.asarray(operator.inputs, np.int32)
    written.outputs = np.asarray(operator.outputs, np.int32)
    if operator.options is not None:
        options = getattr(schema, f"{operator.options}T")()
        for name, value in operator.settings:
            setattr(options, name, _enumerated(name, value))
        written.builtinOptionsType = getattr(schema.BuiltinOptions, operator.options)
        written.builtinOptions = options
    return written


def _enumerated(name: str, value: int | float | bool | str) -> int | float | bool:
    """Strings stand for the schema's enum members."""
    if not isinstance(value, str):
        return value
    enum = schema.Padding if name == "padding" else schema.ActivationFunctionType
    return int(getattr(enum, value))


def _operator_code(kind: str, version: int) -> Any:
    code = schema.OperatorCodeT()
    builtin = getattr(schema.BuiltinOperator, kind)
    code.builtinCode = builtin
    code.deprecatedBuiltinCode = min(builtin, _MAX_DEPRECATED_CODE)
    code.version = version
    return code


def _signature(subgraph: Subgraph) -> Any:
    signature = schema.SignatureDefT()
    signature.signatureKey = SIGNATURE
    signature.subgraphIndex = 0
    signature.inputs = [_tensor_map(subgraph, index) for index in subgraph.inputs]
    signature.outputs = [_tensor_map(subgraph, index) for index in subgraph.outputs]
    return signature


def _tensor_map(subgraph: Subgraph, index: int) -> Any:
    entry = schema.TensorMapT()
    entry.name = subgraph.tensors[index].name
    entry.tensorIndex = index
    return entry
