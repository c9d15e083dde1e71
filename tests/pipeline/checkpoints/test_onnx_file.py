import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network.architecture import Activation, Architecture
from ghostface_edge.pipeline.network.checkpoint import Checkpoint, network_of
from ghostface_edge.pipeline.network.preprocessing import METADATA_KEY, ColourOrder, Preprocessing
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.protocol import Layout

from ..conftest import MakeCheckpoint

ARCHITECTURES = [
    Architecture(0.2),
    Architecture(0.3, stride=1, activation=Activation.RELU, embedding_size=64),
    Architecture(0.2, version=2),
    Architecture(0.25, stride=1, version=2, image_size=96),
]


def embeddings(checkpoint: Checkpoint) -> NDArray[np.float32]:
    side = checkpoint.architecture.image_size
    noise = np.random.default_rng(4).uniform(-1, 1, (2, 3, side, side)).astype(np.float32)
    with torch.no_grad():
        return network_of(checkpoint)(torch.from_numpy(noise)).numpy()


@pytest.fixture
def exported(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> Callable[..., tuple[Checkpoint, Path]]:
    def export(architecture: Architecture, batch: int | None = None) -> tuple[Checkpoint, Path]:
        checkpoint = make_checkpoint(architecture)
        side = architecture.image_size
        faces = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)
        export_onnx(checkpoint, tmp_path / "model.onnx", faces=faces, batch=batch)
        return checkpoint, tmp_path / "model.onnx"

    return export


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_an_exported_checkpoint_comes_back(
    exported: Callable[..., tuple[Checkpoint, Path]], architecture: Architecture
) -> None:
    checkpoint, path = exported(architecture)
    loaded = load_checkpoint(path)
    assert loaded.architecture == architecture
    assert loaded.preprocessing == Preprocessing()
    np.testing.assert_allclose(embeddings(loaded), embeddings(checkpoint), atol=1e-4)


@pytest.mark.parametrize(("version", "batch"), [(1, None), (2, 1)])
def test_pytorchs_own_export(make_checkpoint: MakeCheckpoint, tmp_path: Path, version: int, batch: int | None) -> None:
    checkpoint, path = make_checkpoint(Architecture(0.2, version=version)), tmp_path / "torch.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network_of(checkpoint),
            (torch.zeros(batch or 2, 3, 112, 112),),
            path,
            dynamo=False,
            opset_version=17,
            input_names=["x"],
            dynamic_axes=None if batch else {"x": {0: "n"}},
        )
    loaded = load_checkpoint(path)
    assert loaded.architecture == checkpoint.architecture
    np.testing.assert_allclose(embeddings(loaded), embeddings(checkpoint), atol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES[:3], ids=str)
@pytest.mark.parametrize("batch", [None, 1])
def test_the_form_of_tf2onnx(
    exported: Callable[..., tuple[Checkpoint, Path]], architecture: Architecture, batch: int | None
) -> None:
    checkpoint, path = exported(architecture, batch)
    onnx.save(tf2onnx_form(onnx.load(path)), path)
    loaded = load_checkpoint(path)
    assert loaded.architecture == architecture
    assert loaded.preprocessing.layout is Layout.NHWC
    np.testing.assert_allclose(embeddings(loaded), embeddings(checkpoint), atol=1e-4)


def tf2onnx_form(model: ModelProto) -> ModelProto:
    """NHWC input behind a Transpose, BatchNorm, PReLU and hard sigmoid spelled out, pooling by ReduceMean."""
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    nodes, more = [], {}

    def constant(name: str, value: object) -> str:
        more[name] = np.asarray(value, np.float32)
        return name

    entry = model.graph.input[0]
    batch, channels, height, width = entry.type.tensor_type.shape.dim
    del entry.type.tensor_type.shape.dim[:]
    entry.type.tensor_type.shape.dim.extend((batch, height, width, channels))
    entry.name = "input_1"
    nodes.append(helper.make_node("Transpose", ["input_1"], ["faces"], perm=[0, 3, 1, 2]))
    for node in model.graph.node:
        x, y = node.input[0], node.output[0]
        if node.op_type == "PRelu":
            slopes = constant(f"{y}.negated", -stored[node.input[1]])
            nodes += [
                helper.make_node("Relu", [x], [f"{y}.positive"]),
                helper.make_node("Neg", [x], [f"{y}.turned"]),
                helper.make_node("Relu", [f"{y}.turned"], [f"{y}.negative"]),
                helper.make_node("Mul", [f"{y}.negative", slopes], [f"{y}.scaled"]),
                helper.make_node("Add", [f"{y}.positive", f"{y}.scaled"], [y]),
            ]
        elif node.op_type == "HardSigmoid":
            alpha, beta = (helper.get_attribute_value(attribute) for attribute in node.attribute)
            nodes += [
                helper.make_node("Mul", [x, constant(f"{y}.alpha", alpha)], [f"{y}.sloped"]),
                helper.make_node("Add", [f"{y}.sloped", constant(f"{y}.beta", beta)], [f"{y}.shifted"]),
                helper.make_node("Clip", [f"{y}.shifted", constant("zero", 0), constant("one", 1)], [y]),
            ]
        elif node.op_type == "GlobalAveragePool":
            nodes.append(helper.make_node("ReduceMean", [x, "spatial"], [y], keepdims=1))
        elif node.op_type == "Conv" and len(node.input) == 3 and "attend" not in node.name:
            bias = stored[node.input[2]]
            gamma = np.random.default_rng(len(nodes)).uniform(0.5, 2, len(bias))
            norm = {"gamma": gamma, "beta": bias, "mean": bias * 0, "variance": gamma**2 - 1e-3}
            names = [constant(f"{y}.{name}", value) for name, value in norm.items()]
            node.input.pop()
            node.output[0] = f"{y}.raw"
            nodes += [node, helper.make_node("BatchNormalization", [f"{y}.raw", *names], [y], epsilon=1e-3)]
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in more.items())
    model.graph.initializer.append(numpy_helper.from_array(np.array([2, 3]), "spatial"))
    del model.graph.value_info[:]
    return model


@pytest.mark.parametrize(
    "declared",
    [
        Preprocessing(ColourOrder.BGR),
        Preprocessing(mean=0.0, scale=255.0),
        Preprocessing(ColourOrder.BGR, 128.0, 127.0),
    ],
    ids=str,
)
def test_other_preprocessing_is_absorbed_on_export(
    make_checkpoint: MakeCheckpoint, random_faces: NDArray[np.uint8], tmp_path: Path, declared: Preprocessing
) -> None:
    made = make_checkpoint(Architecture(0.2))
    checkpoint = Checkpoint(made.path, made.sha256, made.architecture, made.weights, declared)
    assert export_onnx(checkpoint, tmp_path / "model.onnx", faces=random_faces) <= 1e-4
    assert Preprocessing().to_json() in {prop.value for prop in onnx.load(tmp_path / "model.onnx").metadata_props}


def test_a_declared_preprocessing_is_read(exported: Callable[..., tuple[Checkpoint, Path]]) -> None:
    _, path = exported(Architecture(0.2))
    model, declared = onnx.load(path), Preprocessing(ColourOrder.BGR, 0.0, 255.0)
    helper.set_model_props(model, {METADATA_KEY: declared.to_json()})
    onnx.save(model, path)
    assert load_checkpoint(path).preprocessing == declared


def reshape_input(*dims: int) -> Callable[[ModelProto], object]:
    def change(model: ModelProto) -> None:
        entry = helper.make_tensor_value_info("faces", TensorProto.FLOAT, dims)
        model.graph.input[0].CopyFrom(entry)
        del model.graph.value_info[:]
        model.graph.output[0].CopyFrom(helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, [None, None]))

    return change


def node_of(model: ModelProto, kind: str) -> onnx.NodeProto:
    return next(node for node in model.graph.node if node.op_type == kind)


def drop_activation(model: ModelProto) -> None:
    gone = next(node for node in model.graph.node if node.name == "blocks.4.expand.primary.activation")
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            if name == gone.output[0]:
                node.input[index] = gone.input[0]
    model.graph.node.remove(gone)


def steeper(model: ModelProto) -> None:
    for attribute in node_of(model, "HardSigmoid").attribute:
        if attribute.name == "alpha":
            attribute.f = 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_activation, r"operators, expected one \(blocks.4.expand.primary\)"),
        (steeper, "computes something else"),
        (reshape_input(1, 3, 112, 96), "expected square RGB"),
        (reshape_input(1, 1, 112, 112), "no RGB images"),
        (reshape_input(1, 3, 160, 160), "are not those of"),
        (lambda m: node_of(m, "Add").__setattr__("op_type", "Sub"), r"Add operators, expected one \(blocks.0\)"),
        (lambda m: node_of(m, "Conv").__setattr__("domain", "ai.custom"), "operators are not known"),
    ],
)
def test_another_graph_is_refused(
    exported: Callable[..., tuple[Checkpoint, Path]], change: Callable[[ModelProto], object], message: str
) -> None:
    _, path = exported(Architecture(0.2))
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)
    with pytest.raises(InputError, match=message):
        load_checkpoint(path)


def test_weights_in_another_file_are_refused(exported: Callable[..., tuple[Checkpoint, Path]]) -> None:
    _, path = exported(Architecture(0.2))
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(InputError, match="in another file"):
        load_checkpoint(path)


@pytest.mark.parametrize("keep", [0, 40, 5000])
def test_a_cut_file_is_refused(exported: Callable[..., tuple[Checkpoint, Path]], keep: int) -> None:
    _, path = exported(Architecture(0.2))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError):
        load_checkpoint(path)


def test_a_quantized_model_is_refused(tmp_path: Path) -> None:
    scale, zero = numpy_helper.from_array(np.float32(0.1), "s"), numpy_helper.from_array(np.int8(0), "z")
    graph = helper.make_graph(
        [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("y", TensorProto.INT8, [1, 3, 112, 112])],
        [scale, zero],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), tmp_path / "q.onnx")
    with pytest.raises(InputError, match="quantized already"):
        load_checkpoint(tmp_path / "q.onnx")


def test_the_official_weights_survive_onnx(assets: Path, random_faces: NDArray[np.uint8], tmp_path: Path) -> None:
    official = load_checkpoint(assets / "checkpoints/GN_W0.5_S2_ArcFace_epoch16.h5")
    export_onnx(official, tmp_path / "model.onnx", faces=random_faces)
    loaded = load_checkpoint(tmp_path / "model.onnx")
    assert loaded.architecture == official.architecture
    first, second = embeddings(official), embeddings(loaded)
    first, second = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (first, second))
    np.testing.assert_allclose(second, first, atol=1e-5)
