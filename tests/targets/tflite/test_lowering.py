import numpy as np
import pytest
from onnx import helper

from ghostface_edge.reports.errors import ToolError

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
from ghostface_edge.targets.tflite.flatbuffer import serialize
from ghostface_edge.targets.tflite.lowering import lower

RNG = np.random.default_rng(7)


def weights(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def conv(x, y, *, kernel, pads=(0, 0, 0, 0), stride=1, group=1, name="w", bias=True):
    inputs = [x, name, f"{name}.b"] if bias else [x, name]
    return helper.make_node(
        "Conv", inputs, [y], kernel_shape=[kernel] * 2, pads=pads, strides=[stride] * 2, group=group, name=f"conv.{y}"
    )


CASES = {
    "pads that TF calls SAME, stride 2 on an even map": (
        [conv("x", "y", kernel=3, pads=(0, 0, 1, 1), stride=2)],
        {"w": weights(5, 4, 3, 3), "w.b": weights(5)},
        {"CONV_2D": 1},
    ),
    "pads of k//2 at stride 2 on an even map": (
        [conv("x", "y", kernel=3, pads=(1, 1, 1, 1), stride=2)],
        {"w": weights(5, 4, 3, 3), "w.b": weights(5)},
        {"PAD": 1, "CONV_2D": 1},
    ),
    "depthwise 5x5 stride 2, no bias": (
        [conv("x", "y", kernel=5, pads=(1, 1, 2, 2), stride=2, group=4, bias=False)],
        {"w": weights(4, 1, 5, 5)},
        {"DEPTHWISE_CONV_2D": 1},
    ),
    "whole-map depthwise": (
        [conv("x", "y", kernel=8, group=4)],
        {"w": weights(4, 1, 8, 8), "w.b": weights(4)},
        {"DEPTHWISE_CONV_2D": 1},
    ),
    "relu is fused": (
        [conv("x", "h", kernel=1), helper.make_node("Relu", ["h"], ["y"])],
        {"w": weights(5, 4, 1, 1), "w.b": weights(5)},
        {"CONV_2D": 1},
    ),
    "relu of a tensor with two readers is not fused": (
        [
            conv("x", "h", kernel=1),
            helper.make_node("Relu", ["h"], ["r"]),
            helper.make_node("Add", ["h", "r"], ["y"]),
        ],
        {"w": weights(5, 4, 1, 1), "w.b": weights(5)},
        {"CONV_2D": 1, "RELU": 1, "ADD": 1},
    ),
    "prelu keeps its slopes per channel": (
        [helper.make_node("PRelu", ["x", "slope"], ["y"])],
        {"slope": weights(4, 1, 1)},
        {"PRELU": 1},
    ),
    "ghost module with shortcut": (
        [
            conv("x", "a", kernel=1),
            conv("a", "b", kernel=3, pads=(1, 1, 1, 1), group=2, name="v"),
            helper.make_node("Concat", ["a", "b"], ["c"], axis=1),
            helper.make_node("Add", ["c", "x"], ["y"]),
        ],
        {"w": weights(2, 4, 1, 1), "w.b": weights(2), "v": weights(2, 1, 3, 3), "v.b": weights(2)},
        {"CONV_2D": 1, "DEPTHWISE_CONV_2D": 1, "CONCATENATION": 1, "ADD": 1},
    ),
    "squeeze-and-excite gate": (
        [
            helper.make_node("GlobalAveragePool", ["x"], ["p"]),
            conv("p", "e", kernel=1),
            helper.make_node("HardSigmoid", ["e"], ["g"], alpha=1 / 6, beta=0.5),
            helper.make_node("Mul", ["x", "g"], ["y"]),
        ],
        {"w": 5 * weights(4, 4, 1, 1), "w.b": weights(4)},
        {"MEAN": 1, "CONV_2D": 1, "MUL": 2},
    ),
    "hard sigmoid without a convolution": (
        [helper.make_node("HardSigmoid", ["x"], ["y"], alpha=0.2, beta=0.5)],
        {},
        {"MUL": 2, "ADD": 1},
    ),
    "DFC attention's pool, sigmoid and resize": (
        [
            helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Sigmoid", ["p"], ["s"]),
            helper.make_node("Resize", ["s", "", "scales"], ["r"], mode="linear"),
            helper.make_node("Mul", ["x", "r"], ["y"]),
        ],
        {"scales": np.array([1, 1, 2, 2], np.float32)},
        {"AVERAGE_POOL_2D": 1, "LOGISTIC": 1, "RESIZE_BILINEAR": 1, "MUL": 1},
    ),
    "resize to the size of another tensor": (
        [
            helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Shape", ["x"], ["outer"], end=2),
            helper.make_node("Concat", ["outer", "inner"], ["size"], axis=0),
            helper.make_node("Resize", ["p", "", "", "size"], ["y"], mode="linear"),
        ],
        {"inner": np.array([8, 8], np.int64)},
        {"AVERAGE_POOL_2D": 1, "RESIZE_BILINEAR": 1},
    ),
    "rewritten prelu: max(x, slope * x)": (
        [helper.make_node("Mul", ["x", "slope"], ["m"]), helper.make_node("Max", ["x", "m"], ["y"])],
        {"slope": weights(4, 1, 1)},
        {"MUL": 1, "MAXIMUM": 1},
    ),
    "clip to an interval": (
        [helper.make_node("Clip", ["x", "low", "high"], ["y"])],
        {"low": np.float32(-0.25), "high": np.float32(0.75)},
        {"MAXIMUM": 1, "MINIMUM": 1},
    ),
    "clip to relu6": (
        [helper.make_node("Clip", ["x", "low", "high"], ["y"])],
        {"low": np.float32(0), "high": np.float32(6)},
        {"RELU6": 1},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_float_graph_keeps_its_function(case, write_onnx, run_onnx, run_tflite):
    nodes, constants, operators = CASES[case]
    model = write_onnx(nodes, constants, (4, 8, 8))
    x = RNG.normal(size=(3, 4, 8, 8)).astype(np.float32)

    subgraph = lower(model)

    counted = {
        kind: [op.kind for op in subgraph.operators].count(kind) for op in subgraph.operators for kind in [op.kind]
    }
    assert counted == operators
    y = run_tflite(serialize(subgraph), x.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(y.transpose(0, 3, 1, 2), run_onnx(model, x), atol=2e-5, rtol=1e-5)


def test_half_weights_are_stored_in_half_the_bytes(write_onnx, run_onnx, run_tflite):
    model = write_onnx([conv("x", "y", kernel=3, bias=False)], {"w": weights(96, 64, 3, 3)}, (64, 8, 8))
    x = RNG.normal(size=(2, 64, 8, 8)).astype(np.float32)

    full, half = serialize(lower(model)), serialize(lower(model, half_weights=True))

    assert len(half) / len(full) < 0.51
    y, exact = run_tflite(half, x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2), run_onnx(model, x)
    assert np.abs(y - exact).max() < 2e-3 * np.abs(exact).max()


def test_flatten_gives_embeddings_for_any_batch(write_onnx, run_onnx, run_tflite):
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["p"]), helper.make_node("Flatten", ["p"], ["y"], axis=1)]
    model = write_onnx(nodes, {}, (4, 8, 8), output_rank=2)
    x = RNG.normal(size=(5, 4, 8, 8)).astype(np.float32)

    y = run_tflite(serialize(lower(model)), x.transpose(0, 2, 3, 1))

    np.testing.assert_allclose(y, run_onnx(model, x), atol=1e-6)


REFUSED = {
    "Softplus 'soft'": ([helper.make_node("Softplus", ["x"], ["y"], name="soft")], {}),
    "groups of 2 channels": ([conv("x", "y", kernel=1, group=2, bias=False)], {"w": weights(4, 2, 1, 1)}),
    "flattens a 8x8 map": ([helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("Relu", ["f"], ["y"])], {}),
    "joins axis 2": ([helper.make_node("Concat", ["x", "x"], ["y"], axis=2)], {}),
    "resizes by nearest": (
        [helper.make_node("Resize", ["x", "", "", "size"], ["y"], mode="nearest")],
        {"size": np.array([1, 4, 16, 16], np.int64)},
    ),
    "needs as a constant": ([helper.make_node("PRelu", ["x", "x"], ["y"], name="p")], {}),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_tflite_cannot_express_is_named(message, write_onnx):
    nodes, constants = REFUSED[message]
    model = write_onnx(nodes, constants, (4, 8, 8), output_rank=2 if "flatten" in message else 4)
    with pytest.raises(ToolError, match=message):
        lower(model)
