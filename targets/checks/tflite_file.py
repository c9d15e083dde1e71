"""A `.tflite`, judged before it is run.

In: a file that anybody made. Out: nothing, or why it is refused. First what it declares: one graph of known operators,
tensors and constants within bounds and within the file, every value written once before it is read. Then LiteRT lays
out the memory for a batch, without running anything, since an operator may compute larger tensors than are declared.
"""

import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import read_bytes

MAX_FILE_BYTES: Final = 512 * 2**20
_FIX: Final = "give a .tflite of a face network, as a converter wrote it"
_IDENTIFIER: Final = b"TFL3"
_MAX_ENTRIES: Final = 20_000
_MAX_AXES: Final = 8
_MAX_PORTS: Final = 1_000
_BATCH: Final = 32
_MAX_NUMBERS: Final = 2**27
"""Of one tensor in a batch: 0.5 GB of float32."""
_MAX_NUMBERS_TOGETHER: Final = 2**31
_REFUSED: Final = {
    "ASSIGN_VARIABLE", "BROADCAST_TO", "CALL", "CALL_ONCE", "CUSTOM", "DELEGATE", "FILL", "HASHTABLE", "IF",
    "MULTINOMIAL", "RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM", "RANGE", "READ_VARIABLE", "TILE", "UNIQUE",
    "VAR_HANDLE", "WHERE", "WHILE",
}  # fmt: skip
"""Strangers' operators, control flow, state and chance, and what makes a large tensor of a small number."""


class _FaultError(ValueError):
    """What is wrong with a file."""


def check(path: Path) -> None:
    """Refuse a model that is damaged, does what no face network does, or computes tensors beyond all measure.

    Raises:
        InputError: what is wrong with it.
    """
    content = read_bytes(path, fix=_FIX, at_most=MAX_FILE_BYTES)
    if content[4:8] != _IDENTIFIER:
        raise InputError(f"{path} is not a TFLite file", fix="give a file that begins with TFLite's TFL3 mark")
    if find_spec("ai_edge_litert") is None:
        return  # a board's interpreter comes without the schema
    try:
        _check_declared(content)
        _check_layout(content)
    except Exception as error:  # offsets that lead anywhere raise anything
        what = error if isinstance(error, _FaultError) else f"{type(error).__name__}: {error}"
        raise InputError(f"{path} is damaged: {str(what)[:300]}", fix=_FIX) from error


def _check_declared(content: bytes) -> None:
    from ai_edge_litert import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    model = schema.Model.GetRootAs(content, 0)
    counts = model.OperatorCodesLength(), model.BuffersLength()
    if model.SubgraphsLength() != 1 or max(counts) > _MAX_ENTRIES:
        raise _FaultError(f"it holds {model.SubgraphsLength()} graphs, a face network is one without branches")
    graph = model.Subgraphs(0)
    if max(graph.TensorsLength(), graph.OperatorsLength()) > _MAX_ENTRIES:
        raise _FaultError(f"it holds {graph.OperatorsLength():,} operators and {graph.TensorsLength():,} tensors")
    if graph.InputsLength() != 1 or graph.OutputsLength() != 1:
        raise _FaultError(
            f"it has {graph.InputsLength()} inputs and {graph.OutputsLength()} outputs, one of each is known"
        )
    kinds = []
    for index in range(counts[0]):
        code = model.OperatorCodes(index)
        kind = names.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), "unknown")
        kinds.append(f"CUSTOM {code.CustomCode()!r}" if kind == "CUSTOM" else kind)
    written = {int(graph.Inputs(0))} | {
        index for index in range(graph.TensorsLength()) if _check_tensor(model, content, graph.Tensors(index), index)
    }
    for index in range(graph.OperatorsLength()):
        _check_operator(graph.Operators(index), kinds, graph.TensorsLength(), written)
    if int(graph.Outputs(0)) not in written:
        raise _FaultError("nothing writes its output")


def _check_tensor(model: Any, content: bytes, tensor: Any, index: int) -> bool:
    """Whether a tensor is a constant, which is as large as it says."""
    if tensor.ShapeLength() > _MAX_AXES or tensor.Sparsity() is not None or tensor.Buffer() >= model.BuffersLength():
        raise _FaultError(f"tensor {index} has {tensor.ShapeLength()} axes, is sparse, or its buffer does not exist")
    shape = [int(tensor.Shape(axis)) for axis in range(tensor.ShapeLength())]
    numbers, item_bytes = math.prod(shape), _item_bytes(tensor.Type())
    if min(shape, default=0) < 0 or numbers > _MAX_NUMBERS or item_bytes is None:
        raise _FaultError(f"tensor {index} of type {tensor.Type()} has the shape {shape}")
    data = _data(model.Buffers(tensor.Buffer()), content)
    if not len(data):
        return False
    if len(data) != math.ceil(numbers * item_bytes):
        raise _FaultError(f"the constant {index} of shape {shape} holds {len(data):,} bytes")
    kind = {4: np.float32, 2: np.float16}.get(int(item_bytes)) if _is_float(tensor.Type()) else None
    if kind is not None and np.isnan(np.frombuffer(data, kind)).any():
        raise _FaultError(f"the constant {index} holds NaN")
    return True


def _data(buffer: Any, content: bytes) -> memoryview:
    """The bytes of a buffer, inside the model or, as LiteRT's quantizer writes them, behind it."""
    offset, size = buffer.Offset(), buffer.Size()
    if offset > 1:
        if offset + size > len(content):
            raise _FaultError(f"a buffer ends at byte {offset + size:,}, the file at {len(content):,}")
        return memoryview(content)[offset : offset + size]
    return memoryview(buffer.DataAsNumpy().tobytes() if buffer.DataLength() else b"")


def _item_bytes(kind: int) -> float | None:
    from ai_edge_litert.schema_py_generated import TensorType as Type

    sizes = {
        Type.FLOAT32: 4, Type.FLOAT16: 2, Type.INT32: 4, Type.UINT8: 1, Type.INT64: 8, Type.BOOL: 1, Type.INT16: 2,
        Type.INT8: 1, Type.INT4: 0.5, Type.UINT32: 4, Type.UINT16: 2,
    }  # fmt: skip
    return sizes.get(kind)


def _is_float(kind: int) -> bool:
    from ai_edge_litert.schema_py_generated import TensorType as Type

    return kind in {Type.FLOAT32, Type.FLOAT16}


def _check_operator(operator: Any, kinds: list[str], tensors: int, written: set[int]) -> None:
    kind = kinds[operator.OpcodeIndex()]
    if kind.split()[0] in _REFUSED or kind == "unknown" or kind.startswith("STABLEHLO"):
        raise _FaultError(f"it holds the operator {kind}, which no face network has")
    if max(operator.InputsLength(), operator.OutputsLength()) > _MAX_PORTS:
        raise _FaultError(f"a {kind} reads {operator.InputsLength():,} tensors")
    for position in range(operator.InputsLength()):
        if int(operator.Inputs(position)) not in written | {-1}:
            raise _FaultError(f"a {kind} reads tensor {operator.Inputs(position)}, which nothing before it writes")
    for position in range(operator.OutputsLength()):
        index = int(operator.Outputs(position))
        if not 0 <= index < tensors or index in written:
            raise _FaultError(f"a {kind} writes tensor {index}, which does not exist or is written already")
        written.add(index)


def _check_layout(content: bytes) -> None:
    from ai_edge_litert import interpreter as module

    plain = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = module.Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=plain)
    (entry,) = interpreter.get_input_details()
    if len(entry["shape_signature"]) != 4:
        raise _FaultError(f"it takes {list(entry['shape_signature'])}, which is no batch of images")
    if entry["shape_signature"][0] == -1:
        interpreter.resize_tensor_input(entry["index"], (_BATCH, *entry["shape"][1:]))
    interpreter.allocate_tensors()
    together = 0
    for tensor in interpreter.get_tensor_details():
        numbers = math.prod(map(int, tensor["shape"]))
        together += numbers
        if numbers > _MAX_NUMBERS or together > _MAX_NUMBERS_TOGETHER:
            raise _FaultError(f"its tensor {tensor['index']} would have the shape {list(tensor['shape'])}")
