"""A network with float fallback computes what it did before quantization where it was told to."""

import numpy as np
import onnx
import onnxruntime
import pytest

from ghostface_edge.pipeline.network.parity import onnx_input
from ghostface_edge.pipeline.precision_search.segments import fall_back, find_segments
from ghostface_edge.pipeline.simulation.qdq_reading import read_qdq
from ghostface_edge.pipeline.simulation.qdq_writing import write_qdq
from ghostface_edge.pipeline.simulation.reading import load_program
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import cosines
from ghostface_edge.targets import onnx_graph
from ghostface_edge.targets.onnxruntime.integer_lowering import to_integers

from .conftest import SIDE


class Network:
    """A quantized network and what it was made of."""

    def __init__(self, qdq_file):
        self.program = load_program(qdq_file.with_name("prepared.onnx"))
        self.quantized = read_qdq(qdq_file, self.program)
        self.model = onnx.load(qdq_file)
        self.segments = find_segments(self.program, SIDE)

    def in_float(self, chosen, path):
        write_qdq(fall_back(self.quantized, self.program, self.segments[chosen]), path, image_size=SIDE)
        return onnx.load(path)


@pytest.fixture(scope="module")
def first(qdq_file):
    return Network(qdq_file)


@pytest.fixture(scope="module")
def second(second_qdq_file):
    return Network(second_qdq_file)


def run(model, faces, *, exactly=False):
    options = onnxruntime.SessionOptions()
    if exactly:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {"faces": onnx_input(faces)})[0]


def agreement(model, faces, other, **how):
    return cosines(run(model, faces, **how), other).mean()


def kinds(model):
    return [node.op_type for node in model.graph.node]


def test_a_qdq_model_read_back_and_written_again_is_the_same_model(first, second, qdq_file, second_qdq_file, tmp_path):
    for network, path in ((first, qdq_file), (second, second_qdq_file)):
        write_qdq(network.quantized, tmp_path / "again.onnx", image_size=SIDE)
        assert onnx.load(tmp_path / "again.onnx").graph == onnx.load(path).graph


def test_a_qdq_model_of_another_network_is_refused(first, second_qdq_file):
    with pytest.raises(InputError, match="holds no"):
        read_qdq(second_qdq_file, first.program)


def test_segments_are_the_blocks_and_what_is_around_them(first):
    names = [segment.name for segment in first.segments]
    assert names[:3] == ["stem", "blocks.0.expand.primary", "blocks.1.expand.primary"]
    assert names[-4:] == ["blocks.15.expand.primary", "tail", "pool", "embed"]
    assert len(first.segments) == 20
    macs = onnx_graph.macs_by_precision(onnx.shape_inference.infer_shapes(first.model))
    assert sum(segment.macs for segment in first.segments) == macs["int8"]
    steps = [step for segment in first.segments for step in segment.steps]
    assert sorted(steps) == sorted(step.name for step in first.program.steps)


def test_everything_in_float_is_the_network_before_quantization(first, qdq_file, faces, tmp_path):
    whole = first.in_float(slice(None), tmp_path / "whole.onnx")
    assert not {"QuantizeLinear", "DequantizeLinear"} & set(kinds(whole))
    reference = run(onnx.load(qdq_file.with_name("prepared.onnx")), faces)
    np.testing.assert_allclose(run(whole, faces), reference, atol=1e-4 * np.abs(reference).max())


@pytest.mark.parametrize("chosen", [slice(0, 1), slice(0, 6), slice(3, 9), slice(12, 20), slice(0, 20, 2)])
def test_segments_in_float_stand_between_quantizers_that_stay(first, qdq_file, faces, tmp_path, chosen):
    mixed = first.in_float(chosen, tmp_path / "mixed.onnx")
    expected = sum(segment.macs for segment in first.segments[chosen])
    assert onnx_graph.macs_by_precision(onnx.shape_inference.infer_shapes(mixed))["fp32"] == expected
    assert 0 < kinds(mixed).count("QuantizeLinear") < kinds(first.model).count("QuantizeLinear")
    reference = run(onnx.load(qdq_file.with_name("prepared.onnx")), faces)
    int8 = agreement(first.model, faces, reference, exactly=True)
    assert agreement(mixed, faces, reference, exactly=True) > int8 - 0.002  # the rest rounds otherwise


@pytest.mark.exact_int8
@pytest.mark.parametrize("chosen", [slice(0, 6), slice(3, 9), slice(12, 20)])
def test_onnxruntime_keeps_the_numbers_and_uses_blocked_kernels(first, faces, tmp_path, chosen):
    mixed = first.in_float(chosen, tmp_path / "mixed.onnx")
    lowered = to_integers(mixed)
    assert agreement(lowered, faces, run(mixed, faces, exactly=True)) > 0.995
    prelus = [node.output[0] for node in lowered.graph.node if node.op_type == "PRelu"]
    assert all("attend" in name for name in prelus)  # of one pixel, where there is nothing to gain
    assert "QLinearConv" in kinds(lowered)


@pytest.mark.exact_int8
def test_version_2_has_segments_too(second, faces, tmp_path):
    assert len(second.segments) == 20
    whole = second.in_float(slice(None), tmp_path / "whole.onnx")
    assert agreement(to_integers(whole), faces, run(whole, faces)) > 0.9999
    part = second.in_float(slice(2, 5), tmp_path / "part.onnx")
    lowered = to_integers(part)
    assert {"Resize", "Sigmoid", "AveragePool", "QLinearSigmoid"} <= set(kinds(lowered))
    assert agreement(lowered, faces, run(part, faces, exactly=True)) > 0.95
