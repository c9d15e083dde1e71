import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.tflite import TfliteTarget
from ghostface_edge.targets.tflite.forms import InputType, Kernels
from ghostface_edge.targets.tflite.micro import MicroEmbedder, smallest_arena_bytes

FACES = np.random.default_rng(5).integers(0, 256, (3, 16, 16, 3), np.uint8)


@pytest.mark.parametrize("input_type", InputType)
def test_micro_equals_litert_reference_kernels(input_type, carrier, run_tflite, tmp_path):
    artifact = tmp_path / "m.tflite"
    TfliteTarget().lower_quantized(carrier, artifact, kernels=Kernels.PORTABLE, input_type=input_type)
    micro = MicroEmbedder(artifact)
    inputs = micro.prepare(FACES)

    embeddings = micro.run(inputs)

    content = artifact.read_bytes()
    raw = np.concatenate([run_tflite(content, face[None], reference_kernels=True) for face in inputs])
    expected = raw if raw.dtype == np.float32 else raw.astype(np.float32) * np.float32(0.1)
    np.testing.assert_array_equal(embeddings, expected)


def test_the_smallest_arena_is_enough_and_less_is_not(carrier, tmp_path):
    artifact = tmp_path / "m.tflite"
    TfliteTarget().lower_quantized(carrier, artifact, kernels=Kernels.PORTABLE)
    needed = smallest_arena_bytes(artifact)
    assert MicroEmbedder(artifact, needed).run(MicroEmbedder(artifact, needed).prepare(FACES)).shape == (3, 16)
    with pytest.raises(ToolError, match="arena"):
        MicroEmbedder(artifact, needed - 1024)
