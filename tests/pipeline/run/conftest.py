"""A job that takes seconds: a tiny network with seeded weights, few rendered faces."""

import shutil
from dataclasses import replace

import pytest

from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.pipeline.checkpoints.weights_file import write_safetensors
from ghostface_edge.pipeline.network.architecture import Architecture
from ghostface_edge.pipeline.prepare.report import PreparationReport
from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.pipeline.quantize.report import QuantizationReport
from ghostface_edge.pipeline.run.job import Job
from ghostface_edge.pipeline.run.main_job import run
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.lower import Lower
from ghostface_edge.pipeline.stages.quantize import QuantizationEvidence, Quantize
from ghostface_edge.pipeline.support.json_value import write_value
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.pipeline.synthetic.sets import write_calibration, write_pairs
from ghostface_edge.reports.policy import Policy
from ghostface_edge.targets.table import parse_variants

from ..listener import Listener
from ..people import write_people


@pytest.fixture(scope="session")
def small_inputs(tmp_path_factory, make_checkpoint):
    """Folder with `tiny.safetensors`, `pairs.bin`, `more/more.bin` of unknown people, `calibration/` and `people/`."""
    folder = tmp_path_factory.mktemp("inputs")
    write_safetensors(
        make_checkpoint(Architecture(width=0.2, stride=2, embedding_size=64)), folder / "tiny.safetensors"
    )
    write_pairs(folder, 40, seed=0).rename(folder / "pairs.bin")
    write_calibration(folder / "calibration", 24, seed=0)
    (folder / "more").mkdir()
    write_pairs(folder / "more", 40, seed=1).rename(folder / "more/more.bin")
    (folder / "more/pairs.txt").unlink()
    write_people(folder / "people", [2] * 40)
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Shared by all jobs, so that each stage is built once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def listener(cache, monkeypatch):
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(cache))
    return Listener()


@pytest.fixture
def context(cache, listener, tmp_path):
    return StageContext(Store(cache), tmp_path / "logs", listener, 1)


@pytest.fixture
def quantized(monkeypatch):
    """Stands for quantization, which takes long: the INT8 artifact is the float model."""
    stand_for_quantization(monkeypatch)


def stand_for_quantization(monkeypatch):
    def quantize(self, folder, _context):
        shutil.copyfile(self.model, folder / "model.qdq.onnx")
        report = QuantizationReport("balanced", "quick", 8, 0.98, (), (), {}, (), 1.0, (), {}, ())
        write_value(folder / "report.json", QuantizationEvidence(PreparationReport(0, 0, 0, (), 0.0), report))

    def lower(self, folder, _context):
        shutil.copyfile(self.model.path, folder / "model.onnx")
        write_value(folder / "seconds.json", 0.5)

    monkeypatch.setattr(Quantize, "build", quantize)
    monkeypatch.setattr(Lower, "build", lower)


@pytest.fixture(scope="session")
def both(small_inputs, cache, tmp_path_factory):
    """One job of a float and an INT8 variant that goes well: the job, its report and its exit code."""
    job = job_of(small_inputs, tmp_path_factory.mktemp("both") / "out", "onnxruntime-fp32,onnxruntime-int8")
    job = replace(job, command="ghostface-edge run quick", history=job.out.parent / "history", release="v1")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(cache))
        stand_for_quantization(monkeypatch)
        return job, *run(job, Listener())


@pytest.fixture
def make_job(small_inputs, tmp_path):
    """The job for some variants; it names its own output folder."""

    def make(targets, **changed):
        return replace(job_of(small_inputs, tmp_path / "out", targets), **changed)

    return make


def job_of(inputs, out, targets):
    return Job(
        checkpoint=inputs / "tiny.safetensors",
        pairs=(PairsSource(inputs / "pairs.bin"),),
        calibration=inputs / "calibration",
        variants=parse_variants(targets.split(",")),
        out=out,
        recipe=Recipe(),
        policy=Policy.read(),
        nobody_shared=True,
    )
