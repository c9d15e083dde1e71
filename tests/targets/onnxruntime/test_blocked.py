"""The rewrite for blocked kernels keeps the function, whatever the slopes."""

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper

from ghostface_edge.targets import onnx_graph
from ghostface_edge.targets.onnxruntime import OnnxruntimeTarget
from ghostface_edge.targets.onnxruntime.blocked import to_blocked
from ghostface_edge.targets.protocol import Precision


def run(model, x):
    import onnxruntime

    content = model.SerializeToString() if isinstance(model, onnx.ModelProto) else model
    return onnxruntime.InferenceSession(content).run(None, {"faces": x})[0]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000), steepest=st.sampled_from([-3.0, 0.0, 0.4, 1.0, 1.5, 40.0]))
def test_the_function_is_kept(write_ghost_network, inputs, seed, steepest):
    path = write_ghost_network(quantized=False, seed=seed, steepest=steepest)
    expected = run(path, inputs)
    actual = run(to_blocked(onnx.load(path)), inputs)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_no_prelu_of_a_map_is_left_and_channels_fill_blocks(write_ghost_network):
    path = write_ghost_network(quantized=False, steepest=1.5)
    blocked = onnx.shape_inference.infer_shapes(to_blocked(onnx.load(path)))
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in blocked.graph.value_info
    }
    prelus = [node for node in blocked.graph.node if node.op_type == "PRelu"]
    assert [shapes[node.output[0]][2:] for node in prelus] == [[1, 1]]
    joined = [shape for shape in shapes.values() if len(shape) == 4]
    assert joined
    assert all(shape[1] % 16 == 0 or shape[1] in {3, 24} for shape in joined)


def optimized_convolutions(content, path):
    """Domain of every convolution as ONNX Runtime would run it here."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(content, options)
    return [node.domain for node in onnx.load(path).graph.node if "Conv" in node.op_type]


def test_every_convolution_is_blocked(write_ghost_network, tmp_path):
    original = onnx.load(write_ghost_network(quantized=False))
    before, after = (
        optimized_convolutions(model.SerializeToString(), tmp_path / "optimized.onnx")
        for model in (original, to_blocked(original))
    )
    if "com.microsoft.nchwc" not in before:
        pytest.skip("this machine has no blocked kernels")
    assert set(before) != {"com.microsoft.nchwc"}
    assert set(after) == {"com.microsoft.nchwc"}


def test_metadata_and_macs_are_the_networks(write_ghost_network, tmp_path):
    path, artifact = write_ghost_network(quantized=False), tmp_path / "model.onnx"
    OnnxruntimeTarget().convert(path, Precision.FP32, artifact)
    metadata = {entry.key: entry.value for entry in onnx.load(artifact).metadata_props}
    assert metadata["preprocessing"] == "RGB"
    macs = onnx_graph.macs_by_precision(onnx_graph.load(path))
    assert onnx_graph.inspect(artifact).macs_by_precision == macs
    OnnxruntimeTarget().convert(path, Precision.FP16, artifact)
    assert onnx_graph.inspect(artifact).macs_by_precision == {"fp16": macs["fp32"]}


def test_a_graph_with_other_operators_comes_back_as_it_is(write_graph):
    model = onnx.load(write_graph([helper.make_node("Softplus", ["faces"], ["embeddings"])], {}))
    assert to_blocked(model) is model
