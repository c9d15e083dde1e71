"""Sustained runs and energy, on a device with a meter that is made up."""

import numpy as np
import pytest

from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.stages import device_session
from ghostface_edge.pipeline.stages.artifacts import artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.device_endurance import Endure, Meter, all_cores
from ghostface_edge.pipeline.stages.device_session import session
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import GhostfaceEdgeError

from ..listener import Listener

MINUTES = 0.01


@pytest.fixture
def context(tmp_path, monkeypatch):
    monkeypatch.setattr(device_session, "_WAITS_S", (0,))
    (tmp_path / "logs").mkdir()
    return StageContext(Store(tmp_path / "store"), tmp_path / "logs", Listener(), 1)


@pytest.fixture
def artifact(make_checkpoint, random_faces, tmp_path):
    export_onnx(make_checkpoint(Architecture(0.2, 2)), tmp_path / "tiny.onnx", faces=random_faces)
    return artifact_of("onnxruntime", tmp_path / "tiny.onnx")


def warming(state):
    """Methods of a core that gets slower and hotter with each look at it."""
    return f"""
    def conditions(self):
        with open({str(state)!r}, "a") as looks:
            looks.write("x")
        looked = os.path.getsize({str(state)!r})
        return {{**super().conditions(), "frequency_mhz": 2000 - looked, "temperature_c": 40 + looked}}
    """


@pytest.mark.parametrize("streams", [1, 2])
def test_a_sustained_run_is_told_stretch_by_stretch(make_device, context, artifact, tmp_path, streams):
    with session(make_device(warming(tmp_path / "state")), "onnxruntime", context) as there:
        found = context.run(Endure("onnxruntime-fp32", artifact, streams, MINUTES, there))
        assert context.run(Endure("onnxruntime-fp32", artifact, streams, MINUTES, there)) == found, "from the store"
    assert (found.variant, found.streams) == ("onnxruntime-fp32", streams)
    ends = [sample.seconds for sample in found.samples]
    assert 2 <= len(ends) <= 20
    assert ends == sorted(set(ends))
    assert ends[-1] >= 60 * MINUTES
    hottest = [sample.at.temperature_c for sample in found.samples]
    assert hottest == sorted(hottest)
    assert hottest[0] < hottest[-1]
    assert found.samples[-1].at.frequency_mhz == 2040 - hottest[-1]
    assert min(sample.p50_ms for sample in found.samples) <= found.p90_ms
    assert found.faces_per_second > 0


def test_a_stream_for_each_core(make_device, context):
    for cores, streams in (((), None), ((0,), 1)):
        with session(make_device(cores=cores), "onnxruntime", context) as there:
            assert all_cores(there) == (streams or there.facts().cores)


def test_a_line_that_breaks_begins_the_run_anew(make_device, context, artifact, tmp_path):
    broken = tmp_path / "broken"
    breaking = f"""
    def sustain(self, face, seconds):
        if not os.path.exists({str(broken)!r}):
            open({str(broken)!r}, "w").close()
            os._exit(255)
        return super().sustain(face, seconds)
    """
    with session(make_device(breaking), "onnxruntime", context) as there:
        assert context.run(Endure("onnxruntime-fp32", artifact, 1, MINUTES, there)).faces_per_second > 0
    assert broken.exists()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("np.zeros((0, 2))", "told no times"),
        ("np.array([[1.0, 2.0], [1.0, 2.0]])", "told no times"),
        ("np.array([[1.0, np.nan]])", "told no times"),
        ("np.array([[1.0, -1.0]])", "told no times"),
        ("np.array([[1.0, 1.0]], np.float32)", "told no times"),
        ("np.array(1.0)", "told no times"),
    ],
)
def test_times_that_cannot_be(make_device, tmp_path, answer, says):
    device = make_device(f"def sustain(self, face, seconds): return {answer}")
    with (
        device.open("onnxruntime", log=tmp_path / "log", timeout_s=60) as there,
        pytest.raises(GhostfaceEdgeError, match=says),
    ):
        there.sustain(np.zeros((1, 112, 112, 3), np.uint8), 1.0)


def metering(file, content):
    """Methods that let a meter tell more with each inference: the n-th tells `content` of n."""
    return f"""
    count = 0

    def load(self, *given):
        took = super().load(*given)
        run, served = self._embedder.run, self

        def running(inputs):
            served.count += 1
            with open({str(file)!r}, "w") as meter:
                meter.write(str({content}))
            return run(inputs)

        self._embedder.run = running
        return took
    """


def test_a_counter_of_microjoules(make_device, context, artifact, tmp_path):
    meter = tmp_path / "energy_uj"
    with session(make_device(metering(meter, "3000 * served.count")), "onnxruntime", context) as there:
        assert context.run(Meter({"onnxruntime-fp32": artifact}, str(meter), there)) == {
            "onnxruntime-fp32": pytest.approx(3.0)
        }


CLOCK = """
    ticks = iter(range(10**9))
    board.time = type("Clock", (), {"perf_counter": staticmethod(lambda ticks=ticks: next(ticks) / 1e3)})
"""


def test_a_meter_of_microwatts_counts_by_time(make_device, context, artifact, tmp_path):
    """Two watts, by a clock of which a millisecond passes with every inference."""
    meter = tmp_path / "power1_input"
    with session(make_device(metering(meter, 2_000_000) + CLOCK), "onnxruntime", context) as there:
        assert context.run(Meter({"onnxruntime-fp32": artifact}, str(meter), there)) == {
            "onnxruntime-fp32": pytest.approx(2.0)
        }


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("energy_uj", None, "tells no energy and no power"),
        ("energy_uj", "'much'", "tells no energy and no power"),
        ("energy_uj", "10**9 - served.count", "told '-250.0' where a number"),
        ("energy_uj", "7", "told '0.0' where a number"),
        ("power1_input", "0", "told '0.0' where a number"),
    ],
)
def test_a_meter_that_tells_nothing(make_device, context, artifact, tmp_path, name, content, says):
    meter = tmp_path / name
    device = make_device(metering(meter, content)) if content else make_device()
    with session(device, "onnxruntime", context) as there, pytest.raises(GhostfaceEdgeError, match=says) as refused:
        context.run(Meter({"onnxruntime-fp32": artifact}, str(meter), there))
    assert refused.value.fix
