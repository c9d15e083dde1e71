"""The Keras network is the ONNX graph's function; nothing of this project is needed, as where it runs."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

pytest.importorskip("tensorflow", reason="TensorFlow is not installed: `nox -s tensorflow` has it")
pytest.importorskip("tf_keras", reason="tf-keras is not installed: `nox -s tensorflow` has it")

SOURCE = Path(__file__).resolve().parents[3] / "pipeline/bench/tensorflow_convert.py"


@pytest.fixture(scope="module")
def convert():
    return runpy.run_path(str(SOURCE))


def graph(nodes, constants):
    """Input `x` (batch, 3, 9, 9), output `y`."""
    rng = np.random.default_rng(0)
    stored = [
        numpy_helper.from_array(rng.normal(0, 0.5, shape).astype(np.float32), name) for name, shape in constants.items()
    ]
    described = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 9, 9])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        stored,
    )
    return helper.make_model(described, opset_imports=[helper.make_opsetid("", 18)])


def difference(convert, model):
    x = np.random.default_rng(1).normal(0, 1, (1, 3, 9, 9)).astype(np.float32)
    (expected,) = ReferenceEvaluator(model).run(None, {"x": x})
    actual = convert["build"](model)(x.transpose(0, 2, 3, 1), training=False).numpy()
    moved = actual.transpose(0, 3, 1, 2) if actual.ndim == 4 else actual
    assert moved.shape == expected.shape
    return np.abs(moved - expected).max()


@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 1, 1], [2, 0, 0, 1]])
@pytest.mark.parametrize("strides", [[1, 1], [2, 2]])
@pytest.mark.parametrize(("group", "shape"), [(1, (4, 3, 3, 3)), (3, (6, 1, 3, 3))])
def test_convolutions_keep_pads_strides_and_multipliers(convert, pads, strides, group, shape):
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"], pads=pads, strides=strides, group=group)
    assert difference(convert, graph([node], {"w": shape, "b": shape[:1]})) < 1e-5


def test_a_gated_block_is_the_same_function_and_prelu_stays(convert):
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("PRelu", ["c", "slopes"], ["p"]),
        helper.make_node("GlobalAveragePool", ["p"], ["g"]),
        helper.make_node("HardSigmoid", ["g"], ["h"], alpha=0.2, beta=0.5),
        helper.make_node("Mul", ["p", "h"], ["m"]),
        helper.make_node("Add", ["m", "p"], ["a"]),
        helper.make_node("Concat", ["a", "p"], ["j"], axis=1),
        helper.make_node("Conv", ["j", "wide"], ["k"]),
        helper.make_node("Flatten", ["k"], ["y"], axis=1),
    ]
    model = graph(nodes, {"w": (4, 3, 3, 3), "slopes": (4, 1, 1), "wide": (5, 8, 9, 9)})
    assert difference(convert, model) < 1e-4

    import tensorflow as tf

    faces = np.random.default_rng(2).normal(0, 1, (8, 9, 9, 3)).astype(np.float32)
    written = convert["to_tflite"](convert["build"](model), faces)
    interpreter = tf.lite.Interpreter(model_content=written)
    interpreter.allocate_tensors()
    assert {str(tensor["dtype"]) for tensor in interpreter.get_input_details()} == {"<class 'numpy.int8'>"}
    assert "PRELU" in {operator["op_name"] for operator in interpreter._get_ops_details()}


def test_an_operator_without_a_layer_is_named(convert):
    with pytest.raises(NotImplementedError, match="Tan 'steep'"):
        convert["build"](graph([helper.make_node("Tan", ["x"], ["y"], name="steep")], {}))
