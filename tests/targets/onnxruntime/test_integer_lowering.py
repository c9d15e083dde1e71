"""Integer operators give the QDQ model's own numbers."""

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ghostface_edge.targets import onnx_graph
from ghostface_edge.targets.onnxruntime import OnnxruntimeTarget
from ghostface_edge.targets.onnxruntime.integer_lowering import to_integers


@pytest.fixture
def write_stem(write_graph, writer):
    """Pixels, one 3x3 convolution, and all its outputs as the embedding."""

    def write(stride):
        shift = writer.constant("pixel_shift", np.float32(-0.5 / 128))
        writer.node("Add", ["faces", shift], "faces.shifted")
        source = writer.quantize("faces", -1.0, -1.0 + 255 / 128, "faces.shifted")
        head = writer.convolution("stem", source, (6, 3, 3, 3), (-3.0, 3.0), stride=stride, pad=1, scale_in=1 / 128)
        side = 28 // stride
        step = float(writer.grid(-3.0, 3.0)[0])
        head = writer.convolution("pool", head, (6, 1, side, side), (-3.0, 3.0), groups=6, scale_in=step)
        writer.node("Flatten", [head], "embeddings", axis=1)
        return write_graph(writer.nodes, writer.constants)

    return write


def run(model, x):
    import onnxruntime

    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"faces": x})[0]


def kinds(model):
    return [node.op_type for node in model.graph.node]


@pytest.mark.exact_int8
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000), tied=st.booleans(), steepest=st.sampled_from([0.9, 1.0, 1.6]))
def test_the_numbers_are_the_qdq_models(write_ghost_network, run_exactly, inputs, seed, tied, steepest):
    path = write_ghost_network(quantized=True, seed=seed, tied=tied, steepest=steepest)
    expected, actual = run_exactly(path, inputs), run(to_integers(onnx.load(path)), inputs)
    step = 8 / 255
    assert np.abs(actual - expected).max() <= 3 * step + 1e-6
    assert np.abs(actual - expected).mean() <= 0.6 * step


def test_nothing_between_entry_and_exit_is_float(ghost_qdq):
    found = kinds(to_integers(onnx.load(ghost_qdq)))
    assert found.count("QuantizeLinear") == found.count("DequantizeLinear") == found.count("Transpose") == 1
    assert not {"Conv", "PRelu", "Max", "Relu"} & set(found)
    assert found.count("QLinearConv") == 7 + 4  # convolutions and the bends of four PReLUs


@pytest.mark.exact_int8
def test_steep_slopes_stay_in_integers_and_exact(write_ghost_network, run_exactly, inputs):
    path = write_ghost_network(quantized=True, steepest=1.6)
    lowered = to_integers(onnx.load(path))
    assert not {"PRelu", "Max"} & set(kinds(lowered))
    assert kinds(lowered).count("QLinearConv") == 7 + 2 * 4
    assert np.abs(run(lowered, inputs) - run_exactly(path, inputs)).max() <= 8 / 255 + 1e-6


def test_a_prelu_whose_grids_differ_is_computed_in_float_and_no_other_node(write_ghost_network):
    found = kinds(to_integers(onnx.load(write_ghost_network(quantized=True, tied=False))))
    assert found.count("Max") == 4
    assert found.count("QLinearConv") == 7


@pytest.mark.exact_int8
def test_a_convolution_off_the_grid_stays_float(mixed_qdq, run_exactly, inputs):
    lowered = to_integers(onnx.load(mixed_qdq))
    assert kinds(lowered).count("Conv") == 1
    np.testing.assert_allclose(run(lowered, inputs), run_exactly(mixed_qdq, inputs), atol=0.1)


def test_inspect_counts_the_networks_macs_and_metadata_stays(ghost_qdq, tmp_path):
    artifact = tmp_path / "model.onnx"
    OnnxruntimeTarget().lower_quantized(ghost_qdq, artifact)
    expected = onnx_graph.macs_by_precision(onnx_graph.load(ghost_qdq))
    assert onnx_graph.inspect(artifact).macs_by_precision == expected
    assert list(expected) == ["int8"]
    assert {entry.key for entry in onnx.load(artifact).metadata_props} >= {"preprocessing"}


def test_half_of_the_pixels_are_not_rounded_away(ghost_qdq, run_exactly):
    """Neighbouring pixel values give different embeddings, as in the QDQ model."""
    pixels = np.full((2, 3, 28, 28), 100.0, np.float32)
    pixels[1] += 1
    x = ((pixels - 127.5) / 128).astype(np.float32)
    actual = run(to_integers(onnx.load(ghost_qdq)), x)
    np.testing.assert_allclose(actual, run_exactly(ghost_qdq, x), atol=0.1)
    assert (actual[0] != actual[1]).any()


@pytest.mark.parametrize("batch", [1, 5])
def test_any_batch(ghost_qdq, inputs, batch):
    lowered = to_integers(onnx.load(ghost_qdq))
    alone = np.concatenate([run(lowered, inputs[at : at + 1]) for at in range(batch)])
    np.testing.assert_array_equal(run(lowered, inputs[:batch]), alone)


@pytest.mark.exact_int8
@pytest.mark.parametrize("stride", [1, 2])
def test_a_stem_computes_four_columns_at_a_time(write_stem, run_exactly, inputs, stride):
    """28 columns are a multiple of four, 14 are not."""
    path = write_stem(stride)
    lowered = to_integers(onnx.load(path))
    stem = next(node for node in lowered.graph.node if node.output[0].startswith("stem"))
    strides = next(list(attribute.ints) for attribute in stem.attribute if attribute.name == "strides")
    assert strides == ([1, 4] if stride == 1 else [2, 2])
    np.testing.assert_allclose(run(lowered, inputs), run_exactly(path, inputs), atol=1e-6)


@pytest.mark.exact_int8
def test_gates_of_version_2_stay_in_integers(gated_qdq, run_exactly, inputs):
    lowered = to_integers(onnx.load(gated_qdq))
    assert {"QLinearAveragePool", "QLinearSigmoid", "Resize", "QLinearMul"} <= set(kinds(lowered))
    assert kinds(lowered).count("DequantizeLinear") == 1
    assert np.abs(run(lowered, inputs) - run_exactly(gated_qdq, inputs)).max() <= 4 * 6 / 255
