"""Times from a device, one of whose models cannot be loaded, and whose line breaks."""

import pytest

from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.stages import device_session
from ghostface_edge.pipeline.stages.artifacts import Artifact, artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.device_latency import TimeThere
from ghostface_edge.pipeline.stages.device_session import session
from ghostface_edge.pipeline.stages.latency import ROUNDS, RUNS_PER_ROUND, Timing
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import ToolError

from ..listener import Listener


@pytest.fixture
def context(tmp_path, monkeypatch):
    monkeypatch.setattr(device_session, "_WAITS_S", (0, 0))
    (tmp_path / "logs").mkdir()
    return StageContext(Store(tmp_path / "store"), tmp_path / "logs", Listener(), 1)


@pytest.fixture
def artifact(make_checkpoint, random_faces, tmp_path):
    export_onnx(make_checkpoint(Architecture(0.2, 2)), tmp_path / "good.onnx", faces=random_faces)
    return artifact_of("onnxruntime", tmp_path / "good.onnx")


def test_times_are_taken_there_and_a_failure_is_a_value(make_device, context, artifact, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    bad = Artifact("onnxruntime", (tmp_path / "bad.onnx",), "0" * 64, 0.0)
    with session(make_device(), "onnxruntime", context) as there:
        turns = context.run(TimeThere({"good": artifact, "bad": bad}, there))
    assert isinstance(turns.timings["bad"], ToolError)
    good = turns.timings["good"]
    assert isinstance(good, Timing)
    assert good.samples_ms.shape == (ROUNDS * RUNS_PER_ROUND,)
    assert good.peak_rss_mb > 10
    assert turns.before.load >= 0


def test_a_line_that_breaks_between_turns_begins_them_anew(make_device, context, artifact, tmp_path):
    counter = tmp_path / "counter"
    breaking = f"""
    def time(self, face, runs):
        with open({str(counter)!r}, "a") as counted:
            counted.write("x")
        if os.path.getsize({str(counter)!r}) == 4:
            os._exit(255)
        return super().time(face, runs)
    """
    with session(make_device(breaking), "onnxruntime", context) as there:
        there.facts()
        for _ in range(2):  # the second time from the store
            turns = context.run(TimeThere({"good": artifact}, there))
            assert len(turns.timings["good"].samples_ms) == ROUNDS * RUNS_PER_ROUND
    assert counter.read_text() == "x" * (4 + 1 + ROUNDS)
    assert len(context.progress.said) == 2  # the break, and that it was done
