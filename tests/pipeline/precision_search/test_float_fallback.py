"""A freed carrier computes what its integers stand for, in float where it was told to."""

import numpy as np
import onnx
import onnxruntime
import pytest

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.pipeline.precision_search.float_fallback import find_segments, free, off_grid
from ghostface_edge.targets import onnx_graph
from ghostface_edge.targets.onnxruntime.integer_lowering import to_integers


def run(model, faces, *, exactly=False):
    options = onnxruntime.SessionOptions()
    if exactly:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {"faces": np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2))})[0]


def cosine(first, second):
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return ((first * second).sum(1) / lengths).mean()


def kinds(model):
    return [node.op_type for node in model.graph.node]


def test_segments_are_the_blocks_and_what_is_around_them(carrier):
    segments = find_segments(carrier)
    names = [segment.name for segment in segments]
    assert names[:3] == ["stem", "blocks.0.expand.primary", "blocks.1.expand.primary"]
    assert names[-4:] == ["blocks.15.expand.primary", "tail", "pool", "embed"]
    assert len(segments) == 20
    macs = onnx_graph.macs_by_precision(onnx.shape_inference.infer_shapes(carrier))
    assert sum(segment.macs for segment in segments) == macs["int8"]
    computing = [node for segment in segments for node in segment.nodes]
    assert len(computing) == len(set(computing))
    assert kinds(carrier).count("Conv") == sum(node.op_type == "Conv" for node in carrier.graph.node)


def test_nothing_freed_is_the_carrier_itself(carrier):
    assert free(carrier, ()) is carrier


@pytest.fixture(scope="module")
def reference(carrier_file, faces):
    """Embeddings of the float network."""
    return run(onnx.load(carrier_file.with_name("prepared.onnx")), faces)


@pytest.fixture(scope="module")
def carrier_cosine(carrier, faces, reference):
    return cosine(run(carrier, faces, exactly=True), reference)


def test_everything_freed_is_the_float_network_with_rounded_weights(carrier, faces, reference, carrier_cosine):
    freed = free(carrier, find_segments(carrier))
    onnx.checker.check_model(freed, full_check=True)
    assert not {"QuantizeLinear", "DequantizeLinear"} & set(kinds(freed))
    assert cosine(run(freed, faces), reference) > 0.995 > carrier_cosine


@pytest.mark.parametrize("chosen", [slice(0, 1), slice(0, 6), slice(3, 9), slice(12, 20), slice(0, 20, 2)])
def test_an_island_stands_between_grids_that_stay(carrier, faces, reference, carrier_cosine, chosen):
    segments = find_segments(carrier)
    freed = free(carrier, segments[chosen])
    onnx.checker.check_model(freed, full_check=True)
    expected = sum(segment.macs for segment in segments[chosen])
    assert onnx_graph.macs_by_precision(freed)["fp32"] == expected
    grids, all_grids = kinds(freed).count("QuantizeLinear"), kinds(carrier).count("QuantizeLinear")
    assert len(off_grid(carrier, freed)) == all_grids - grids > 0
    assert cosine(run(freed, faces, exactly=True), reference) > carrier_cosine - 0.002  # the rest rounds otherwise


@pytest.mark.exact_int8
@pytest.mark.parametrize("chosen", [slice(0, 6), slice(3, 9), slice(12, 20)])
def test_onnxruntime_keeps_the_numbers_and_writes_islands_for_blocked_kernels(carrier, faces, chosen):
    freed = free(carrier, find_segments(carrier)[chosen])
    lowered = to_integers(freed)
    assert cosine(run(lowered, faces), run(freed, faces, exactly=True)) > 0.995
    prelus = [node.output[0] for node in lowered.graph.node if node.op_type == "PRelu"]
    assert all("attend" in name for name in prelus)  # of one pixel, where there is nothing to gain
    assert "QLinearConv" in kinds(lowered)


@pytest.mark.exact_int8
def test_version_2_has_islands_too(second_carrier, faces):
    segments = find_segments(second_carrier)
    assert len(segments) == 20
    whole, part = free(second_carrier, segments), free(second_carrier, segments[2:5])
    assert cosine(run(to_integers(whole), faces), run(whole, faces)) > 0.9999
    lowered = to_integers(part)
    assert {"Resize", "Sigmoid", "AveragePool", "QLinearSigmoid"} <= set(kinds(lowered))
    assert cosine(run(lowered, faces), run(part, faces, exactly=True)) > 0.95
