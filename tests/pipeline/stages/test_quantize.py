"""Which of two quantized models a target gets."""

from dataclasses import replace

import pytest

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.pipeline.prepare.report import PreparationReport
from ghostface_edge.pipeline.quantize.options import RECIPES
from ghostface_edge.pipeline.quantize.report import FULL_INTEGER, QuantizationReport
from ghostface_edge.pipeline.stages.quantize import QdqModel, QuantizationEvidence, Quantize
from ghostface_edge.pipeline.support.json_value import write_value
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.targets.table import TARGETS, load_target


@pytest.fixture
def qdq(tmp_path):
    """One with a tensor in higher precision, the full-integer one beside it."""
    for name in ("model.qdq.onnx", FULL_INTEGER):
        (tmp_path / name).write_text(name)
    whole = QuantizationReport("balanced", "mine", 8, 0.98, (), (), {}, (), 1.0, (), {}, ())
    mixed = replace(whole, cosine_mean=0.99, higher_precision=("stem",), full_integer=whole)
    path = tmp_path / "model.qdq.onnx"
    return QdqModel(path, file_sha256(path), mixed, PreparationReport(0, 0, 0, (), 0.0))


@pytest.mark.parametrize("runtime", TARGETS)
def test_a_target_in_integers_throughout_gets_the_full_integer_model(qdq, runtime):
    target = load_target(runtime)
    chosen = qdq.suited_to(target)
    assert chosen.sha256 == file_sha256(chosen.path)
    if target.float_fallback is None:
        assert chosen.path.name == FULL_INTEGER
        assert chosen.report.higher_precision == ()
    else:
        assert chosen is qdq


def test_tflite_takes_no_float():
    assert {runtime for runtime in TARGETS if load_target(runtime).float_fallback is None} >= {"tflite"}


def test_where_nothing_is_kept_all_get_the_same(qdq):
    only = replace(qdq, report=qdq.report.full_integer)
    assert only.suited_to(load_target("tflite")) is only


def test_fast_takes_the_model_of_balanced_under_its_own_name(qdq, tmp_path):
    """What the clock decides comes behind the model."""
    stages = [Quantize(qdq.path, CalibrationSet(qdq.path, (), "0" * 64), RECIPES[name], 0) for name in RECIPES]
    balanced, best, fast = (stage.inputs() for stage in stages)
    assert fast == balanced != best
    write_value(tmp_path / "report.json", QuantizationEvidence(qdq.preparation, qdq.report))
    report = stages[2].read(tmp_path).report
    assert (report.recipe, report.full_integer.recipe) == ("fast", "fast")


def test_the_device_that_trains_decides_what_may_be_used_again(qdq, monkeypatch):
    def inputs(recipe):
        return Quantize(qdq.path, CalibrationSet(qdq.path, (), "0" * 64), RECIPES[recipe], 0).inputs()

    plain, on_cpu = inputs("balanced"), inputs("best")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda _index: "a GPU")
    assert inputs("balanced") == plain
    assert inputs("best") == on_cpu | {"device": "a GPU"} != on_cpu
