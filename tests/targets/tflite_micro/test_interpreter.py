import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.tflite_micro import TfliteMicroTarget
from ghostface_edge.targets.tflite_micro.interpreter import MicroEmbedder, smallest_arena_bytes

FACES = np.random.default_rng(5).integers(0, 256, (3, 16, 16, 3), np.uint8)


@pytest.mark.parametrize("input_type", InputType)
def test_micro_equals_litert_reference_kernels(input_type, qdq_model, run_tflite, tmp_path):
    artifact = tmp_path / "m.tflite"
    TfliteMicroTarget().lower_quantized(qdq_model, artifact, input_type)
    micro = MicroEmbedder(artifact)
    inputs = micro.prepare(FACES)

    embeddings = micro.run(inputs)

    content = artifact.read_bytes()
    raw = np.concatenate([run_tflite(content, face[None], reference_kernels=True) for face in inputs])
    expected = raw if raw.dtype == np.float32 else raw.astype(np.float32) * np.float32(0.1)
    np.testing.assert_array_equal(embeddings, expected)


def test_every_byte_means_the_same_to_an_int8_and_a_uint8_input(qdq_model, tmp_path):
    """All 256 values of a camera's byte; the interpreters' raw outputs, in steps of the output."""
    every_byte = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    faces = np.concatenate([every_byte, every_byte[:, ::-1, ::-1], FACES])
    outputs = []
    for input_type in (InputType.INT8, InputType.UINT8):
        artifact = tmp_path / f"{input_type}.tflite"
        TfliteMicroTarget().lower_quantized(qdq_model, artifact, input_type)
        micro = MicroEmbedder(artifact)
        prepared = micro.prepare(faces)
        assert prepared.dtype == input_type
        if input_type is InputType.UINT8:
            np.testing.assert_array_equal(prepared, faces)
        outputs.append(np.rint(micro.run(prepared) / 0.1))
    assert len(np.unique(outputs[0][0])) > 1
    assert np.abs(outputs[0] - outputs[1]).max() <= 1


def test_the_smallest_arena_is_enough_and_less_is_not(lowered):
    needed = smallest_arena_bytes(lowered)
    assert MicroEmbedder(lowered, needed).run(MicroEmbedder(lowered, needed).prepare(FACES)).shape == (3, 16)
    with pytest.raises(ToolError, match="arena"):
        MicroEmbedder(lowered, needed - 1024)


def test_an_operator_that_tflm_lacks_is_named(lowered, tmp_path):
    """PRELU becomes RELU_N1_TO_1, which no resolver of TensorFlow Lite Micro knows."""
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import Builder

    model = schema.ModelT.InitFromPackedBuf(lowered.read_bytes())
    for code in model.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.PRELU:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RELU_N1_TO_1
    builder = Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    unknown = tmp_path / "unknown.tflite"
    unknown.write_bytes(bytes(builder.Output()))
    with pytest.raises(ToolError, match="does not start"):
        MicroEmbedder(unknown)
    with pytest.raises(InputError, match="does not exist"):
        MicroEmbedder(tmp_path / "nowhere.tflite")
