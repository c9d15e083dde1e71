"""A QDQ model becomes an OpenVINO model that computes in integers and gives the QDQ model's numbers."""

import numpy as np
import pytest
from onnx import helper

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.openvino import OpenvinoTarget
from ghostface_edge.targets.openvino.lowering import lower

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
SIDE = 28


def runtime_layers(artifact):
    """Kind, kernel and precision of every layer as compiled for one face."""
    core = openvino.Core()
    model = core.read_model(artifact)
    model.reshape([1, 3, SIDE, SIDE])
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for layer in compiled.get_runtime_model().get_ordered_ops():
        notes = layer.get_rt_info()
        yield layer.get_friendly_name(), notes["layerType"].astype(str), notes["primitiveType"].astype(str)


def embed(artifact, x):
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(artifact), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.concatenate([compiled([row])[0] for row in x[:, None]])


@pytest.mark.exact_int8
def test_the_numbers_are_the_qdq_models(ghost_qdq, run_exactly, inputs, tmp_path):
    artifact = tmp_path / "model.xml"
    OpenvinoTarget().lower_quantized(ghost_qdq, artifact)
    expected, actual = run_exactly(ghost_qdq, inputs), embed(artifact, inputs)
    step = np.abs(expected).max() / 127
    assert np.abs(actual - expected).mean() < step  # one rounding less before each PReLU
    assert np.corrcoef(actual.ravel(), expected.ravel())[0, 1] > 0.99


def test_every_convolution_runs_in_integers_with_its_prelu_inside(ghost_qdq, tmp_path):
    artifact = tmp_path / "model.xml"
    OpenvinoTarget().lower_quantized(ghost_qdq, artifact)
    layers = list(runtime_layers(artifact))
    convolutions = [kernel for _, kind, kernel in layers if kind in {"Convolution", "GroupConvolution"}]
    assert len(convolutions) == 7
    assert all(kernel.endswith("I8") for kernel in convolutions)
    assert not [name for name, kind, _ in layers if kind == "PRelu"]
    assert not [kernel for _, kind, kernel in layers if kind == "Concat" and "f32" in kernel]


def test_what_the_file_says_twice_is_left_out(ghost_qdq, tmp_path):
    artifact = tmp_path / "model.xml"
    OpenvinoTarget().lower_quantized(ghost_qdq, artifact)
    text = artifact.read_text()
    assert "\n" not in text.partition("?>")[2].strip()
    assert text.count('name="primitives_priority"') == 7
    model = openvino.Core().read_model(artifact)
    assert [model.input().get_any_name(), model.output().get_any_name()] == ["faces", "embeddings"]
    assert model.output().partial_shape[0].is_dynamic


@pytest.mark.exact_int8
def test_a_tensor_off_the_grid_stays_float(mixed_qdq, run_exactly, inputs, tmp_path):
    artifact = tmp_path / "model.xml"
    OpenvinoTarget().lower_quantized(mixed_qdq, artifact)
    difference = np.abs(embed(artifact, inputs) - run_exactly(mixed_qdq, inputs))
    assert difference.mean() < 0.75 * 6 / 255  # in steps of the grid
    assert difference.max() < 4 * 6 / 255
    macs = OpenvinoTarget().inspect(artifact).macs_by_precision
    assert set(macs) == {"int8", "fp16"}  # its weights are stored as float16


def test_float_layers_do_not_get_kernels_for_integers(mixed_qdq, ghost_qdq, tmp_path):
    counts = []
    for index, qdq_model in enumerate((ghost_qdq, mixed_qdq)):
        artifact = tmp_path / f"{index}.xml"
        OpenvinoTarget().lower_quantized(qdq_model, artifact)
        counts.append(artifact.read_text().count('value="cpu:jit_avx512_1x1"'))
    assert counts[0] == counts[1] + 1


def test_an_operator_without_a_rule_is_named(write_graph):
    path = write_graph([helper.make_node("Softplus", ["faces"], ["embeddings"], "odd")], {})
    with pytest.raises(ToolError, match="Softplus 'odd'"):
        lower(path)


def test_gates_of_version_2(gated_qdq, run_exactly, inputs, tmp_path):
    artifact = tmp_path / "model.xml"
    OpenvinoTarget().lower_quantized(gated_qdq, artifact)
    assert np.abs(embed(artifact, inputs) - run_exactly(gated_qdq, inputs)).max() <= 4 * 6 / 255
