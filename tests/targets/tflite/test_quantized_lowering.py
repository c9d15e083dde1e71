import numpy as np
import pytest
from onnx import helper

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.protocol import InputType, Precision
from ghostface_edge.targets.qdq import constant, graph_of
from ghostface_edge.targets.quant_params import QuantParams
from ghostface_edge.targets.tflite import TfliteTarget, lowering
from ghostface_edge.targets.tflite.annotated_graph import read_annotated
from ghostface_edge.targets.tflite.conv_weights import ConvWeights, read_conv_weights
from ghostface_edge.targets.tflite.flatbuffer import serialize
from ghostface_edge.targets.tflite.kernel_set import KernelSet
from ghostface_edge.targets.tflite.lowering import lower_quantized

RNG = np.random.default_rng(11)
FACES = RNG.integers(0, 256, (4, 16, 16, 3), np.uint8)


def simulate(qdq_model):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(qdq_model, options, providers=["CPUExecutionProvider"])
    x = (FACES.astype(np.float32) - 127.5) / 128
    return session.run(None, {"x": x.transpose(0, 3, 1, 2)})[0]


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def embed(artifact, batch=4):
    embedder = TfliteTarget().load(artifact, threads=1, batch=batch)
    parts = [FACES[i : i + batch] for i in range(0, len(FACES), batch)]
    return np.concatenate([embedder.run(embedder.prepare(part)) for part in parts])


@pytest.mark.parametrize("kernels", KernelSet)
def test_what_was_simulated_is_what_runs(kernels, qdq_model, tmp_path):
    artifact = tmp_path / "m.tflite"
    TfliteTarget().lower_quantized(qdq_model, artifact, kernels=kernels)

    embeddings = embed(artifact, batch=1 if kernels == KernelSet.PORTABLE else 4)

    assert cosines(embeddings, simulate(qdq_model)).min() > 0.999


def test_every_tensor_is_an_integer(qdq_model, tmp_path):
    for kernels in KernelSet:
        subgraph = lower_quantized(qdq_model, kernels, InputType.INT8)
        assert {tensor.dtype for tensor in subgraph.tensors} == {np.dtype(np.int8), np.dtype(np.int32)}
        assert all(t.quantization for t in subgraph.tensors if t.dtype == np.int8)
    artifact = tmp_path / "m.tflite"
    TfliteTarget().lower_quantized(qdq_model, artifact)
    info = TfliteTarget().inspect(artifact)
    assert (info.input_dtype, info.input_scale, info.input_zero_point) == ("int8", 1 / 128, 0)
    assert info.macs_by_precision == {"fp32": 0, "fp16": 0, "int8": 64 * 8 * 27 + 64 * (32 + 36) + 64 + 512 + 128}


@pytest.mark.parametrize("input_type", InputType)
def test_every_input_type_gives_the_same_embeddings(input_type, qdq_model, tmp_path):
    plain, other = tmp_path / "int8.tflite", tmp_path / "other.tflite"
    TfliteTarget().lower_quantized(qdq_model, plain)
    TfliteTarget().lower_quantized(qdq_model, other, input_type=input_type)
    assert TfliteTarget().inspect(other).input_dtype == input_type.value
    np.testing.assert_array_equal(embed(other), embed(plain))


def test_bytes_enter_as_they_are(qdq_model, tmp_path):
    for input_type, expected in ((InputType.UINT8, FACES), (InputType.INT8, (FACES ^ 0x80).view(np.int8))):
        artifact = tmp_path / f"{input_type}.tflite"
        TfliteTarget().lower_quantized(qdq_model, artifact, input_type=input_type)
        np.testing.assert_array_equal(TfliteTarget().load(artifact, 1, 4).prepare(FACES), expected)


def test_the_first_convolution_sees_the_exact_normalisation(qdq_writer, run_tflite, tmp_path):
    """Camera bytes against (byte - 127.5) / 128 in float64: one output step at most, at the padded border too."""
    built = qdq_writer()
    last = built.conv(built.start(), "stem", (8, 3, 3, 3), 0.04, -3, pads=[0, 0, 1, 1], strides=[2, 2])
    path = built.save(tmp_path / "qdq.onnx", last, rank=4)
    subgraph = lower_quantized(path, KernelSet.XNNPACK, InputType.UINT8)

    y = run_tflite(serialize(subgraph), FACES)

    node = next(node for node in graph_of(read_onnx(path)) if node.op_type == "Conv")
    weights, bias = constant(node, 1).real(), read_conv_weights(node).bias
    x = np.pad((FACES - 127.5) / 128, ((0, 0), (0, 1), (0, 1), (0, 0)))
    taps = [(i, j, x[:, i : i + 16 : 2, j : j + 16 : 2]) for i in range(3) for j in range(3)]
    real = sum(pixels @ weights[:, :, i, j].T for i, j, pixels in taps) + bias - weights.sum((1, 2, 3)) / 256
    assert np.abs(y - np.rint(real / 0.04 - 3).clip(-128, 127)).max() <= 1


def test_camera_bytes_need_the_qdq_models_half_step(qdq_writer, tmp_path):
    built = qdq_writer()
    last = built.conv(built.pair("x", 1 / 128, 0), "embed", (4, 3, 16, 16), 0.1)
    path = built.save(tmp_path / "qdq.onnx", last)
    with pytest.raises(ToolError, match="not byte - 128"):
        lower_quantized(path, KernelSet.XNNPACK, InputType.UINT8)


def test_prelu_as_maximum_rounds_as_the_simulation_does(qdq_writer, run_tflite, tmp_path):
    """Every int8 value in every channel, half a step at most; LiteRT's own PRELU is off by up to one."""
    slopes = np.array([-1, -0.93, -0.31, 0, 0.02, 0.47, 0.77, 1])
    built = qdq_writer()
    last = built.prelu(built.pair("x", 0.844, -6), "act", slopes, 0.664, -42)
    path = built.save(tmp_path / "prelu.onnx", last, rank=4, channels=8)
    integers = np.repeat(np.arange(-128, 128, dtype=np.int8).reshape(1, 16, 16, 1), 8, axis=3)

    y = run_tflite(serialize(lower_quantized(path, KernelSet.XNNPACK, InputType.INT8)), integers)

    real = 0.844 * (integers.astype(float) + 6)
    exact = np.where(real > 0, real, real * np.rint(slopes * 127) / 127) / 0.664 - 42
    assert np.abs(y - exact.clip(-128, 127)).max() < 0.5 + 1e-6


def test_concat_inputs_of_another_scale_are_rescaled(network, tmp_path):
    built, last = network(concat_scales=(0.05, 0.08))
    path = built.save(tmp_path / "qdq.onnx", last)
    subgraph = lower_quantized(path, KernelSet.PORTABLE, InputType.INT8)
    assert [op.kind for op in subgraph.operators].count("QUANTIZE") == 1
    (concat,) = [op for op in subgraph.operators if op.kind == "CONCATENATION"]
    assert len({subgraph.tensors[index].quantization for index in (*concat.inputs, *concat.outputs)}) == 1


def test_slopes_above_one_stay_a_prelu(network, tmp_path):
    built, last = network(steepest=1.7)
    path = built.save(tmp_path / "qdq.onnx", last)
    kinds = [op.kind for op in lower_quantized(path, KernelSet.XNNPACK, InputType.INT8).operators]
    assert ("PRELU" in kinds, "MAXIMUM" in kinds) == (True, False)
    artifact = tmp_path / "m.tflite"
    TfliteTarget().lower_quantized(path, artifact)
    assert cosines(embed(artifact), simulate(path)).min() > 0.999


def test_a_tensor_left_in_float_is_named(qdq_writer, tmp_path):
    built = qdq_writer()
    x = built.start()
    built.nodes.append(helper.make_node("Relu", [x], ["loose"]))
    path = built.save(tmp_path / "qdq.onnx", "loose", rank=4)
    with pytest.raises(ToolError, match="'loose'"):
        lower_quantized(path, KernelSet.XNNPACK, InputType.INT8)


def test_a_pair_that_does_not_undo_itself_is_refused(qdq_writer, tmp_path):
    built = qdq_writer()
    x = built.start()
    built.nodes[-1].input[2] = built.constant("other", np.int8(4))
    path = built.save(tmp_path / "qdq.onnx", built.node("Relu", [x], "r", 0.01), rank=4)
    with pytest.raises(ToolError, match="does not undo"):
        read_annotated(path)


def test_a_bias_beyond_int32_widens_the_weights_step():
    image, filters = QuantParams(0.008, 0), np.array([[[[5]]], [[[100]]]], np.int8)
    weights = ConvWeights(filters, np.array([6.5, 6.5]), np.array([1e-12, 0.01])).fitting(image)
    bias, quantization = weights.stored_bias(image)
    np.testing.assert_allclose(bias * np.array(quantization.scales), [6.5, 6.5], rtol=1e-6)
    assert weights.filters.ravel().tolist() == [0, 100]


def test_fp32_is_not_touched_by_int8_forms(write_onnx, tmp_path):
    slopes = np.ones((3, 1, 1), np.float32) / 2
    artifact = tmp_path / "m.tflite"
    model = write_onnx([helper.make_node("PRelu", ["x", "slope"], ["y"])], {"slope": slopes}, (3, 8, 8))
    TfliteTarget().convert(model, Precision.FP32, artifact)
    assert TfliteTarget().inspect(artifact).operators == {"PRELU": 1}


@pytest.mark.parametrize("kernels", KernelSet)
def test_sharing_scales_changes_bytes_and_no_integer(kernels, qdq_model, run_tflite, monkeypatch):
    shared = lower_quantized(qdq_model, kernels, InputType.INT8)
    monkeypatch.setattr(lowering, "share_scales", lambda _: None)
    apart = lower_quantized(qdq_model, kernels, InputType.INT8)

    integers = (FACES[:1] ^ 0x80).view(np.int8)
    for_bytes = [serialize(subgraph) for subgraph in (shared, apart)]
    results = [run_tflite(content, integers) for content in for_bytes]
    np.testing.assert_array_equal(*results)
    assert len(for_bytes[0]) < len(for_bytes[1])
    convolutions = [op for op in shared.operators if "CONV_2D" in op.kind]
    equal = [
        shared.tensors[op.inputs[1]].quantization.scales == shared.tensors[op.inputs[2]].quantization.scales
        for op in convolutions
    ]
    assert (equal[0], equal[-1], equal.count(True)) == (False, True, 2), "one for each group of tied tensors"
    for index in (*shared.inputs, *shared.outputs):
        assert shared.tensors[index] == apart.tensors[index]
