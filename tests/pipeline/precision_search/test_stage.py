"""The stage is run once for the same inputs and host, and not at all for runtimes that compute in integers only."""

import cv2
import pytest

from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.pipeline.quantize.options import RECIPES, LatencyOptions, Recipe
from ghostface_edge.pipeline.stages import precision_search as stage
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.precision_search import search_precisions
from ghostface_edge.pipeline.stages.quantize import QdqModel, Quantize
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.table import VariantId

from ..listener import Listener


@pytest.fixture
def context(tmp_path):
    return StageContext(Store(tmp_path / "store"), tmp_path / "logs", Listener(), 1)


@pytest.fixture
def search(context, qdq_file, faces, tmp_path):
    """Search for a runtime with the small quantized network."""
    for index, face in enumerate(faces):
        (tmp_path / "faces" / f"person{index}").mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "faces" / f"person{index}" / "0001.png"), face)
    calibration = sample(scan_folder(tmp_path / "faces"), 40, 0)
    quantized = QdqModel(qdq_file, file_sha256(qdq_file), None, None)
    recipe = Recipe(latency=LatencyOptions(size=1.0))
    quantize = Quantize(qdq_file.with_name("prepared.onnx"), calibration, recipe, 0)

    def call(runtime):
        return search_precisions(context, VariantId(runtime, Precision.INT8), quantized, quantize, 1)

    return call


def test_integers_only_is_said_and_nothing_is_timed(search, context):
    assert search("tflite") is None
    assert context.progress.said == ["tflite-int8: integers only, nothing to choose"]


def test_a_second_run_finds_the_first_ones_outcome(search, context, quick):
    found = search("onnxruntime")
    assert found.artifact.seconds > 0
    said = len(context.progress.said)
    assert search("onnxruntime") == found
    assert context.progress.said[said:] == [f"onnxruntime-int8: {found.outcome.note}"]


def test_a_search_that_fails_is_said_and_costs_nothing_else(search, context, monkeypatch):
    def fail(_search):
        raise ToolError("the clock stands still", fix="wind it up")

    monkeypatch.setattr(stage.Search, "run", fail)
    assert search("onnxruntime") is None
    assert "INT8 throughout: the clock stands still" in context.progress.said[-1]


def test_the_built_in_recipe_lets_the_clock_decide_and_nothing_else():
    fast, balanced = (RECIPES[name].model_dump(exclude={"name", "latency"}) for name in ("fast", "balanced"))
    assert fast == balanced
    assert RECIPES["fast"].latency == LatencyOptions()
