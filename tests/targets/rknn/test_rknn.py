"""What is given to rknn-toolkit2, what is read of its answers, and whose files are refused."""

import numpy as np
import onnx
import pytest

from ghostface_edge.reports.errors import InputError, RuntimeMissingError, ToolError
from ghostface_edge.targets.computed import computed_tensors
from ghostface_edge.targets.judge import judge_artifact
from ghostface_edge.targets.protocol import INPUT, Precision
from ghostface_edge.targets.rknn import rk3588, rv1106
from ghostface_edge.targets.rknn.model import as_built, beside, cut, read_model, steps, write

from .compiler import SAID

FACES = np.random.default_rng(7).integers(0, 256, (3, 28, 28, 3), dtype=np.uint8)


@pytest.fixture
def ghost_qdq(write_ghost_network):
    """Maps of 7 x 7, as where the networks end: an NPU has no kernels of 28 x 28."""
    return write_ghost_network(quantized=True, stride=4)


@pytest.fixture
def written(ghost_qdq, tmp_path):
    """A file as `write` leaves it, the vendor's part made up."""
    artifact = tmp_path / "net.rknn"
    artifact.write_bytes(b"RKNN" * 100)
    model, settings = as_built(ghost_qdq, "rk3588")
    write(model, settings, SAID, artifact)
    return artifact


def test_pixels_become_integers_without_a_float_operator(ghost_qdq):
    assert onnx.load(ghost_qdq).graph.node[0].op_type == "Add"
    model, settings = as_built(ghost_qdq, "rv1106")
    assert (settings.mean, settings.side, settings.disable_rules) == (128.0, 28, ("fuse_concat_conv",))
    assert [node.op_type for node in model.graph.node if "faces" in node.input] == ["QuantizeLinear"]
    assert "pixel_shift" not in {tensor.name for tensor in model.graph.initializer}
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1
    onnx.checker.check_model(model)


def test_a_float_network_keeps_its_own_mean(write_ghost_network):
    model, settings = as_built(write_ghost_network(quantized=False), "rk3566")
    assert (settings.mean, settings.disable_rules, settings.ranges) == (127.5, (), None)
    assert "QuantizeLinear" not in {node.op_type for node in model.graph.node}


def test_the_compilers_table_is_read(written):
    info = rk3588().inspect(written)
    assert info.macs_by_precision == {"int8": 14 * 14 * (8 * 27 + 16 * 9)}
    assert info.operators == {"Concat": 1, "Conv": 1, "ConvPRelu": 1, "Reshape": 1}
    assert (info.input_shape, info.input_dtype, info.constants_bytes) == ((1, 28, 28, 3), "uint8", 400)
    estimate = info.estimate
    assert (estimate.accelerator, estimate.cycles, estimate.inference_ms) == ("RK3588", 80, None)
    assert (estimate.npu_operators, estimate.cpu_operators) == (3, 1)
    assert estimate.not_int8 == ("ghost (fp16)",)
    assert (estimate.sram_kib, estimate.flash_kib) == (330.75, 923.125)
    assert estimate.macs_per_cycle == pytest.approx(14 * 14 * (8 * 27 + 16 * 9) / 80)


def test_a_compiler_that_says_nothing_of_its_layers_is_another_one(ghost_qdq, tmp_path):
    artifact = tmp_path / "net.rknn"
    artifact.write_bytes(b"RKNN")
    with pytest.raises(ToolError, match="no table of layers"):
        write(*as_built(ghost_qdq, "rk3588"), "I rknn building done.", artifact)
    assert not beside(artifact).exists()


def test_files_of_others_are_refused_before_any_code_of_the_vendors(written):
    judge_artifact(written)
    content, model = written.read_bytes(), beside(written).read_bytes()
    written.write_bytes(content[:-1])
    with pytest.raises(InputError, match=r"was not built from net\.onnx"):
        judge_artifact(written)
    written.write_bytes(content)
    bare = onnx.load_model_from_string(model)
    del bare.metadata_props[:]
    beside(written).write_bytes(bare.SerializeToString())
    with pytest.raises(InputError, match="does not say how it was built"):
        judge_artifact(written)
    beside(written).unlink()
    with pytest.raises(InputError, match=r"net\.onnx"):
        judge_artifact(written)


@pytest.mark.parametrize("text", ["{}", "[" * 5000, '{"settings": 1, "sha256": "0"}'])
def test_metadata_of_others_is_refused(written, text):
    model = onnx.load(beside(written))
    model.metadata_props[0].value = text
    onnx.save(model, beside(written))
    with pytest.raises(InputError, match=r"ghostface-edge\.rknn"):
        read_model(written)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"side":28', '"side":112'),
        ('"side":28', '"side":28,"side":28'),
        ('"mean":128.0', '"mean":1e300'),
        ('"platform":"rk3588"', '"platform":"x\\n::error::"'),
        ('"cycles":30', '"cycles":-30'),
        ('"cycles":30', '"cycles":' + "9" * 5000),
        ('"macs":', '"macs":-'),
    ],
)
def test_an_account_that_cannot_be_is_refused(written, old, new):
    model = onnx.load(beside(written))
    assert old in model.metadata_props[0].value
    model.metadata_props[0].value = model.metadata_props[0].value.replace(old, new, 1)
    onnx.save(model, beside(written))
    with pytest.raises(InputError, match=r"net\.onnx"):
        read_model(written)


def test_grids_are_no_tensors_and_a_part_ends_on_its_grid(ghost_qdq):
    model = onnx.load(ghost_qdq)
    tensors = computed_tensors("faces", steps(model))
    assert tensors[0].operator == INPUT
    assert not {tensor.operator for tensor in tensors} & {"QuantizeLinear", "DequantizeLinear"}
    middle = tensors[len(tensors) // 2].name
    part = cut(model, middle)
    onnx.checker.check_model(part)
    assert part.graph.node[-1].op_type == "DequantizeLinear"
    assert part.graph.output[0].name == f"{middle}.dequantized"
    assert len(part.graph.node) < len(model.graph.node)


def test_what_an_npu_does_not_have_is_refused(ghost_qdq, tmp_path):
    for target, precision in ((rk3588(), Precision.FP32), (rv1106(), Precision.FP16), (rk3588(), Precision.INT8)):
        with pytest.raises(
            InputError, match=f"{target.name} converts to fp16 where its NPU has it, not to {precision}"
        ):
            target.convert(ghost_qdq, precision, tmp_path / "net.rknn")
    assert not list(tmp_path.glob("net.rknn"))


def test_our_integers_are_the_npus(ghost_qdq, run_exactly, tmp_path):
    """The embeddings are the quantized model's own but for roundings, and every convolution is in INT8."""
    target, artifact = rk3588(), tmp_path / "net.rknn"
    try:
        target.require()
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    target.lower_quantized(ghost_qdq, artifact)
    info = target.inspect(artifact)
    assert set(info.macs_by_precision) == {"int8"}
    assert info.estimate.not_int8 == ()
    embedder = target.load(artifact, 1, 3)
    found = embedder.run(embedder.prepare(FACES))
    inputs = np.ascontiguousarray((FACES.astype(np.float32) - 127.5).transpose(0, 3, 1, 2) / 128)
    expected = run_exactly(ghost_qdq, inputs)
    cosine = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    assert cosine.min() > 0.998
