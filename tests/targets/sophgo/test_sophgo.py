"""Sophgo's chips: what their tools are given, what is read of what they wrote, and the chip's file against both."""

import hashlib
import re
import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest

from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.targets.places.elsewhere import Elsewhere
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.sophgo.graph import write_float, write_quantized
from ghostface_edge.targets.sophgo.program import read_program
from ghostface_edge.targets.sophgo.target import SOPHGO, bm1684x, cv181x
from ghostface_edge.targets.sophgo.vendor import ChipModel, pack, timeless

from .mlir import PROGRAM, weights

FACES = np.random.default_rng(3).integers(0, 256, (4, 28, 28, 3), dtype=np.uint8)


@pytest.fixture
def written(tmp_path):
    """A chip's file with a program beside it."""
    nothing = '    %9 = "top.None"() : () -> none loc(#loc)\n    %0 = '
    (tmp_path / "net.mlir").write_text(PROGRAM.replace("    %0 = ", nothing))
    (tmp_path / "net.npz").write_bytes(weights())
    (tmp_path / "net.cvimodel").write_bytes(b"CviModel")
    return tmp_path / "net.cvimodel"


def table_of(path):
    rows = (line.split() for line in path.read_text().splitlines() if not line.startswith("#"))
    return {name: tuple(map(float, ends)) for name, *ends in rows}


def test_a_qdq_model_becomes_a_float_graph_with_its_grids_as_table(ghost_qdq, run_exactly, tmp_path):
    assert write_quantized(ghost_qdq, tmp_path / "net.onnx", ("Mul",)) == 28
    model = onnx.load(tmp_path / "net.onnx")
    onnx.checker.check_model(model)
    kinds = {node.op_type for node in model.graph.node}
    assert not kinds & {"QuantizeLinear", "DequantizeLinear"}
    table = table_of(tmp_path / "net.table")
    assert table["faces"] == (127 / 128, -1.0, 127 / 128)  # the bytes less 128, exactly
    clipped = [name for name in table if name.endswith("clipped_Relu")]
    assert [table[name][1] for name in clipped] == [0.0]
    assert len(table) >= 12
    assert (tmp_path / "net.qtable").read_text() == "attended_Mul BF16\n"
    shifted = (FACES.transpose(0, 3, 1, 2).astype(np.float32) - 128) / 128
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    found = np.concatenate([session.run(None, {"faces": face[None]})[0] for face in shifted])
    quantized = run_exactly(ghost_qdq, shifted + np.float32(0.5 / 128))
    assert np.corrcoef(found.ravel(), quantized.ravel())[0, 1] > 0.99


def test_lengths_of_a_resize_are_written_as_they_are(gated_qdq, tmp_path):
    write_quantized(gated_qdq, tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    assert not {"Shape"} & {node.op_type for node in model.graph.node}
    (lengths,) = (each for each in model.graph.initializer if each.name.endswith("lengths"))
    assert onnx.numpy_helper.to_array(lengths).tolist() == [1, 10, 14, 14]
    onnxruntime.InferenceSession(tmp_path / "net.onnx")


def test_a_float_network_keeps_its_function(write_ghost_network, inputs, run_exactly, tmp_path):
    model = write_ghost_network(quantized=False)
    write_float(model, tmp_path / "net.onnx")
    found = run_exactly(tmp_path / "net.onnx", inputs[:1])
    np.testing.assert_allclose(found, run_exactly(model, inputs[:1]), atol=1e-6)


def test_a_program_is_read_counted_and_cut(written, tmp_path):
    program = read_program(written)
    assert (program.entry, program.takes) == ("faces", (1, 3, 8, 8))
    assert program.macs() == {"int8": 4 * 3 * 8 * 8}
    assert program.counted() == {"Cast": 1, "Cast fp32": 1, "Conv2D": 1}
    info = cv181x().inspect(written)
    assert (info.input_dtype, info.input_scale) == ("int8", 1 / 128)
    cv181x().cut(written, "stem_Conv", tmp_path / "part.cvimodel")
    part = read_program(tmp_path / "part.cvimodel")
    assert [step.writes for step in part.steps] == [("faces_i8",), ("weight",), ("stem_Conv",)]
    text = (tmp_path / "part.mlir").read_text()
    assert "-> tensor<1x4x1x1x!quant.uniform<i8:f32, 0.5>> {" in text
    assert "return %3 :" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tpu.Conv2D", "tpu.Custom"),
        ("tpu.Conv2D", "llvm.call"),
        ('"tpu.Cast"(%3) {', '"tpu.GenericCpu"(%3) {cpu_op_name = "/tmp/evil.so", '),
        ('loc("stem_Conv")', 'loc(fused["a", "b"])'),
        ('weight_file = "net.npz"', 'weight_file = "/etc/passwd"'),
        ('"top.Input"', '"top.Inputs"'),
        ("    %0 = ", '    %9 = "tpu.Custom"() : () -> none loc(#loc)\n    %0 = '),
        ("  } loc(#loc)", '    %9 = "tpu.Custom"() : () -> none loc(#loc)\n  } loc(#loc)'),
        ("    return", "  return"),
        ("return %4 :", 'return "llvm.call"() :'),
        ("return %4", "return %3"),
        ("} loc(#loc)\n#loc1", '} loc(#loc)\nfunc.func @evil() { "llvm.call"() : () -> () }\n#loc1'),
        ("{group = 1 : i64}", '{group = 1 : i64} : () -> () loc(#loc5) "llvm.call"() {}'),
        ("(%1, %2) {group", "(%1) {group"),
        ("    %4 = ", "    %3 = "),
        ('loc("stem_Conv")', 'loc("faces")'),
        ("tensor<4x3x8x8xsi8>", f"tensor<{'9' * 5000}x3x8x8xsi8>"),
        ("tensor<4x3x8x8xsi8>", "tensor<99999999x99999999xsi8>"),
        ("mean = [1.28e+02", "mean = [lots"),
        ("mean = [1.28e+02", "mean = [1e999"),
        ("%1, %2) {group", f"%1, %2{'( :' * 100_000}) {{group"),
    ],
)
def test_a_program_of_others_is_refused(written, old, new):
    path = written.with_suffix(".mlir")
    path.write_text(PROGRAM.replace(old, new, 1))
    with pytest.raises(InputError):
        read_program(written)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        weights(name="other.npy"),
        weights(name="../weight.npy"),
        weights(np.zeros((4, 3, 8, 9), np.int8)),
        weights(np.zeros((4, 3, 8, 8), np.int32)),
        weights(np.array([print], object)),
        weights()[:-30],
        weights() + b"x",
        weights().replace(b"(4, 3, 8, 8)", b"(9, 3, 8, 8)"),
        weights().replace(b"weight.npy", b"weighs.npy", 1),
    ],
)
def test_weights_of_others_are_refused(written, content):
    read_program(written)
    written.with_suffix(".npz").write_bytes(content)
    with pytest.raises(InputError, match=r"net\.npz"):
        read_program(written)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_compressed_weights_are_refused(written, compression):
    with zipfile.ZipFile(written.with_suffix(".npz")) as archive:
        array = archive.read("weight.npy")
    with zipfile.ZipFile(written.with_suffix(".npz"), "w", compression) as archive:
        archive.writestr("weight.npy", array)
    with pytest.raises(InputError, match="compressed"):
        read_program(written)


def test_a_file_without_its_program_is_refused(tmp_path):
    (tmp_path / "net.cvimodel").write_bytes(b"CviModel")
    with pytest.raises(InputError, match=r"net\.cvimodel lies without the interpreter's program"):
        cv181x().load(tmp_path / "net.cvimodel", 1, 1)


def test_only_int8_is_offered(tmp_path):
    with pytest.raises(InputError, match="sophgo-cv181x runs int8, not fp16"):
        cv181x().convert(tmp_path / "net.onnx", Precision.FP16, tmp_path / "net.cvimodel")


def test_a_file_says_nothing_of_when_it_was_made(tmp_path):
    body = b"x" * 20 + b"2026-11-28 15:01:44" + b"weights 2026-01-01 00:00:00"
    made = timeless(b"CviModel" + bytes(6) + hashlib.md5(body).digest() + b"cv181x".ljust(18, b"\0") + body)
    assert made[48:] == body.replace(b"2026-11-28 15:01:44", b"1980-01-01 00:00:00")
    assert made[14:30] == hashlib.md5(made[48:]).digest()
    assert timeless(b"head Sat Nov 28 15:22:45 2026 tail") == b"head Tue Jan  1 00:00:00 1980 tail"
    for year in (1990, 2000):
        with zipfile.ZipFile(tmp_path / f"{year}.npz", "w") as weights:
            weights.writestr(zipfile.ZipInfo("b.npy", (year, 1, 1, 0, 0, 0)), b"1")
        pack(tmp_path / f"{year}.npz", tmp_path / f"packed{year}.npz")
    assert (tmp_path / "packed1990.npz").read_bytes() == (tmp_path / "packed2000.npz").read_bytes()


@pytest.mark.parametrize("version", ["ghost", "gated"])
@pytest.mark.parametrize("make", [cv181x, bm1684x])
def test_the_chips_model_computes_what_the_interpreter_does_and_twice_the_same_file(make, version, request, tmp_path):
    """Both versions' operators."""
    model, target = request.getfixturevalue(f"{version}_qdq"), make()
    try:
        target.require()
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    once, again = (tmp_path / f"{name}{target.extension}" for name in ("once", "again"))
    for artifact in (once, again):
        target.lower_quantized(model, artifact)
    assert once.read_bytes() == again.read_bytes()
    assert re.sub("once|again", "", once.with_suffix(".mlir").read_text()) == re.sub(
        "once|again", "", again.with_suffix(".mlir").read_text()
    )
    interpreted = target.load(once, 1, 4)
    chip = Elsewhere(SOPHGO, ChipModel, (target.name.removeprefix("sophgo-"),), once, 1, 4)
    expected = interpreted.run(interpreted.prepare(FACES))
    np.testing.assert_array_equal(chip.run(chip.prepare(FACES)), expected)
