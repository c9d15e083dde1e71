"""What is refused of a `.tflite`; small models through LiteRT's schema, each with one thing wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.checks.tflite_file import check

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
flatbuffers = pytest.importorskip("flatbuffers")


def tensor(shape: list[int], buffer: int = 0, kind: int = 0, signature: list[int] | None = None) -> Any:
    made = schema.TensorT()
    made.name, made.shape, made.buffer, made.type = b"t", np.array(shape, np.int32), buffer, kind
    made.shapeSignature = None if signature is None else np.array(signature, np.int32)
    return made


def model() -> Any:
    """(N, 4, 4, 3) + (3,) -> (N, 4, 4, 3)."""
    made, graph, operator, code = schema.ModelT(), schema.SubGraphT(), schema.OperatorT(), schema.OperatorCodeT()
    stored = schema.BufferT()
    stored.data = np.frombuffer(np.ones(3, np.float32).tobytes(), np.uint8)
    made.version, made.buffers, made.subgraphs, made.operatorCodes = 3, [schema.BufferT(), stored], [graph], [code]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.ADD
    code.version = 1
    faces, result = (tensor([1, 4, 4, 3], signature=[-1, 4, 4, 3]) for _ in range(2))
    graph.tensors = [faces, tensor([3], buffer=1), result]
    graph.inputs, graph.outputs = np.array([0], np.int32), np.array([2], np.int32)
    operator.inputs, operator.outputs, operator.opcodeIndex = np.array([0, 1], np.int32), graph.outputs, 0
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.AddOptions, schema.AddOptionsT()
    graph.operators = [operator]
    return made


def written(tmp_path: Path, made: Any) -> Path:
    builder = flatbuffers.Builder(1024)
    builder.Finish(made.Pack(builder), b"TFL3")
    (tmp_path / "m.tflite").write_bytes(bytes(builder.Output()))
    return tmp_path / "m.tflite"


def test_a_small_model_passes(tmp_path: Path) -> None:
    check(written(tmp_path, model()))


def set_code(kind: int, custom: bytes | None = None) -> Callable[[Any], None]:
    def change(made: Any) -> None:
        code = made.operatorCodes[0]
        code.builtinCode, code.deprecatedBuiltinCode, code.customCode = kind, min(kind, 127), custom

    return change


def pad(made: Any) -> None:
    """Declares a small result and computes a large one."""
    amounts = np.array([[0, 0], [0, 2_000], [0, 2_000], [0, 0]], np.int32)
    set_code(schema.BuiltinOperator.PAD)(made)
    made.subgraphs[0].operators[0].builtinOptionsType = 0
    made.subgraphs[0].operators[0].builtinOptions = None
    made.buffers[1].data = np.frombuffer(amounts.tobytes(), np.uint8)
    made.subgraphs[0].tensors[1] = tensor([4, 2], buffer=1, kind=schema.TensorType.INT32)


OPERATOR = "subgraphs[0].operators[0]"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_code(schema.BuiltinOperator.WHILE), "the operator WHILE"),
        (set_code(schema.BuiltinOperator.CUSTOM, b"FlexMatMul"), "the operator CUSTOM b'FlexMatMul'"),
        (set_code(9999), "unknown|error"),
        (lambda m: m.subgraphs.append(m.subgraphs[0]), "holds 2 graphs"),
        (lambda m: setattr(m, "subgraphs", []), "holds 0 graphs"),
        (lambda m: setattr(m.subgraphs[0], "inputs", np.array([0, 1], np.int32)), "has 2 inputs"),
        (lambda m: setattr(m.subgraphs[0], "outputs", np.array([7], np.int32)), "nothing writes its output"),
        (lambda m: setattr(m.subgraphs[0].operators[0], "inputs", np.array([0, 2], np.int32)), "reads tensor 2"),
        (lambda m: setattr(m.subgraphs[0].operators[0], "outputs", np.array([0], np.int32)), "writes tensor 0"),
        (lambda m: setattr(m.subgraphs[0].operators[0], "outputs", np.array([-1], np.int32)), "writes tensor -1"),
        (lambda m: setattr(m.subgraphs[0].operators[0], "opcodeIndex", 5), "is damaged"),
        (lambda m: m.subgraphs[0].tensors.__setitem__(1, tensor([3], buffer=9)), "its buffer does not exist"),
        (lambda m: m.subgraphs[0].tensors.__setitem__(1, tensor([30], buffer=1)), "of shape \\[30\\] holds 12 bytes"),
        (lambda m: m.subgraphs[0].tensors.__setitem__(1, tensor([-3], buffer=1)), "has the shape \\[-3\\]"),
        (lambda m: m.subgraphs[0].tensors.__setitem__(2, tensor([1 << 20, 1 << 20])), "has the shape"),
        (lambda m: m.subgraphs[0].tensors.__setitem__(2, tensor([1] * 9)), "has 9 axes"),
        (lambda m: m.subgraphs[0].tensors.__setitem__(1, tensor([3], buffer=1, kind=5)), "of type 5"),
        (lambda m: setattr(m.buffers[1], "data", np.frombuffer(np.full(3, np.nan, "f4").tobytes(), "u1")), "holds NaN"),
        (lambda m: (setattr(m.buffers[1], "offset", 1 << 40), setattr(m.buffers[1], "size", 12)), "a buffer ends at"),
        (lambda m: m.subgraphs[0].tensors.__setitem__(0, tensor([1 << 13, 4, 4, 1 << 13])), "has the shape"),
        (lambda m: m.subgraphs[0].tensors.__setitem__(0, tensor([4, 3])), "no batch of images"),
        (pad, "would have the shape"),
    ],
)
def test_other_models_are_refused(tmp_path: Path, change: Callable[[Any], object], message: str) -> None:
    made = model()
    change(made)
    with pytest.raises(InputError, match=message):
        check(written(tmp_path, made))


def test_cut_files_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, model())
    whole = path.read_bytes()
    for length in (0, 4, 8, 12, len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            check(path)
