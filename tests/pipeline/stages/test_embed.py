import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.stages import embed
from ghostface_edge.pipeline.stages.artifacts import artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.tflite_micro import TfliteMicroTarget
from ghostface_edge.targets.tflite_micro.interpreter import MicroEmbedder


def test_a_runtime_without_threads_embeds_in_several_processes_and_in_order(
    make_checkpoint, random_faces, tmp_path, monkeypatch
):
    """Nine faces in steps of two for three processes: the shares differ in length and the last step is short."""
    model, artifact = tmp_path / "tiny.onnx", tmp_path / "tiny.tflite"
    export_onnx(make_checkpoint(Architecture(0.2, 2)), model, faces=random_faces)
    TfliteMicroTarget().convert(model, Precision.FP32, artifact)
    images = np.random.default_rng(1).integers(0, 256, (9, 112, 112, 3), np.uint8)
    embedder = MicroEmbedder(artifact)
    expected = embedder.run(embedder.prepare(images))
    monkeypatch.setattr(embed, "STEP", 2)
    for threads in (1, 3):
        context = StageContext(Store(tmp_path / f"cache{threads}"), tmp_path / "logs", Progress(), threads)
        with DecodedFaces(context.store, "faces", len(images), lambda: iter([images])) as faces:
            actual = context.run(embed.Embed(artifact_of("tflite-micro", artifact), faces, threads, "tiny"))
        np.testing.assert_array_equal(actual, expected)
    assert len(np.unique(expected, axis=0)) == len(images)


def test_embeddings_of_another_cpu_are_not_taken(tmp_path, monkeypatch):
    """INT8 kernels give other figures without VNNI, so that a store which machines share must tell CPUs apart."""
    (tmp_path / "tiny.tflite").write_bytes(b"model")
    faces = DecodedFaces(Store(tmp_path / "cache"), "faces", 1, lambda: iter(()))
    stage = embed.Embed(artifact_of("tflite-micro", tmp_path / "tiny.tflite"), faces, 1, "tiny")
    here = stage.inputs()
    assert here == stage.inputs()
    monkeypatch.setattr(embed, "describe_kernels", lambda: {"cpu": "another"})
    assert here != stage.inputs()


@pytest.mark.parametrize("array", [np.zeros((3, 8), np.float32), np.zeros(4, np.float32), np.zeros((4, 8))])
def test_an_array_of_other_faces_is_no_outcome(tmp_path, array):
    np.save(tmp_path / "embeddings.npy", np.zeros((4, 8), np.float32))
    assert embed.read_embeddings(tmp_path / "embeddings.npy", 4).shape == (4, 8)
    np.save(tmp_path / "embeddings.npy", array)
    with pytest.raises(ValueError, match="are no embeddings of 4 faces"):
        embed.read_embeddings(tmp_path / "embeddings.npy", 4)
