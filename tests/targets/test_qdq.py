"""A QDQ model says the same in int8 and in uint8, and every lowering writes the same file of both."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.qdq import graph_of, stored
from ghostface_edge.targets.table import load_target


def in_uint8(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model with activations and weights stored 128 higher."""
    shifted = {
        name
        for node in model.graph.node
        if node.op_type in {"QuantizeLinear", "DequantizeLinear"}
        for name in (node.input[0], node.input[2])
    }
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.name in shifted and values.dtype == np.int8:
            tensor.CopyFrom(numpy_helper.from_array((values.astype(np.int16) + 128).astype(np.uint8), tensor.name))
    return model


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino", "tflite", "tflite-micro"])
def test_int8_and_uint8_give_the_same_file(runtime, ghost_qdq, tmp_path):
    target = load_target(runtime)
    pytest.importorskip({"openvino": "openvino"}.get(runtime, "ai_edge_litert"), reason=f"{runtime} is not installed")
    unsigned = tmp_path / "uint8.onnx"
    onnx.save(in_uint8(read_onnx(ghost_qdq)), unsigned)
    artifacts = [tmp_path / f"{name}{target.extension}" for name in ("signed", "unsigned")]
    for model, artifact in zip((ghost_qdq, unsigned), artifacts, strict=True):
        target.lower_quantized(model, artifact)
    # of OpenVINO's two files the one with the numbers: the other counts constants through the life of a process
    one, other = (target.files(artifact)[-1].read_bytes() for artifact in artifacts)
    assert one == other


def test_weights_in_another_file_are_refused(write_ghost_network, tmp_path):
    path = tmp_path / "split.onnx"
    model = onnx.load(write_ghost_network(quantized=False))
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(InputError, match="in another file"):
        read_onnx(path)


def test_scales_along_an_axis_that_weights_do_not_have_are_refused(ghost_qdq):
    model = read_onnx(ghost_qdq)
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "DequantizeLinear" and attribute.name == "axis":
                attribute.i = 7
    weights = [node.inputs[1] for node in graph_of(model) if node.op_type == "Conv"]
    with pytest.raises(InputError, match="scales along axis 7"):
        list(map(stored, weights))
