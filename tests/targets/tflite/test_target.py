import numpy as np
import pytest
from onnx import helper

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.targets.protocol import Layout, Precision
from ghostface_edge.targets.tflite import TfliteTarget, target

TARGET = TfliteTarget()


@pytest.fixture
def faces():
    return np.random.default_rng(1).integers(0, 256, (6, 16, 16, 3), np.uint8)


@pytest.fixture
def model(write_onnx):
    """A face network in small: stem, PReLU, depthwise head, embedding of 8."""
    nodes = [
        helper.make_node("Conv", ["x", "stem", "stem.b"], ["a"], pads=[0, 0, 1, 1], strides=[2, 2]),
        helper.make_node("PRelu", ["a", "slope"], ["b"]),
        helper.make_node("Conv", ["b", "pool"], ["c"], group=6),
        helper.make_node("Conv", ["c", "embed"], ["d"]),
        helper.make_node("Flatten", ["d"], ["y"]),
    ]
    shapes = {"stem": (6, 3, 3, 3), "stem.b": (6,), "slope": (6, 1, 1), "pool": (6, 1, 8, 8), "embed": (8, 6, 1, 1)}
    rng = np.random.default_rng(0)
    constants = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return write_onnx(nodes, constants, (3, 16, 16), output_rank=2)


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize(("precision", "bound"), [(Precision.FP32, 1e-6), (Precision.FP16, 1e-4)])
def test_embeddings_equal_onnx_runtimes(precision, bound, model, faces, run_onnx, tmp_path):
    artifact = tmp_path / "m.tflite"
    TARGET.convert(model, precision, artifact)

    batched = TARGET.load(artifact, threads=1, batch=6)
    single = TARGET.load(artifact, threads=1, batch=1)

    expected = run_onnx(model, ((faces.astype(np.float32) - 127.5) / 128).transpose(0, 3, 1, 2))
    embeddings = batched.run(batched.prepare(faces))
    assert embeddings.dtype == np.float32
    assert cosines(embeddings, expected).min() > 1 - bound
    one_by_one = np.concatenate([single.run(single.prepare(face[None])) for face in faces])
    np.testing.assert_allclose(one_by_one, embeddings, rtol=1e-4, atol=1e-4)


def test_inspect_reads_interface_and_macs(model, tmp_path):
    artifact = tmp_path / "m.tflite"
    TARGET.convert(model, Precision.FP16, artifact)

    info = TARGET.inspect(artifact)

    assert (info.layout, info.input_name, info.input_shape) == (Layout.NHWC, "x", (-1, 16, 16, 3))
    assert (info.input_dtype, info.input_scale, info.input_zero_point) == ("float32", None, None)
    assert info.operators == {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 1, "DEQUANTIZE": 3, "PRELU": 1, "RESHAPE": 1}
    assert info.macs_by_precision == {"fp32": 0, "fp16": 64 * 6 * 27 + 6 * 64 + 8 * 6, "int8": 0}


def test_stock_quantizer_gives_int8_close_to_float(model, faces, tmp_path):
    pytest.importorskip("ai_edge_quantizer", reason="LiteRT's quantizer is not installed")
    full, stock = tmp_path / "full.tflite", tmp_path / "stock.tflite"
    TARGET.convert(model, Precision.FP32, full)
    TARGET.quantize_stock(model, faces, stock)

    exact, rounded = TARGET.load(full, 1, 6), TARGET.load(stock, 1, 6)

    embeddings = rounded.run(rounded.prepare(faces))
    assert cosines(exact.run(exact.prepare(faces)), embeddings).min() > 0.95
    info = TARGET.inspect(stock)
    assert info.input_dtype == "int8"
    assert info.macs_by_precision["int8"] == 64 * 6 * 27 + 6 * 64 + 8 * 6


@pytest.mark.parametrize("content", [b"", b"not a model at all", b"\x1c\0\0\0TFL3", b"\x1c\0\0\0TFL3" + bytes(64)])
def test_damaged_files_are_refused(content, tmp_path):
    artifact = tmp_path / "m.tflite"
    artifact.write_bytes(content)
    with pytest.raises(InputError):
        TARGET.inspect(artifact)


def test_missing_file_is_refused(tmp_path):
    for use in (TARGET.inspect, lambda path: TARGET.load(path, 1, 1)):
        with pytest.raises(InputError, match="does not exist"):
            use(tmp_path / "none.tflite")


def test_a_fixed_batch_stays_fixed(write_onnx, tmp_path):
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["p"]), helper.make_node("Flatten", ["p"], ["y"])]
    artifact = tmp_path / "m.tflite"
    TARGET.convert(write_onnx(nodes, {}, (3, 16, 16), batch=1, output_rank=2), Precision.FP32, artifact)
    assert TARGET.inspect(artifact).input_shape == (1, 16, 16, 3)


def test_int8_is_no_conversion(model, tmp_path):
    with pytest.raises(InputError, match="int8"):
        TARGET.convert(model, Precision.INT8, tmp_path / "m.tflite")
    assert not (tmp_path / "m.tflite").exists()


def test_missing_runtime_names_the_pip_line(monkeypatch, model, tmp_path):
    monkeypatch.setattr(target, "find_spec", lambda _: None)
    with pytest.raises(RuntimeMissingError) as refusal:
        TARGET.require()
    assert refusal.value.fix == "pip install 'ghostface-edge[tflite]'"
    with pytest.raises(RuntimeMissingError):
        TARGET.convert(model, Precision.FP32, tmp_path / "m.tflite")
