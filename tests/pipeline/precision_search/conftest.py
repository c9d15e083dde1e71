"""A small GhostFaceNet as a QDQ model, quantized the quickest way."""

from pathlib import Path

import pytest

from ghostface_edge.pipeline.bench.models import seeded
from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.precision_search import candidates, search
from ghostface_edge.pipeline.precision_search.segments import Segment, find_segments
from ghostface_edge.pipeline.prepare.slopes import InvertLargeSlopes
from ghostface_edge.pipeline.quantize.options import CorrectionOptions, RangeMethod, RangeOptions, Recipe
from ghostface_edge.pipeline.quantize.recipe import quantize
from ghostface_edge.targets.face_like import face_like

SIDE = 112  # what latency is timed with
QUICK = Recipe(
    ranges=RangeOptions(method=RangeMethod.MIN_MAX, faces=16),
    correction=CorrectionOptions(biases=False),
    sensitivity_faces=0,
)


def make_qdq(folder: Path, version: int) -> Path:
    """Write `prepared.onnx` and the QDQ model made of it."""
    faces = face_like(40, SIDE)
    prepared, model = folder / "prepared.onnx", folder / "model.qdq.onnx"
    export_onnx(seeded(Architecture(width=0.25, version=version, embedding_size=32)), prepared, faces=faces[:2])
    network = graph_model.load(prepared)
    InvertLargeSlopes()(network)
    graph_model.save(network, prepared)
    quantize(prepared, faces, QUICK, model, seed=0, progress=lambda _step, _share: None)
    return model


@pytest.fixture(scope="session")
def qdq_file(tmp_path_factory) -> Path:
    """Of a V1; `prepared.onnx` lies beside it."""
    return make_qdq(tmp_path_factory.mktemp("v1"), 1)


@pytest.fixture(scope="session")
def second_qdq_file(tmp_path_factory) -> Path:
    """Of a V2; `prepared.onnx` lies beside it."""
    return make_qdq(tmp_path_factory.mktemp("v2"), 2)


@pytest.fixture(scope="session")
def faces():
    """RGB uint8 (40, 112, 112, 3)."""
    return face_like(40, SIDE)


@pytest.fixture
def quick(monkeypatch):
    """Few rounds, and blocks taken together to five segments."""

    def find_five(program, image_size):
        found = find_segments(program, image_size)
        return tuple(_join(found[at : at + 4]) for at in range(0, len(found), 4))

    monkeypatch.setattr(candidates, "find_segments", find_five)
    monkeypatch.setattr(search, "_ROUNDS", 2)
    monkeypatch.setattr(search, "_FINAL_ROUNDS", 2)
    monkeypatch.setattr(search, "_LOOKED_AT", 8)


def _join(segments):
    steps = frozenset().union(*(segment.steps for segment in segments))
    return Segment(segments[0].name, steps, sum(segment.macs for segment in segments))
