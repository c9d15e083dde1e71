"""The stage is run once for the same inputs and host, and not at all for runtimes without float islands."""

import cv2
import pytest

from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.pipeline.quantize.options import RECIPES, LatencyOptions
from ghostface_edge.pipeline.stages import precision_search as stage
from ghostface_edge.pipeline.stages.artifacts import Carrier
from ghostface_edge.pipeline.stages.build import Workshop
from ghostface_edge.pipeline.stages.precision_search import lower_fastest
from ghostface_edge.pipeline.support.progress import Narrator
from ghostface_edge.pipeline.support.store import Store, file_sha256
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.table import VariantId


class Listener(Narrator):
    """Keeps what is said."""

    def __init__(self):
        super().__init__()
        self.said = []

    def say(self, text):
        self.said.append(text)


@pytest.fixture
def shop(tmp_path):
    return Workshop(Store(tmp_path / "store"), tmp_path / "logs", Listener(), 1)


@pytest.fixture
def lower(shop, carrier_file, faces, tmp_path):
    """Lower the small carrier for a runtime."""
    for index, face in enumerate(faces):
        (tmp_path / "faces" / f"person{index}").mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "faces" / f"person{index}" / "0001.png"), face)
    calibration = sample(scan_folder(tmp_path / "faces"), 40, 0)
    made = Carrier(carrier_file, file_sha256(carrier_file), None, None)
    model, options = carrier_file.with_name("prepared.onnx"), LatencyOptions(size=1.0)

    def call(runtime):
        variant = VariantId(runtime, Precision.INT8)
        return lower_fastest(shop, variant, made, model, calibration, options, seed=0, threads=1)

    return call


def test_integers_only_is_said_and_nothing_is_timed(lower, shop):
    assert lower("tflite") is None
    assert shop.narrator.said == ["tflite-int8: integers only, nothing to choose"]


def test_a_second_run_finds_the_first_ones_outcome(lower, shop, quick):
    artifact, fastest = lower("onnxruntime")
    assert artifact.seconds > 0
    said = len(shop.narrator.said)
    assert lower("onnxruntime") == (artifact, fastest)
    assert shop.narrator.said[said:] == [f"onnxruntime-int8: {fastest.note}"]


def test_a_search_that_fails_is_said_and_costs_nothing_else(lower, shop, monkeypatch):
    def fail(_contest):
        raise ToolError("the clock stands still", fix="wind it up")

    monkeypatch.setattr(stage.Contest, "search", fail)
    assert lower("onnxruntime") is None
    assert "INT8 throughout: the clock stands still" in shop.narrator.said[-1]


def test_the_built_in_recipe_lets_the_clock_decide_and_nothing_else():
    fast, balanced = (RECIPES[name].model_dump(exclude={"name", "latency"}) for name in ("fast", "balanced"))
    assert fast == balanced
    assert RECIPES["fast"].latency == LatencyOptions()
