"""What every target promises, run over every target."""

import sys
from importlib.machinery import PathFinder

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ghostface_edge.reports.errors import GhostfaceEdgeError, InputError, RuntimeMissingError
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import INPUT, STOCK, InputType, Layout, Precision
from ghostface_edge.targets.table import ENVIRONMENTS, TARGETS, VariantId, all_variants, load_target, parse_variants

IMPORTED = {
    "openvino": "openvino",
    "onnxruntime": "onnxruntime",
    "tflite": "ai_edge_litert",
    "tflite-micro": "tflite_micro",
    "c": "ai_edge_litert",
    "ncnn": "ncnn",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small ghost module with a head: every operator kind of the real network, seeded."""
    generator = np.random.default_rng(5)
    constants, nodes = {}, []

    def conv(name, source, channels, out, kernel, *, depthwise=False, stride=1, pads=(0, 0, 0, 0)):
        shape = (out, 1 if depthwise else channels, kernel, kernel)
        constants[f"{name}.weight"] = generator.normal(0, np.prod(shape[1:]) ** -0.5, shape).astype(np.float32)
        constants[f"{name}.bias"] = generator.normal(0, 0.1, out).astype(np.float32)
        inputs = [source, f"{name}.weight", f"{name}.bias"]
        group = channels if depthwise else 1
        nodes.append(
            helper.make_node(
                "Conv", inputs, [name], strides=[stride] * 2, pads=pads, group=group, kernel_shape=[kernel] * 2
            )
        )

    conv("stem", "faces", 3, 8, 3, stride=4, pads=(0, 0, 1, 1))
    constants["slope"] = generator.uniform(-0.5, 1.2, (8, 1, 1)).astype(np.float32)
    nodes.append(helper.make_node("PRelu", ["stem", "slope"], ["act"]))
    conv("cheap", "act", 8, 8, 3, depthwise=True, pads=(1, 1, 1, 1))
    nodes.append(helper.make_node("Concat", ["act", "cheap"], ["ghost"], axis=1))
    nodes.append(helper.make_node("GlobalAveragePool", ["ghost"], ["pooled"]))
    conv("gate", "pooled", 16, 16, 1)
    nodes.append(helper.make_node("HardSigmoid", ["gate"], ["hard"], alpha=0.2, beta=0.5))
    nodes.append(helper.make_node("Mul", ["ghost", "hard"], ["attended"]))
    nodes.append(helper.make_node("Add", ["attended", "ghost"], ["sum"]))
    conv("pool", "sum", 16, 16, 28, depthwise=True)
    conv("embed", "pool", 16, 32, 1)
    nodes.append(helper.make_node("Flatten", ["embed"], ["embeddings"], axis=1))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["batch", 3, 112, 112])],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", 32])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


@pytest.fixture(scope="module")
def faces():
    """Smooth random images: RGB uint8 (20, 112, 112, 3)."""
    small = np.random.default_rng(2).integers(0, 256, (20, 7, 7, 3), dtype=np.uint8)
    return np.stack([cv2.resize(image, (112, 112), interpolation=cv2.INTER_CUBIC) for image in small])


@pytest.fixture(scope="module")
def expected(model, faces):
    import onnxruntime

    inputs = np.ascontiguousarray((faces.astype(np.float32) - 127.5).transpose(0, 3, 1, 2) / 128)
    return onnxruntime.InferenceSession(model).run(None, {"faces": inputs})[0]


@pytest.fixture
def ghost_qdq(write_ghost_network):
    """Maps of 7 x 7, as where the networks end: an NPU has no kernels of 28 x 28."""
    return write_ghost_network(quantized=True, stride=4)


@pytest.fixture(params=sorted(TARGETS))
def runtime(request):
    target = load_target(request.param)
    try:
        target.require()
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture
def worker(runtime, tmp_path):
    with LOCAL.open(RuntimeWorker, runtime, log=tmp_path / "log") as worker:
        yield worker


def need(runtime, precision, suffix=""):
    """Skip what a runtime does not have."""
    if VariantId(runtime, precision, suffix) not in all_variants():
        pytest.skip(f"{runtime} has no {precision} {suffix}".rstrip())


def cosine(a, b):
    return np.einsum("ie,ie->i", a, b) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize(("precision", "lowest"), [(Precision.FP32, 0.999999), (Precision.FP16, 0.9999)])
def test_conversion_keeps_the_function_batched_and_alone(
    runtime, worker, model, faces, expected, tmp_path, precision, lowest
):
    need(runtime, precision)
    artifact = tmp_path / f"tiny{load_target(runtime).extension}"
    worker.convert(model, precision, artifact)
    worker.load(artifact, 1, 8)
    batched = worker.embed(faces)  # 20 faces in batches of 8: the last one is filled up
    assert batched.shape == expected.shape
    assert batched.dtype == np.float32
    assert cosine(batched, expected).min() >= lowest
    worker.load(artifact, 1, 1)
    np.testing.assert_allclose(worker.embed(faces[:3]), batched[:3], rtol=1e-3, atol=1e-4)


def test_half_precision_halves_the_weights(runtime, worker, model, tmp_path):
    need(runtime, Precision.FP32)
    need(runtime, Precision.FP16)
    target = load_target(runtime)
    sizes = []
    for precision in (Precision.FP32, Precision.FP16):
        artifact = tmp_path / f"{precision}{target.extension}"
        worker.convert(model, precision, artifact)
        sizes.append(target.files(artifact)[-1].stat().st_size)
    weights = sum(tensor.ByteSize() for tensor in onnx.load(model).graph.initializer)
    assert sizes[0] - sizes[1] > 0.35 * weights


def test_stock_quantization_gives_an_int8_model_that_runs(runtime, worker, model, faces, expected, tmp_path):
    need(runtime, Precision.INT8, STOCK)
    artifact = tmp_path / f"tiny{load_target(runtime).extension}"
    worker.quantize_stock(model, faces, artifact)
    info = worker.inspect(artifact)
    assert info.macs_by_precision["int8"] > 0.9 * sum(info.macs_by_precision.values())
    worker.load(artifact, 1, 4)
    embeddings = worker.embed(faces)
    assert cosine(embeddings, expected).mean() > 0.8


def test_what_a_runtime_does_not_have_is_refused(model, faces, tmp_path):
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
    micro = load_target("tflite-micro")
    with pytest.raises(InputError, match="runs fp32 and int8, not fp16"):
        micro.convert(model, Precision.FP16, tmp_path / "half.tflite")
    with pytest.raises(InputError, match="no quantizer of its own"):
        micro.quantize_stock(model, faces, tmp_path / "stock.tflite")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("input_type", InputType)
def test_an_input_that_a_runtime_does_not_take_is_refused(runtime, worker, ghost_qdq, tmp_path, input_type):
    target = load_target(runtime)
    artifact = tmp_path / f"tiny{target.extension}"
    if input_type in target.input_types:
        worker.lower_quantized(ghost_qdq, artifact, input_type)
        info = worker.inspect(artifact)
        assert info.input_dtype == input_type
    else:
        with pytest.raises(InputError, match=f"{runtime} takes {target.input_types[0]}, not {input_type}"):
            worker.lower_quantized(ghost_qdq, artifact, input_type)
        assert not artifact.exists()


def test_inspect_reads_interface_and_macs(runtime, worker, model, tmp_path):
    need(runtime, Precision.FP32)
    target = load_target(runtime)
    artifact = tmp_path / f"tiny{target.extension}"
    worker.convert(model, Precision.FP32, artifact)
    info = worker.inspect(artifact)
    assert info.layout is target.layout
    expected = (3, 112, 112) if target.layout is Layout.NCHW else (112, 112, 3)
    assert info.input_shape[1:] == expected
    assert info.macs_by_precision["fp32"] == 28 * 28 * (27 * 8 + 9 * 8) + 16 * 16 + 28 * 28 * 16 + 16 * 32
    assert sum(info.operators.values()) >= 11


def test_timing_gives_one_positive_sample_per_run(runtime, worker, ghost_qdq, tmp_path):
    artifact = tmp_path / f"tiny{load_target(runtime).extension}"
    worker.lower_quantized(ghost_qdq, artifact)
    assert worker.load(artifact, 1, 1) > 0
    samples = worker.time(np.zeros((1, 28, 28, 3), np.uint8), 12)
    assert len(samples) == 12
    assert min(samples) > 0
    assert worker.peak_rss_mb() > 10


def test_a_damaged_artifact_is_an_error_and_no_crash_of_ours(runtime, worker, tmp_path):
    artifact = tmp_path / f"broken{load_target(runtime).extension}"
    artifact.write_bytes(b"\x00not a model" * 50)
    with pytest.raises(GhostfaceEdgeError):
        worker.load(artifact, 1, 1)


def test_a_cut_artifact_ends_at_its_tensor(runtime, worker, ghost_qdq, tmp_path):
    ending, batch = load_target(runtime).extension, 1 if runtime == "tflite-micro" else 3
    whole, part = tmp_path / f"whole{ending}", tmp_path / f"part{ending}"
    worker.lower_quantized(ghost_qdq, whole)
    faces = np.random.default_rng(1).integers(0, 256, (batch, 28, 28, 3), dtype=np.uint8)
    tensors = worker.tensors(whole)
    place = {tensor.name: number for number, tensor in enumerate(tensors)}
    assert tensors[0].operator == INPUT
    assert len(place) == len(tensors) >= 12
    for tensor in tensors[1:]:
        assert max(place[source] for source in tensor.sources) < place[tensor.name]

    def ending_at(tensor):
        worker.cut(whole, tensor.name, part)
        worker.load(part, 1, batch)
        return worker.tensor(faces)

    assert sorted(ending_at(tensors[0]).shape) == sorted(faces.shape)
    middle = ending_at(tensors[len(tensors) // 2])
    assert len(middle) == batch
    assert np.ptp(middle.astype(float)) > 0
    last = ending_at(tensors[-1])
    worker.load(whole, 1, batch)
    np.testing.assert_array_equal(worker.tensor(faces), last)
    real = worker.embed(faces)
    if last.dtype == np.float32:
        np.testing.assert_array_equal(real, last)
    assert np.corrcoef(real.ravel(), last.ravel().astype(float))[0, 1] > 0.999999
    with pytest.raises(InputError, match="computes no tensor 'nowhere'"):
        worker.cut(whole, "nowhere", part)


@pytest.mark.parametrize("runtime_name", sorted(IMPORTED))
def test_a_missing_runtime_names_the_pip_line(runtime_name, monkeypatch):
    """The path-based finder itself is told that the packages are not there."""
    hidden = {IMPORTED[runtime_name], "tflite_runtime"}
    for name in [name for name in sys.modules if name.split(".")[0] in hidden]:
        monkeypatch.delitem(sys.modules, name)
    finders = [Hiding(hidden) if finder is PathFinder else finder for finder in sys.meta_path]
    monkeypatch.setattr(sys, "meta_path", finders)
    with pytest.raises(RuntimeMissingError) as caught:
        load_target(runtime_name).require()
    assert "pip install" in caught.value.fix


@pytest.mark.parametrize("runtime_name", sorted(TARGETS.keys() - IMPORTED))
def test_a_missing_environment_names_the_line_that_installs_it(runtime_name, monkeypatch, tmp_path):
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(tmp_path))
    (name,) = (name for name in ENVIRONMENTS if f"{runtime_name}-".startswith(f"{name}-"))
    with pytest.raises(RuntimeMissingError) as caught:
        load_target(runtime_name).require()
    assert caught.value.fix == f"ghostface-edge targets install {name}"


class Hiding:
    """Finds what is on the path, but for some packages."""

    def __init__(self, packages):
        self.packages = packages

    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] in self.packages else PathFinder.find_spec(name, path, target)


def test_variant_names():
    assert [str(variant) for variant in parse_variants(["tflite"])] == [
        str(variant) for variant in all_variants() if variant.runtime == "tflite"
    ]
    assert [str(variant) for variant in parse_variants(["tflite-fp16", "openvino-fp32", "tflite-fp16"])] == [
        "openvino-fp32",
        "tflite-fp16",
    ]
    assert [str(variant) for variant in parse_variants(["tflite-micro"])] == ["tflite-micro-fp32", "tflite-micro-int8"]
    (ethos,) = parse_variants(["ethos-u", "tflite-micro-int8"])
    assert str(ethos) == "tflite-micro-int8"
    assert [str(variant) for variant in all_variants() if variant.is_firmware] == ["tflite-micro-int8"]
    with pytest.raises(InputError, match="'tflite-micro-fp16'"):
        parse_variants(["tflite-micro-fp16"])
    with pytest.raises(InputError, match="'openvno-int8'") as caught:
        parse_variants(["openvno-int8"])
    assert "did you mean 'openvino-int8" in caught.value.fix
    with pytest.raises(InputError, match="no target was named"):
        parse_variants([])
