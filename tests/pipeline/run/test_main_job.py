"""A whole small job, and what becomes of it when one of its variants fails."""

import json
import re
import shutil
import threading
from contextlib import contextmanager
from dataclasses import replace

import psutil
import pytest

from ghostface_edge.calibration.bin_file import read_bin
from ghostface_edge.calibration.pairs_file import read_pairs_file
from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.pipeline.release.bundle import write_bundle
from ghostface_edge.pipeline.release.check import check_bundle
from ghostface_edge.pipeline.release.reproduce import Given, reproduce
from ghostface_edge.pipeline.run.main_job import run
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.convert import Convert
from ghostface_edge.pipeline.stages.quantize import Quantize
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import ExitCode, InputError, RuntimeMissingError, ToolError
from ghostface_edge.reports.gate import exit_code
from ghostface_edge.reports.history.folder import read_history
from ghostface_edge.reports.history.kept_run import KeptRun
from ghostface_edge.reports.report import Report, Status, Verdict

from ..listener import Listener
from ..release.planting import plant


@pytest.fixture
def failing(monkeypatch):
    """Make the conversion of one variant raise an error."""
    build = Convert.build

    def call(name, error):
        def broken(self, folder, context):
            if str(self.variant) == name:
                raise error
            build(self, folder, context)

        monkeypatch.setattr(Convert, "build", broken)

    return call


def statuses(report):
    return {variant.id: variant.status for variant in report.variants}


def test_every_variant_has_its_figures(both):
    job, report, code = both
    assert statuses(report) == {"onnxruntime-fp32": Status.OK, "onnxruntime-int8": Status.OK}
    assert code == exit_code(Report.read(job.out / "report.json"))
    fp32, int8 = report.variants
    assert (fp32.method, int8.method) == ("convert", "balanced")
    assert fp32.versus_reference.cosine_min > 0.9999
    assert fp32.latency.versus_fp32 == 1
    assert int8.profile
    assert fp32.all_pairs.images == report.data.pairs.images
    assert fp32.all_pairs.genuine == 20
    assert "10 more comparisons of a person with itself" in int8.all_pairs.not_answerable["0.01"]
    assert report.tool.command == "ghostface-edge run quick"
    assert (job.out / int8.artifact.path).stat().st_size == int8.artifact.bytes
    assert json.loads((job.out / "quantization.json").read_text())["quantization"]["recipe"] == job.recipe.name
    assert report.runners == {path: file_sha256(job.out / path) for path in report.runners}
    assert {path.relative_to(job.out).as_posix() for path in (job.out / "runners").rglob("*.*")} == {*report.runners}
    for name in ("README.md", "common/alignment.c", "onnxruntime-c/runtime.c", "golden/onnxruntime-int8/golden.c"):
        assert f"runners/{name}" in report.runners
    assert "runners/README.md" in (job.out / "report.html").read_text()


def test_a_run_is_kept_in_its_history(both):
    job, report, code = both
    (kept,) = read_history(job.history).runs
    assert kept == KeptRun.of(report, code, "v1")
    assert [variant.accuracy.value for variant in kept.variants] == [one.accuracy.mean for one in report.variants]


def test_a_job_is_made_again_of_its_own_account(both, listener, tmp_path):
    job, _, _ = both
    out = tmp_path / "out"
    shutil.copytree(job.out, out)
    write_bundle(out, tmp_path / "release.zip")
    checked = check_bundle(tmp_path / "release.zip")
    assert checked.is_made_again
    assert checked.manifest.provenance.request.variants == ("onnxruntime-fp32", "onnxruntime-int8")
    given = Given(tmp_path / "release.zip", job.checkpoint, job.calibration, tmp_path / "rebuilt")
    context = StageContext(Store(), tmp_path / "logs", listener, 1)  # with all that it takes: nothing is made again
    found = reproduce(given, context)
    assert found.equal
    steps = ["export", "quantize", "convert of onnxruntime-fp32", "lower of onnxruntime-int8"]
    assert [one.name for one in found.stages] == ["checkpoint", "calibration", *steps]
    plant(out, "quantize", None, "model.qdq.onnx", lambda data: data + b"\x52\x00")
    write_bundle(out, tmp_path / "release.zip")
    assert reproduce(given, context).first_difference.startswith("quantize: model.qdq.onnx: ")


def test_groups_are_told_by_a_file(make_job, listener, small_inputs, tmp_path):
    first = read_pairs_file(small_inputs / "pairs.txt").pairs[0]
    table = tmp_path / "people.csv"
    table.write_text(f"person,sex\n{first.left.person},f\nNobody,m\n")
    report, _ = run(make_job("onnxruntime-fp32", groups=table), listener)
    told = report.data.groups
    assert (told.people, told.not_in_gallery, told.sha256) == (2, 1, file_sha256(table))
    assert told.not_said["sex"] == report.variants[0].all_pairs.people - 1
    assert report.variants[0].groups is None  # 20 genuine comparisons tell no rate
    assert "Groups cannot be told: 10 more comparisons" in (tmp_path / "out" / "report.html").read_text()


def test_groups_of_others_are_refused_before_any_work(make_job, listener, tmp_path):
    table = tmp_path / "people.csv"
    table.write_text("person,sex\nNobody,m\n")
    with pytest.raises(InputError, match="none of them is in"):
        run(make_job("onnxruntime-fp32", groups=table), listener)
    assert not (tmp_path / "out").exists()


def test_a_gallery_gives_the_thresholds_of_every_set(make_job, small_inputs, listener):
    more = PairsSource(small_inputs / "more/more.bin")
    job = make_job("onnxruntime-fp32", gallery=small_inputs / "people")
    report, _ = run(replace(job, pairs=(*job.pairs, more)), listener)
    gallery = report.data.gallery
    assert (gallery.name, gallery.images, gallery.people) == ("people", 80, 40)
    assert report == Report.read(job.out / "report.json")
    for variant in report.variants:
        found = variant.all_pairs
        assert (found.genuine, found.impostor) == (40, 80 * 79 // 2 - 40)
        assert {*variant.one_threshold} == {"pairs", "more"}
        for rates in variant.one_threshold.values():
            (fmr, row), *rest = rates.items()
            assert (fmr, rest) == ("0.01", [])
            assert row.threshold == found.fnmr_at_fmr[fmr].threshold
    assert (
        "One threshold for all sets: each variant&#39;s own, chosen on people" in (job.out / "report.html").read_text()
    )
    job = replace(job, gallery=small_inputs / "calibration", out=job.out.with_name("leaks"), nobody_shared=False)
    with pytest.raises(InputError, match="all 24 calibration identities are in the pairs too"):
        run(job, listener)


def test_a_bad_input_that_one_variant_meets_is_its_failure_alone(make_job, listener, failing):
    failing("onnxruntime-fp16", InputError("the file has a hole", fix="mend it"))
    job = make_job("onnxruntime-fp32,onnxruntime-fp16")
    report, code = run(job, listener)
    assert statuses(report) == {"onnxruntime-fp32": Status.OK, "onnxruntime-fp16": Status.FAILED}
    assert "the file has a hole" in report.variants[1].error
    assert code is ExitCode.TOOL_FAILED
    assert (job.out / "report.json").is_file()
    assert any("onnxruntime-fp16: failed: the file has a hole" in line for line in listener.said)


def test_a_failed_stock_variant_is_compared_with_and_does_not_decide(make_job, listener, failing, quantized, both):
    _, _, without = both
    failing("onnxruntime-int8-stock", ToolError("the quantizer broke", fix="use another"))
    job = make_job("onnxruntime-fp32,onnxruntime-int8,onnxruntime-int8-stock")
    report, code = run(job, listener)
    assert statuses(report)["onnxruntime-int8-stock"] is Status.FAILED
    assert code == without != ExitCode.TOOL_FAILED


def test_without_a_quantized_model_only_its_variants_fail(make_job, listener, monkeypatch):
    def broken(*_):
        raise ToolError("the ranges are empty", fix="see the logs")

    monkeypatch.setattr(Quantize, "name", "quantize-anew")
    monkeypatch.setattr(Quantize, "build", broken)
    report, code = run(make_job("onnxruntime-fp32,onnxruntime-int8"), listener)
    assert statuses(report) == {"onnxruntime-fp32": Status.OK, "onnxruntime-int8": Status.FAILED}
    assert "the ranges are empty" in report.variants[1].error
    assert code is ExitCode.TOOL_FAILED


class Killer(Listener):
    """Kills the child processes that are there when a stage begins, or the first that comes after."""

    def __init__(self, title):
        super().__init__()
        self.title = title

    @contextmanager
    def stage(self, title, total=None):
        with super().stage(title, total) as advance:
            if not title.startswith(self.title):
                yield advance
                return
            killer = threading.Thread(target=self.kill)
            killer.start()
            yield advance
            killer.join()

    def kill(self):
        here = psutil.Process()
        while not (children := [child for child in here.children() if "far_side" in " ".join(child.cmdline())]):
            pass
        for child in children:
            child.kill()


@pytest.mark.parametrize(
    ("stage", "during"), [("export to ONNX", "export"), ("reference on calibration faces", "(load|embed_file)")]
)
def test_a_killed_export_or_reference_is_reported(make_job, cache, monkeypatch, tmp_path, stage, during):
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(cache / stage.split()[0]))
    job = make_job("onnxruntime-fp32,onnxruntime-int8", history=tmp_path / "history")
    report, code = run(job, Killer(stage))
    assert code is ExitCode.TOOL_FAILED
    written = Report.read(job.out / "report.json")
    assert written == report
    assert set(statuses(written).values()) == {Status.FAILED}
    assert all(re.search(f"was killed by SIGKILL.* during {during}", one.error) for one in written.variants)
    assert written.gate.verdict is Verdict.FAIL
    assert (written.model.width, written.model.stride, written.model.embedding_size) == (0.2, 2, 64)
    assert written.model.sha256 == file_sha256(job.checkpoint)
    assert written.data.pairs.count == 40
    for name in ("report.html", "report.md", "junit.xml"):
        assert "SIGKILL" in (job.out / name).read_text()
    (kept,) = read_history(job.history).runs
    assert kept.exit_code is ExitCode.TOOL_FAILED
    assert all("SIGKILL" in variant.error for variant in kept.variants)


@pytest.mark.parametrize("error", [InputError, RuntimeMissingError])
def test_what_no_variant_can_do_without_leaves_nothing_behind(make_job, listener, monkeypatch, tmp_path, error):
    def broken(*_, **__):
        raise error("no way to start", fix="start elsewhere")

    monkeypatch.setattr("ghostface_edge.pipeline.run.steps.embed_reference", broken)
    job = make_job("onnxruntime-fp32", history=tmp_path / "history")
    with pytest.raises(error, match="no way to start"):
        run(job, listener)
    assert not job.out.exists()
    assert not job.history.exists()


def test_people_who_are_in_the_pairs_are_left_out_of_calibration(
    make_job, listener, quantized, small_inputs, both, tmp_path
):
    faces = tmp_path / "faces"
    shutil.copytree(small_inputs / "calibration", faces)
    (faces / "Leaky_Person").mkdir()
    (faces / "Leaky_Person/one.png").write_bytes(read_bin(small_inputs / "pairs.bin")[0][0])
    _, clean, _ = both
    job = make_job("onnxruntime-int8", calibration=faces, out=tmp_path / "leaky")
    report, _ = run(job, listener)
    guard = report.data.calibration.leak_guard
    assert guard.excluded == ("Leaky_Person",)
    assert "Leaky_Person/one.png is pair" in guard.found[0]
    assert any(line.startswith("left out of calibration: Leaky_Person/one.png is pair") for line in listener.said)
    assert report.data.calibration.identities_shared_with_pairs == 0
    assert "Leaky_Person" not in (job.out / "models/calibration.sha256").read_text()
    assert report.data.calibration.sha256 == clean.data.calibration.sha256
    assert report.variants[0].artifact.sha256 == clean.variants[1].artifact.sha256
