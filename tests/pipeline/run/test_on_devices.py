"""A small job whose variants run on a device, too."""

import os

import pytest

from ghostface_edge.pipeline.run.main_job import run
from ghostface_edge.pipeline.stages import device_session
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.reports.report import Report, Status

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")


@pytest.fixture(autouse=True)
def without_waits(monkeypatch):
    monkeypatch.setattr(device_session, "_WAITS_S", (0,))


@pytest.fixture
def run_there(make_job, listener, tmp_path):
    """Run the job with a device; the report as it is read again, and its rows of the device by local name."""

    def call(device, targets="onnxruntime-fp32,tflite-fp32", **changed):
        run(make_job(targets, devices=(device,), **changed), listener)
        report = Report.read(tmp_path / "out" / "report.json")
        return report, {row.local_id: row for row in report.variants if row.device == device.name}

    return call


def test_the_same_files_give_the_same_figures_there(run_there, make_device, tmp_path):
    meter = tmp_path / "power1_input"
    meter.write_text("2000000\n")
    report, there = run_there(make_device(power=str(meter), sustained_minutes=0.005))
    (device,) = report.devices
    assert (device.name, device.kind, device.is_timed) == ("pi4", "exec", True)
    assert device.faces == report.data.pairs.images
    assert device.pairs == report.data.pairs.count
    assert {"onnxruntime", "ai-edge-litert"} <= device.runtimes.keys()
    assert device.conditions.load >= 0
    assert device.energy_mj_per_face.keys() == {"onnxruntime-fp32", "tflite-fp32"}
    fastest = min(there.values(), key=lambda row: row.latency.p50_ms)
    assert {run.variant for run in device.sustained} == {fastest.local_id}
    assert [run.streams for run in device.sustained] == sorted({1, len(os.sched_getaffinity(0))})
    for local in report.local_variants:
        row = there[local.id]
        assert row.artifact == local.artifact
        assert row.accuracy == local.accuracy
        assert row.versus_local.equal_bytes == device.faces
        assert row.latency.p50_ms > 0


def test_some_faces_and_a_runtime_that_is_not_there(run_there, make_device, tmp_path):
    hiding = """
    def facts(self):
        told = super().facts()
        del told["versions"]["ai-edge-litert"]
        return {**told, "python": None}
    """
    nothing = str(tmp_path / "energy_uj")
    report, there = run_there(make_device(hiding, power=nothing), device_faces=39)
    assert report.devices[0].energy_mj_per_face == {}
    assert report.devices[0].sustained == ()
    assert there["onnxruntime-fp32"].versus_local.faces == report.devices[0].faces <= 39
    assert report.devices[0].pairs < report.data.pairs.count
    assert there["tflite-fp32"].status is Status.SKIPPED
    assert "pi4 has no tflite (fix: name c-int8: nothing else runs without a system)" in there["tflite-fp32"].error


@pytest.mark.parametrize(
    ("methods", "says"),
    [
        ("def embed(self, faces): return np.full((len(faces), 64), np.nan, np.float32)", "zero or not finite"),
        ("def embed(self, faces): os.kill(os.getpid(), 11)", "killed by SIGSEGV"),
    ],
)
def test_what_fails_there_fails_there_only(run_there, make_device, methods, says):
    report, there = run_there(make_device(methods), "onnxruntime-fp32")
    row = there["onnxruntime-fp32"]
    assert row.status is Status.FAILED
    assert says in row.error
    assert report.local_variants[0].status is Status.OK


def test_a_model_that_kills_its_runtime_leaves_the_next_alone(run_there, make_device, tmp_path, quantized):
    """The first model that is sent dies there."""
    first = tmp_path / "first"
    dying = f"""
    def embed(self, faces):
        if not os.path.exists({str(first)!r}):
            open({str(first)!r}, "w").close()
            os.abort()
        return super().embed(faces)
    """
    _, there = run_there(make_device(dying), "onnxruntime-int8,onnxruntime-fp32")
    failed, ok = sorted(there.values(), key=lambda row: row.status)
    assert (failed.status, ok.status) == (Status.FAILED, Status.OK)
    assert "SIGABRT" in failed.error


def test_too_few_faces_for_the_folds(run_there, make_device):
    with pytest.raises(InputError, match="3 faces are too few"):
        run_there(make_device(), "onnxruntime-fp32", device_faces=3)


def test_a_device_that_is_not_there_is_told_before_the_work(run_there, make_device, listener):
    with pytest.raises(ToolError, match=r"pi4: .*exit code 7"):
        run_there(make_device(command=("sh", "-c", "exit 7")), "onnxruntime-fp32")
    assert not any("export" in line for line in listener.said)
