from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network import parity
from ghostface_edge.pipeline.network.architecture import Activation, Architecture
from ghostface_edge.pipeline.network.checkpoint import Checkpoint, network_of
from ghostface_edge.reports.errors import ParityError
from ghostface_edge.targets.onnx_graph import macs_by_precision

from ..conftest import MakeCheckpoint

OPERATORS = {"Conv", "PRelu", "GlobalAveragePool", "HardSigmoid", "Mul", "Concat", "Add", "Flatten"}
OPERATORS_OF_V2 = {"AveragePool", "Sigmoid", "Resize"}
ARCHITECTURES = [
    Architecture(0.2),
    Architecture(0.2, stride=1, head_bias=True),
    Architecture(0.3, activation=Activation.RELU, embedding_size=64),
    Architecture(0.2, version=2),
    Architecture(0.2, stride=1, version=2),
    Architecture(0.2, version=2, image_size=96),
]


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_export_computes_what_pytorch_computes(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, architecture: Architecture
) -> None:
    side = architecture.image_size
    faces = np.random.default_rng(5).integers(0, 256, (3, side, side, 3), np.uint8)
    path = tmp_path / "model.onnx"
    assert export_onnx(make_checkpoint(architecture), path, faces=faces) <= parity.MAX_ABS_DIFFERENCE


def test_export_of_version_1_is_canonical(
    make_checkpoint: MakeCheckpoint, random_faces: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    export_onnx(make_checkpoint(Architecture(0.2)), path, faces=random_faces)
    model = onnx.load(path)
    assert {node.op_type for node in model.graph.node} == OPERATORS
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 18)]
    assert [entry.name for entry in model.graph.input] == ["faces"]
    assert [entry.name for entry in model.graph.output] == ["embeddings"]
    names = {node.name for node in model.graph.node}
    assert len(names) == len(model.graph.node)
    assert {"stem", "stem.activation", "blocks.3.attend.expand", "blocks.15.project.cheap", "embed"} <= names
    used = Counter(name for node in model.graph.node for name in node.input[1:] if name.endswith(("weight", "bias")))
    assert set(used.values()) == {1}
    assert sum(macs_by_precision(onnx.shape_inference.infer_shapes(model)).values()) > 2_000_000


def test_export_of_version_2_resizes_to_a_size_that_leaves_the_batch_open(
    make_checkpoint: MakeCheckpoint, random_faces: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    export_onnx(make_checkpoint(Architecture(0.2, version=2)), path, faces=random_faces)
    model = onnx.load(path)
    assert {node.op_type for node in model.graph.node} == OPERATORS | OPERATORS_OF_V2
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    resizes = [node for node in model.graph.node if node.op_type == "Resize"]
    assert [stored[node.input[3]].tolist() for node in resizes] == [
        [28, 28], [28, 28], [14, 14], [14, 14], *[[7, 7]] * 6, *[[4, 4]] * 4
    ]  # fmt: skip


@pytest.mark.parametrize("batch", [None, 1, 2])
def test_batch_is_dynamic_unless_fixed(
    make_checkpoint: MakeCheckpoint, random_faces: NDArray[np.uint8], tmp_path: Path, batch: int | None
) -> None:
    path = tmp_path / "model.onnx"
    export_onnx(make_checkpoint(Architecture(0.2)), path, faces=random_faces, batch=batch)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == [batch or "batch", 3, 112, 112]
    assert session.get_outputs()[0].shape == [batch or "batch", 512]


def test_a_difference_is_an_error_and_leaves_no_file(
    make_checkpoint: MakeCheckpoint,
    random_faces: NDArray[np.uint8],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parity, "MAX_ABS_DIFFERENCE", 1e-12)
    path = tmp_path / "model.onnx"
    with pytest.raises(ParityError, match="differs from PyTorch"):
        export_onnx(make_checkpoint(Architecture(0.2)), path, faces=random_faces)
    assert list(tmp_path.iterdir()) == []


def test_export_of_the_official_checkpoint(assets: Path, random_faces: NDArray[np.uint8], tmp_path: Path) -> None:
    checkpoint = load_checkpoint(assets / "checkpoints/GN_W0.5_S2_ArcFace_epoch16.h5")
    path = tmp_path / "model.onnx"
    assert export_onnx(checkpoint, path, faces=random_faces) < 5e-5
    macs = macs_by_precision(onnx.shape_inference.infer_shapes(onnx.load(path)))
    assert macs == {"fp32": 10_715_866}


def test_the_network_of_a_checkpoint_is_ready_to_infer(make_checkpoint: MakeCheckpoint) -> None:
    checkpoint: Checkpoint = make_checkpoint(Architecture(0.2))
    network = network_of(checkpoint)
    assert not network.training
    torch.testing.assert_close(network.stem.conv.weight.data, torch.from_numpy(checkpoint.weights["stem.conv.weight"]))
