import numpy as np
import pytest
from onnx import helper

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.tflite import TfliteTarget
from ghostface_edge.targets.tflite.kernel_set import KernelSet
from ghostface_edge.targets.tflite.profiling import time_operators


def test_every_operator_of_an_int8_model_is_timed_in_order(qdq_model, tmp_path):
    artifact = tmp_path / "m.tflite"
    TfliteTarget().lower_quantized(qdq_model, artifact, kernels=KernelSet.PORTABLE)

    times = time_operators(artifact, runs=2)

    assert [(time.layer, time.kind, time.output_shape) for time in times[:4]] == [
        ("stem", "CONV_2D", (1, 8, 8, 8)),
        ("stem.act", "PRELU", (1, 8, 8, 8)),
        ("primary", "CONV_2D", (1, 8, 8, 4)),
        ("cheap", "DEPTHWISE_CONV_2D", (1, 8, 8, 4)),
    ]
    assert {time.kind for time in times if not time.delegated} == {"PRELU"}
    assert {time.dtype for time in times} == {"int8"}
    assert all(time.microseconds >= 0 for time in times)
    assert len(times) == sum(TfliteTarget().inspect(artifact).operators.values())


def test_float16_weights_belong_to_their_convolution(write_onnx, tmp_path):
    artifact = tmp_path / "m.tflite"
    weights = np.ones((4, 3, 1, 1), np.float32)
    model = write_onnx([helper.make_node("Conv", ["x", "w"], ["y"])], {"w": weights}, (3, 8, 8))
    TfliteTarget().convert(model, Precision.FP16, artifact)
    assert [(time.kind, time.delegated) for time in time_operators(artifact, runs=2)] == [("CONV_2D", True)]


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "m.tflite").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a TFLite file"):
        time_operators(tmp_path / "m.tflite")
