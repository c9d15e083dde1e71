"""Latency of artifacts, one of which cannot be loaded."""

import pytest

from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.stages.artifacts import Artifact, artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.latency import ROUNDS, RUNS_PER_ROUND, TimeInTurns, Timing
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import ToolError


@pytest.fixture
def artifacts(make_checkpoint, random_faces, tmp_path):
    export_onnx(make_checkpoint(Architecture(0.2, 2)), tmp_path / "good.onnx", faces=random_faces)
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    bad = Artifact("onnxruntime", (tmp_path / "bad.onnx",), "0" * 64, 0.0)
    return {"good": artifact_of("onnxruntime", tmp_path / "good.onnx"), "bad": bad}


def test_a_failure_is_a_value_in_its_place_and_such_an_outcome_is_not_kept(artifacts, tmp_path):
    context = StageContext(Store(tmp_path / "store"), tmp_path / "logs", Progress(), 1)
    first, second = (context.run(TimeInTurns(artifacts, 1)) for _ in range(2))
    assert isinstance(first["bad"], ToolError)
    assert isinstance(first["good"], Timing)
    assert first["good"].samples_ms.shape == (ROUNDS * RUNS_PER_ROUND,)
    assert (first["good"].samples_ms != second["good"].samples_ms).any(), "timed anew"
    alone = {"good": artifacts["good"]}
    third, fourth = (context.run(TimeInTurns(alone, 1))["good"] for _ in range(2))
    assert (third.samples_ms == fourth.samples_ms).all(), "kept"
    assert third.peak_rss_mb == fourth.peak_rss_mb > 0
