"""Embeddings from a device: in their order, each part once, and none that nobody can use."""

import numpy as np
import pytest

from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.stages import device_embed, device_session
from ghostface_edge.pipeline.stages.artifacts import artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.device_embed import embed_there
from ghostface_edge.pipeline.stages.device_session import session
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.onnxruntime.embedder import OnnxruntimeEmbedder

from ..listener import Listener

ROWS = (0, 1, 3, 4, 6, 7, 8)
SIZE = 512


@pytest.fixture
def context(tmp_path, monkeypatch):
    monkeypatch.setattr(device_session, "_WAITS_S", (0, 0))
    monkeypatch.setattr(device_embed, "_PART", 2)
    (tmp_path / "logs").mkdir()
    return StageContext(Store(tmp_path / "store"), tmp_path / "logs", Listener(), 1)


@pytest.fixture
def artifact(make_checkpoint, random_faces, tmp_path):
    export_onnx(make_checkpoint(Architecture(0.2, 2)), tmp_path / "tiny.onnx", faces=random_faces)
    return artifact_of("onnxruntime", tmp_path / "tiny.onnx")


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 256, (9, 112, 112, 3), np.uint8)


@pytest.fixture
def here(artifact, images):
    """This host's embeddings, one inference each."""
    embedder = OnnxruntimeEmbedder(artifact.path, 1, 1)
    return np.concatenate([embedder.run(embedder.prepare(face[None])) for face in images])


@pytest.fixture
def embed(context, artifact, images):
    """Embed some of the faces there."""

    def run(device, rows=ROWS):
        with (
            DecodedFaces(context.store, "faces", len(images), lambda: iter([images])) as faces,
            session(device, "onnxruntime", context) as there,
        ):
            return embed_there(there, artifact, faces, rows, SIZE, "tiny@pi4")

    return run


def counting(counter, then):
    """Methods that count the faces of each call, then do something else."""
    return f"""
    def embed(self, faces):
        with open({str(counter)!r}, "a") as counted:
            counted.write("%d " % len(faces))
        calls = len(open({str(counter)!r}).read().split())
        found = super().embed(faces)
        {then}
        return found
    """


def test_the_same_bytes_in_the_same_order(embed, make_device, here):
    assert embed(make_device()).tobytes() == here[list(ROWS)].tobytes()


def test_a_line_that_breaks_loses_nothing_and_doubles_nothing(embed, make_device, here, tmp_path):
    counter = tmp_path / "counter"
    device = make_device(counting(counter, "if calls in (2, 5): os._exit(255)"))
    there = embed(device)
    assert there.tobytes() == here[list(ROWS)].tobytes()
    assert counter.read_text() == "2 2 2 2 1 1 "  # the second part and the last were asked for twice
    assert embed(device).tobytes() == there.tobytes()
    assert counter.read_text() == "2 2 2 2 1 1 "  # and none of them in another run


def test_what_came_before_the_end_is_kept(embed, make_device, context, tmp_path):
    counter = tmp_path / "counter"
    device = make_device(counting(counter, "if calls in (3, 4, 5): os._exit(255)"))
    with pytest.raises(ToolError, match="exit code 255"):
        embed(device)
    embed(device)
    assert counter.read_text() == "2 2 2 2 2 2 1 "
    assert len([line for line in context.progress.said if "again in" in line]) == 2


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ("found[1] = np.nan", "1 of 2 embeddings are zero or not finite"),
        ("found[:] = 0", "2 of 2 embeddings are zero or not finite"),
        ("found = np.zeros((0, 512), np.float32)", r"answered 2 faces with float32 \(0, 512\)"),
        ("found[:] = found[0]", "all 2 faces come out as the same embedding"),
        ("found = found[:, :64]", "embeddings have 64 values there and 512 here"),
    ],
)
def test_what_nobody_can_use_is_refused_and_not_kept(embed, make_device, here, tmp_path, then, says):
    device = make_device(counting(tmp_path / "counter", f"if calls == 2: {then}"))
    with pytest.raises(ToolError, match=says):
        embed(device)
    assert embed(device).tobytes() == here[list(ROWS)].tobytes()
