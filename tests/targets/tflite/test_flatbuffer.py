# ruff: noqa: E402 (the package under test needs LiteRT to be imported)
import numpy as np
import pytest
from onnx import helper

schema = pytest.importorskip("ai_edge_litert.schema_py_generated", reason="LiteRT is not installed")
from ghostface_edge.targets.tflite.convolution import same_padding
from ghostface_edge.targets.tflite.flatbuffer import serialize
from ghostface_edge.targets.tflite.lowering import lower


@pytest.fixture
def model(write_onnx):
    slopes = np.linspace(-1, 2, 5, dtype=np.float32).reshape(5, 1, 1)
    weights = np.arange(5 * 3, dtype=np.float32).reshape(5, 3, 1, 1)
    nodes = [helper.make_node("Conv", ["x", "w"], ["h"]), helper.make_node("PRelu", ["h", "slope"], ["y"])]
    return write_onnx(nodes, {"w": weights, "slope": slopes}, (3, 4, 4))


def test_equal_subgraphs_give_equal_bytes(model):
    assert serialize(lower(model)) == serialize(lower(model))


def test_every_constant_is_at_a_16_byte_boundary(model):
    content = serialize(lower(model))
    read = schema.Model.GetRootAs(content, 0)
    starts = [
        read.Buffers(index).DataAsNumpy().__array_interface__["data"][0] - np.frombuffer(content, np.uint8).ctypes.data
        for index in range(read.BuffersLength())
        if read.Buffers(index).DataLength()
    ]
    assert len(starts) == 3
    assert [start % 16 for start in starts] == [0, 0, 0]


def test_operators_carry_the_oldest_versions_that_know_them(model):
    read = schema.ModelT.InitFromPackedBuf(serialize(lower(model)))
    versions = {code.builtinCode: code.version for code in read.operatorCodes}
    assert versions == {schema.BuiltinOperator.CONV_2D: 1, schema.BuiltinOperator.PRELU: 1}
    assert [code.deprecatedBuiltinCode for code in read.operatorCodes] == list(versions)


def test_only_activations_have_a_dynamic_batch(model):
    graph = schema.ModelT.InitFromPackedBuf(serialize(lower(model))).subgraphs[0]
    signatures = {tensor.name: tensor.shapeSignature for tensor in graph.tensors}
    assert {name.decode() for name, signature in signatures.items() if signature is not None} == {"x", "h", "y"}
    assert signatures[b"x"].tolist() == [-1, 4, 4, 3]


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "expected"),
    [(112, 3, 2, (0, 1)), (28, 5, 2, (1, 2)), (7, 5, 2, (2, 2)), (56, 3, 1, (1, 1)), (14, 1, 2, (0, 0))],
)
def test_same_padding_is_tensorflows(size, kernel, stride, expected):
    assert same_padding(size, kernel, stride) == expected
