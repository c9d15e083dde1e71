"""What Vela compiles, checked by reading the command stream that the NPU would run."""

import struct

import flatbuffers
import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
pytest.importorskip("ethosu", reason="ethos-u-vela is not installed")
from ai_edge_litert import schema_py_generated as schema

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.tflite.inspection import main_graph, read_interface
from ghostface_edge.targets.tflite_micro import TfliteMicroTarget
from ghostface_edge.targets.tflite_micro.command_stream import Write, read_writes
from ghostface_edge.targets.tflite_micro.interpreter import smallest_arena_bytes
from ghostface_edge.targets.tflite_micro.placement import read_placement
from ghostface_edge.targets.tflite_micro.presets import PRESETS
from ghostface_edge.targets.tflite_micro.vela import compile_for, require_vela

SERIES = [preset for preset in PRESETS if preset.name in ("ethos-u55-128", "ethos-u65-256", "ethos-u85-256")]
"""One of each; all presets are compiled where firmware is made (tests/pipeline/stages/test_firmware.py)."""
U55 = SERIES[0]


@pytest.mark.parametrize("preset", SERIES, ids=lambda preset: preset.name)
def test_vela_leaves_nothing_to_the_cpu_and_can_keep_the_input(preset, lowered, tmp_path):
    plain = compile_for(preset, lowered, tmp_path / "plain.tflite")
    kept = compile_for(preset, lowered, tmp_path / "kept.tflite", keep_input=True)
    for compiled in (plain, kept):
        assert compiled.cpu_operators == 0
        assert compiled.npu_operators >= 10
        assert compiled.inference_ms > 0
        assert compiled.sram_kib > 0
        assert compiled.flash_kib > 0.5
        assert compiled.macs_per_cycle > 0
    assert plain.output_in_input
    assert plain.overwrites > 0
    assert not kept.output_in_input
    assert kept.overwrites == 0
    assert (kept.fast_memory_bytes > 0) == preset.memory_mode.startswith("Dedicated_Sram")
    assert kept.arena_bytes > 16 * 16 * 3 + 16
    # but for where things lie, they are the same model with the same interface
    assert constants(kept.path) == constants(plain.path)
    assert kept.npu_operators == plain.npu_operators
    assert read_interface(kept.path) == read_interface(plain.path)
    assert len(main_graph(kept.path)[0].subgraphs[0].outputs) == 1


def test_a_kept_input_is_neither_output_nor_scratch(lowered, tmp_path):
    compiled = compile_for(U55, lowered, tmp_path / "kept.tflite", keep_input=True)
    placement = read_placement(compiled.path)
    assert placement.input == (0, 16 * 16 * 3)
    assert placement.output is not None
    assert placement.output[0] >= 16 * 16 * 3
    assert placement.output[1] - placement.output[0] == 16
    writes = read_writes(command_stream(compiled.path))
    (arena,) = (
        int(tensor.shape[0])
        for tensor in main_graph(compiled.path)[0].subgraphs[0].tensors
        if tensor.name == b"scratch"
    )
    assert min(write.start for write in writes) >= 16 * 16 * 3
    assert max(write.stop for write in writes) <= arena
    assert placement.arena_bytes == arena
    assert any((write.start, write.stop) == placement.output for write in writes)


def test_the_room_for_the_interpreter_is_enough(lowered, tmp_path):
    """For a model with a compiled one's tensors and plan, and an operator that TensorFlow Lite Micro has on a host."""
    compiled = compile_for(U55, lowered, tmp_path / "compiled.tflite", keep_input=True)
    model = main_graph(compiled.path)[0]
    graph, (code,) = model.subgraphs[0], model.operatorCodes
    scratch, entry, result = 2, int(graph.inputs[0]), int(graph.outputs[0])
    code.customCode, code.builtinCode = None, schema.BuiltinOperator.CONCATENATION
    code.deprecatedBuiltinCode = code.builtinCode
    (operator,) = graph.operators
    operator.customOptions, operator.inputs = None, np.array([scratch, entry], np.int32)
    operator.builtinOptionsType = schema.BuiltinOptions.ConcatenationOptions
    operator.builtinOptions = schema.ConcatenationOptionsT()
    sizes = {scratch: int(graph.tensors[scratch].shape[0]), entry: 16 * 16 * 3}
    for tensor, size in (*sizes.items(), (result, sum(sizes.values()))):
        stored = graph.tensors[tensor]
        stored.shape, stored.shapeSignature, stored.type = np.array([size], np.int32), None, schema.TensorType.INT8
        stored.quantization = graph.tensors[result].quantization
    graph.inputs, model.metadata = np.array([entry, scratch], np.int32), None
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    alike = tmp_path / "alike.tflite"
    alike.write_bytes(bytes(builder.Output()))
    tensors = 2 * sum(sizes.values())
    assert (
        tensors
        < smallest_arena_bytes(alike)
        <= tensors + (compiled.arena_bytes - read_placement(compiled.path).arena_bytes)
    )


def test_a_float_input_is_quantized_on_the_cpu(qdq_model, tmp_path):
    artifact = tmp_path / "float.tflite"
    TfliteMicroTarget().lower_quantized(qdq_model, artifact, InputType.FLOAT32)
    compiled = compile_for(U55, artifact, tmp_path / "compiled.tflite")
    assert compiled.cpu_operators == 3
    assert read_placement(compiled.path).cpu_operators == ("ADD", "QUANTIZE", "DEQUANTIZE")


def test_vela_says_why_it_fails(tmp_path, lowered):
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(lowered.read_bytes()[:200])
    with pytest.raises(ToolError, match="Vela failed for ethos-u55-128"):
        compile_for(U55, broken, tmp_path / "compiled.tflite")
    assert not (tmp_path / "compiled.tflite").exists()
    assert require_vela().startswith("Vela 5")


CONFIGURE_U55 = [0x00100001, 0x00001807, 0x10066001]
CONFIGURE_U85 = [0x00100001, 0x20000118, 0x20007000]
HEIGHT, WIDTH, DEPTH, BASE = 4, 5, 20, 0x1000


def payload(*words, configure=CONFIGURE_U55):
    return b"COP1" + struct.pack(f"<{len(configure) + 1 + len(words)}I", *configure, 0x0002, *words)


def output_of(precision, region=1):
    """Settings of an output at BASE: 8 bits, rows 256 bytes apart, bricks of channels 2048 bytes apart."""
    small = {0x111: WIDTH - 1, 0x112: HEIGHT - 1, 0x113: DEPTH - 1, 0x114: precision, 0x11F: region}
    tiles = {0x11A: WIDTH - 1, 0x11B: HEIGHT - 1, 0x11C: HEIGHT - 1}
    large = {0x010: BASE, 0x014: DEPTH, 0x015: 256, 0x016: 2048}
    words = [code | value << 16 for code, value in (small | tiles).items()]
    return words + [word for code, value in large.items() for word in (code | 0x4000, value)]


@pytest.mark.parametrize(
    ("precision", "extent"), [(0x01, 3 * 256 + 4 * DEPTH + DEPTH), (0x41, 3 * 256 + 2048 + WIDTH * 16)]
)
def test_the_extent_of_an_output(precision, extent):
    assert read_writes(payload(*output_of(precision), 0x0002)) == [Write(1, BASE, BASE + extent)]


def test_a_rolling_buffer_has_a_tile_for_the_rows_that_begin_anew():
    words = [*output_of(0x01), 0x11B | 2 << 16, 0x012 | 0x4000, 0x40, 0x0003]
    row = 4 * DEPTH + DEPTH
    assert read_writes(payload(*words)) == [Write(1, BASE, BASE + 2 * 256 + row), Write(1, 0x40, 0x40 + row)]


def test_addresses_have_40_bits_and_transfers_count():
    words = [0x010 | 0x4000 | 1 << 16, 0x20, *[0x131 | 2 << 16, 0x031 | 0x4000, 0x300, 0x032 | 0x4000, 64, 0x0010]]
    assert read_writes(payload(*words)) == [Write(2, 0x300, 0x340)]
    far = read_writes(payload(*output_of(0x01), 0x010 | 0x4000 | 1 << 16, 0x20, 0x0002))
    assert far[0].start == 1 << 32 | 0x20


def test_what_stays_inside_the_npu_is_no_write():
    chained = [*output_of(0x8041), 0x0006]
    assert read_writes(payload(*chained, configure=CONFIGURE_U85)) == []
    assert len(read_writes(payload(*chained))) == 1  # on U55 the same bits choose a rounding
    into_buffer = [0x131 | 0x100 << 16, 0x031 | 0x4000, 0, 0x032 | 0x4000, 64, 0x0010]
    assert read_writes(payload(*into_buffer)) == []


@pytest.mark.parametrize("content", [b"", b"COP2" + bytes(12), b"COP1", b"COP1" + bytes(16), b"COP1" + bytes(5)])
def test_hostile_payloads_are_refused(content):
    with pytest.raises(InputError):
        read_writes(content)


@pytest.mark.parametrize("words", [[*output_of(0x0201), 0x0002], [0x131 | 0x200 << 16, 0x0010]])
def test_extents_that_are_not_understood_are_refused(words):
    with pytest.raises(InputError, match=r"transposed|dimension"):
        read_writes(payload(*words))


def command_stream(compiled):
    return content(compiled, 0)


def constants(compiled):
    return content(compiled, 1)


def content(compiled, tensor):
    model = schema.ModelT.InitFromPackedBuf(compiled.read_bytes())
    return bytes(model.buffers[model.subgraphs[0].tensors[tensor].buffer].data)
