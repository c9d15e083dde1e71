"""What V2 adds to V1, against every runtime: the whole net, and the bilinear resize alone on odd sizes."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.network.checkpoint import network_of
from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.targets.protocol import Precision, Target
from ghostface_edge.targets.table import TARGETS, fp32_of, load_target

from ..conftest import MakeCheckpoint


@pytest.fixture(params=[runtime for runtime in TARGETS if fp32_of(runtime).runtime == runtime])
def target(request: pytest.FixtureRequest) -> Target:
    target = load_target(request.param)
    try:
        target.require()
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    return target


@pytest.mark.parametrize("stride", [1, 2])
def test_fp32_of_version_2_agrees_with_pytorch(
    target: Target, make_checkpoint: MakeCheckpoint, random_faces: NDArray[np.uint8], tmp_path: Path, stride: int
) -> None:
    checkpoint = make_checkpoint(Architecture(0.2, stride, version=2))
    model, artifact = tmp_path / "model.onnx", tmp_path / f"artifact{target.extension}"
    export_onnx(checkpoint, model, faces=random_faces)
    target.convert(model, Precision.FP32, artifact)
    embedder = target.load(artifact, threads=1, batch=len(random_faces))
    actual = embedder.run(embedder.prepare(random_faces))
    with torch.no_grad():
        inputs = torch.from_numpy(normalize(random_faces).transpose(0, 3, 1, 2).copy())
        expected = network_of(checkpoint)(inputs).numpy()
    cosine = (actual * expected).sum(1) / np.linalg.norm(actual, axis=1) / np.linalg.norm(expected, axis=1)
    assert cosine.min() > 0.9999


@pytest.mark.parametrize(("small", "large"), [(3, 7), (2, 5), (7, 14), (1, 3)])
def test_resize_of_an_odd_map(target: Target, tmp_path: Path, small: int, large: int) -> None:
    """A map of `large` pixels, pooled to `small` = large // 2, and resized back."""
    model, artifact = tmp_path / "resize.onnx", tmp_path / f"artifact{target.extension}"
    onnx.save(_pool_and_resize(small, large), model)
    faces = np.random.default_rng(0).integers(0, 256, (2, large, large, 3), np.uint8)
    target.convert(model, Precision.FP32, artifact)
    embedder = target.load(artifact, threads=1, batch=2)
    actual = embedder.run(embedder.prepare(faces))
    x = torch.from_numpy(normalize(faces).transpose(0, 3, 1, 2).copy())
    resized = functional.interpolate(functional.avg_pool2d(x, 2), (large, large), mode="bilinear")
    expected = functional.conv2d(resized, torch.from_numpy(_reader(large))).flatten(1)
    np.testing.assert_allclose(actual, expected, atol=2e-5)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"faces": x.numpy()})[0], expected, atol=2e-5)


def _pool_and_resize(small: int, large: int) -> onnx.ModelProto:
    """Pool, resize, and a convolution that reads every pixel, so that the output is an embedding."""
    half = {"mode": "linear", "coordinate_transformation_mode": "half_pixel", "axes": [2, 3]}
    nodes = [
        helper.make_node("AveragePool", ["faces"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Resize", ["pooled", "", "", "sizes"], ["resized"], **half),
        helper.make_node("Conv", ["resized", "reader"], ["read"]),
        helper.make_node("Flatten", ["read"], ["embeddings"]),
    ]
    reader = _reader(large)
    graph = helper.make_graph(
        nodes,
        "resize",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["batch", 3, large, large])],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", len(reader)])],
        [numpy_helper.from_array(np.array([large, large]), "sizes"), numpy_helper.from_array(reader, "reader")],
    )
    assert small == large // 2
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def _reader(side: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(0, 0.2, (16, 3, side, side)).astype(np.float32)
