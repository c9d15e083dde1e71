"""ncnn's files: what is written computes what ONNX Runtime does, and what others wrote is looked at first."""

import math
import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

pytest.importorskip("ncnn", reason="ncnn is not installed")
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.ncnn import NcnnTarget
from ghostface_edge.targets.ncnn.lowering import bottom_scale, lower
from ghostface_edge.targets.ncnn.model import read_model
from ghostface_edge.targets.ncnn.stock import quantized, threshold
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.quant_params import QuantParams

FACES = np.random.default_rng(7).integers(0, 256, (3, 28, 28, 3), dtype=np.uint8)


def embed(artifact, batch=3):
    embedder = NcnnTarget().load(artifact, 1, batch)
    return embedder.run(embedder.prepare(FACES[:batch]))


def by_onnxruntime(model):
    import onnxruntime

    inputs = np.ascontiguousarray((FACES.astype(np.float32) - 127.5).transpose(0, 3, 1, 2) / 128)
    return onnxruntime.InferenceSession(model).run(None, {"faces": inputs})[0]


def model_of(*nodes, size=28):
    """Nodes as ONNX; the last one's output becomes the embedding."""
    ends = [
        helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["batch", 3, size, size]),
        helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", "size"]),
    ]
    flat = helper.make_node("Flatten", [nodes[-1].output[0]], ["embeddings"], axis=1)
    graph = helper.make_graph([*nodes, flat], "tiny", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def test_a_float_network_is_the_same_function(write_ghost_network, tmp_path):
    model, artifact = write_ghost_network(quantized=False), tmp_path / "net.param"
    NcnnTarget().convert(model, Precision.FP32, artifact)
    np.testing.assert_allclose(embed(artifact), by_onnxruntime(model), atol=1e-4)


def test_operators_of_the_second_version(second_version, tmp_path):
    def stored(name, values):
        return helper.make_node(
            "Constant", [], [name], value=onnx.numpy_helper.from_array(np.asarray(values), f"{name}.value")
        )

    nodes, constants = second_version
    made = [stored(name, values) for name, values in constants.items()]
    onnx.save(model_of(*made, *nodes), tmp_path / "net.onnx")
    lower(tmp_path / "net.onnx").write(tmp_path / "net.param")
    np.testing.assert_allclose(embed(tmp_path / "net.param"), one_by_one(tmp_path / "net.onnx"), atol=1e-5)


def one_by_one(model):
    """The sizes of its Resize are those of one face."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model)
    inputs = np.ascontiguousarray((FACES.astype(np.float32) - 127.5).transpose(0, 3, 1, 2) / 128)
    return np.concatenate([session.run(None, {"faces": face[None]})[0] for face in inputs])


@pytest.mark.parametrize(
    ("node", "says"),
    [
        (helper.make_node("Tanh", ["faces"], ["made"], "squashed"), "Tanh 'squashed' has no ncnn rule"),
        (helper.make_node("Concat", ["faces", "faces"], ["made"], "tall", axis=2), "Concat 'tall' joins along"),
        (helper.make_node("AveragePool", ["faces"], ["made"], "pool", kernel_shape=[2, 2], pads=[1] * 4), "is padded"),
        (helper.make_node("Add", ["faces", "faces", "faces"], ["made"], "three"), "does not join two"),
    ],
)
def test_what_cannot_be_said_in_ncnn_is_named(node, says, tmp_path):
    onnx.save(model_of(node), tmp_path / "net.onnx")
    with pytest.raises(ToolError, match=says):
        NcnnTarget().convert(tmp_path / "net.onnx", Precision.FP32, tmp_path / "net.param")
    assert not (tmp_path / "net.param").exists()


def test_integers_are_the_qdq_models_own(ghost_qdq, tmp_path):
    target, artifact = NcnnTarget(), tmp_path / "net.param"
    target.lower_quantized(ghost_qdq, artifact)
    info = target.inspect(artifact)
    assert info.macs_by_precision.keys() == {"int8"}
    initializers = {each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(ghost_qdq).graph.initializer}
    weights = next(
        values
        for name, values in initializers.items()
        if "cheap" in name and values.dtype == np.int8 and values.ndim == 4
    )
    assert weights.tobytes() in artifact.with_suffix(".bin").read_bytes()
    cosine = np.corrcoef(embed(artifact).ravel(), by_onnxruntime(ghost_qdq).ravel())[0, 1]
    assert cosine > 0.98
    target.lower_quantized(ghost_qdq, tmp_path / "again.param")
    for ending in (".param", ".bin"):
        assert artifact.with_suffix(ending).read_bytes() == (tmp_path / f"again{ending}").read_bytes()


def test_what_a_qdq_model_leaves_in_float_stays_float(mixed_qdq, tmp_path):
    NcnnTarget().lower_quantized(mixed_qdq, tmp_path / "net.param")
    macs = NcnnTarget().inspect(tmp_path / "net.param").macs_by_precision
    assert macs["fp32"] == 24 * 20
    assert macs["int8"] > macs["fp32"]


def test_grids_become_symmetric():
    assert bottom_scale(QuantParams(1 / 128, 0)) == 128
    assert bottom_scale(QuantParams(0.5, -128)) == pytest.approx(127 / 127.5)
    assert bottom_scale(QuantParams(0.5, 100)) == pytest.approx(127 / 114)


def test_the_stock_threshold_cuts_a_long_tail():
    """Where all is even nothing is cut; a few far values are."""
    even = np.full(2048, 100)
    assert threshold(even, 8.0) == pytest.approx(8.0, rel=0.01)
    tailed = np.zeros(2048, np.int64)
    tailed[:256] = 1000
    tailed[-1] = 1
    assert threshold(tailed, 8.0) < 2


def test_stock_weights_follow_ncnns_rule(write_ghost_network):
    layers = {layer.output: layer for layer in lower(write_ghost_network(quantized=False)).layers}
    for name, steps in (("stem", 31), ("primary", 127), ("cheap", 127)):
        layer = layers[name]
        made = quantized(layer, 2.0)
        integers = np.frombuffer(made.weights, np.int8, layer.number(6), 4).reshape(layer.number(0), -1)
        assert (np.abs(integers).max(axis=1) == steps).all(), "6 bits where Winograd's transform may run"
        assert np.frombuffer(made.weights[-4:], "<f4")[0] == np.float32(127 / 2.0)


@pytest.fixture(scope="module")
def written(write_ghost_network, tmp_path_factory):
    artifact = tmp_path_factory.mktemp("ncnn") / "net.param"
    lower(write_ghost_network(quantized=True)).write(artifact)
    return artifact


def test_what_was_written_is_read_back(written, tmp_path):
    model = read_model(written)
    model.write(tmp_path / "again.param")
    assert (tmp_path / "again.param").read_bytes() == written.read_bytes()
    assert model.shapes()["ghost"] == (20, 28, 28)
    assert math.prod(model.shapes()[model.layers[-1].output]) == 24


@pytest.mark.parametrize(
    ("pattern", "by", "says"),
    [
        ("^7767517", "7767516", "does not begin"),
        ("PReLU ", "Exp ", "kind 'Exp'"),
        ("0=28 1=28 2=3", "0=28 1=28 2=4", "weights in 1 groups"),
        ("0=28 1=28 2=3", "0=99999 1=99999 2=3", "is \\(3, 99999, 99999\\)"),
        ("3=1 13=1", "3=0 13=1", "not a readable"),
        ("7=10", "7=3", "begin with"),
        ("8=1", "8=1 19=1", "kind 'ConvolutionDepthWise'|kind 'Convolution'"),
        ("6=540", "6=541", "begin with"),
        ("Input faces 0 1 faces", "Input faces 1 1 faces faces", "not a readable"),
        (r"BinaryOp sum 2 1 attended", "BinaryOp sum 2 1 embed", "not a readable"),
        (
            r"PReLU stem.activation 1 1 stem stem.activation 0=20",
            "PReLU stem.activation 1 1 stem stem.activation 0=19",
            "not a",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(written, tmp_path, pattern, by, says):
    damaged = tmp_path / "net.param"
    text, count = re.subn(pattern, by, written.read_text(), count=1)
    assert count == 1
    damaged.write_text(text)
    damaged.with_suffix(".bin").write_bytes(written.with_suffix(".bin").read_bytes())
    with pytest.raises(InputError, match=says):
        NcnnTarget().load(damaged, 1, 1)


@pytest.mark.parametrize("change", [lambda data: data[:-4], lambda data: data + bytes(4), lambda data: b"\1" + data])
def test_weights_of_another_size_are_refused(written, tmp_path, change):
    damaged = tmp_path / "net.param"
    damaged.write_bytes(written.read_bytes())
    damaged.with_suffix(".bin").write_bytes(change(written.with_suffix(".bin").read_bytes()))
    with pytest.raises(InputError, match="not a readable ncnn model"):
        read_model(damaged)


def test_a_face_is_fed_as_the_page_says(written):
    """docs/ncnn.md: from_pixels, then mean and norm."""
    import ncnn

    embedder = NcnnTarget().load(written, 1, 1)
    mat = ncnn.Mat.from_pixels(np.ascontiguousarray(FACES[0]), ncnn.Mat.PixelType.PIXEL_RGB, 28, 28)
    mat.substract_mean_normalize([127.5] * 3, [1 / 128] * 3)
    np.testing.assert_allclose(np.array(mat), embedder.prepare(FACES[:1])[0], atol=1e-6)
