import sys

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
from ghostface_edge.pipeline.bench import BenchModel
from ghostface_edge.pipeline.bench.boards import FLOAT, REFERENCE, XNNPACK, agreement, embed
from ghostface_edge.pipeline.bench.contestants import FACES, quantize_quickly
from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.face_like import face_like
from ghostface_edge.targets.places.place import Place
from ghostface_edge.targets.protocol import InputType, Precision
from ghostface_edge.targets.tflite import TfliteTarget
from ghostface_edge.targets.tflite.kernel_set import KernelSet

SIDE = 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small network as `.tflite` in three forms, and 4 faces."""
    folder = tmp_path_factory.mktemp("boards")
    faces, target = face_like(FACES, SIDE), TfliteTarget()
    exported = folder / "exported.onnx"
    network = BenchModel(Architecture(width=0.25, image_size=SIDE, embedding_size=32))
    export_onnx(network.load(), exported, faces=faces[:2])
    qdq = quantize_quickly(exported, faces, folder)
    target.convert(exported, Precision.FP32, folder / "fp32.tflite")
    for input_type in (InputType.INT8, InputType.UINT8):
        artifact = folder / f"{input_type}.tflite"
        target.lower_quantized(qdq, artifact, kernels=KernelSet.PORTABLE, input_type=input_type)
    np.save(folder / "faces.npy", faces[:4])
    return folder


@pytest.fixture(scope="module")
def place(application):
    """This Python, as if it were a board's: the far side's file alone, none of this project's other modules."""
    return Place("board", ("env", "-u", "PYTHONPATH", sys.executable, "-I", str(application)))


@pytest.mark.parametrize("label", ["fp32", "int8", "uint8"])
def test_a_board_feeds_faces_as_this_project_does(folder, place, label):
    model = folder / f"{label}.tflite"
    found = embed(place, model, folder / "faces.npy", 4, log=folder / "log")
    embedder = TfliteTarget().load(model, 1, 1)
    faces = np.load(folder / "faces.npy")
    expected = np.concatenate([embedder.run(embedder.prepare(face[None])) for face in faces])
    np.testing.assert_array_equal(found, expected)


def test_reference_kernels_are_others_but_agree(folder, place):
    model, faces = folder / "int8.tflite", folder / "faces.npy"
    fast, reference = (
        embed(place, model, faces, 4, log=folder / "log", reference=kernels) for kernels in (False, True)
    )
    assert not np.array_equal(fast, reference)
    assert agreement("int8", XNNPACK, fast, reference).cosine_mean > 0.9


def test_a_file_that_does_not_run_is_named(folder, place, tmp_path):
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"TFL3" * 9)
    with pytest.raises(InputError, match=r"broken\.tflite does not load as a TFLite model"):
        embed(place, broken, folder / "faces.npy", 4, log=tmp_path / "log")


def test_the_limit_is_on_the_mean_cosine():
    rng = np.random.default_rng(0)
    ours = rng.normal(size=(5, 512)).astype(np.float32)
    assert agreement("fp32", FLOAT, ours, ours).holds
    assert agreement("int8", REFERENCE, ours, ours).holds
    moved = ours + rng.normal(0, 0.1, ours.shape).astype(np.float32)
    assert 0.99 < agreement("int8", XNNPACK, ours, moved).cosine_mean < 0.999
    assert [agreement("int8", against, ours, moved).holds for against in (XNNPACK, REFERENCE)] == [True, False]
