"""The search ends with an artifact that keeps the limits, whatever the clock says."""

import dataclasses
import re

import numpy as np
import onnx
import pytest

from ghostface_edge.pipeline.precision_search import search
from ghostface_edge.pipeline.precision_search.search import Search
from ghostface_edge.pipeline.precision_search.setup import SearchSetup
from ghostface_edge.pipeline.precision_search.turns import RUNS
from ghostface_edge.pipeline.quantize.options import LatencyOptions, Limit
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.onnxruntime import OnnxruntimeTarget
from ghostface_edge.targets.protocol import Precision

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def setup(qdq_file, faces, tmp_path):
    fp32 = tmp_path / "fp32.onnx"
    OnnxruntimeTarget().convert(qdq_file.with_name("prepared.onnx"), Precision.FP32, fp32)
    (tmp_path / "candidates").mkdir()
    return SearchSetup(
        runtime="onnxruntime",
        prepared=qdq_file.with_name("prepared.onnx"),
        model=qdq_file,
        fp32=fp32,
        fp32_bytes=fp32.stat().st_size,
        faces=faces[:8],
        options=LatencyOptions(cosine=0.5, size=1.0),
        threads=1,
        folder=tmp_path / "candidates",
        logs=tmp_path,
        progress=Progress(),
        limit=Limit(),
    )


def test_what_is_chosen_keeps_the_limits_and_is_what_the_outcome_says(setup):
    outcome, artifact = Search(setup).run()
    assert artifact.is_file()
    assert outcome.cosine >= setup.options.cosine
    assert artifact.stat().st_size <= setup.options.size * setup.fp32_bytes
    assert outcome.measured > 2 * 5  # all with at most one change, and finalists
    macs = OnnxruntimeTarget().inspect(artifact).macs_by_precision
    assert macs.get("fp32", 0) / sum(macs.values()) == pytest.approx(outcome.float_share)
    assert bool(outcome.float_tensors) == (outcome.float_share > 0) == (outcome.versus_int8 != 1.0)
    low, high = outcome.versus_int8_ci95
    assert low <= outcome.versus_int8 <= high


@pytest.fixture
def clock(monkeypatch):
    """Times by a rule instead of by the host: a segment in float takes so many times INT8's, a change a little."""

    def set_to(float_cost, change_cost=0.05):
        def cost(label):
            runs = [(kind, int(count)) for kind, count in re.findall(r"([fi])(\d+)", label)]
            return sum(count * (float_cost if kind == "f" else 1.0) for kind, count in runs) + change_cost * (
                len(runs) - 1
            )

        def take(runtime, artifacts, *, threads, rounds, log, advance):
            return {label: np.full((rounds, RUNS), cost(label)) for label in artifacts}

        monkeypatch.setattr(search, "time_in_turns", take)

    return set_to


def test_the_fastest_that_keeps_the_limits_is_chosen(setup, clock):
    clock(0.5)
    outcome, _ = Search(setup).run()
    assert outcome.assignment in {"f4i1", "i1f4"}
    assert outcome.versus_int8 == pytest.approx((4 * 0.5 + 1 + 0.05) / 5)
    assert outcome.float_tensors


def test_int8_that_is_good_enough_stays_where_float_is_slower(setup, clock):
    clock(2.0)
    outcome, _ = Search(setup).run()
    assert (outcome.float_share, outcome.versus_int8, outcome.float_tensors) == (0.0, 1.0, ())
    assert "INT8 stays" in outcome.note


def test_a_limit_that_int8_misses_is_reached_with_float_even_if_that_is_slower(setup, clock):
    """Cosines are 0.97 for INT8 and up to 0.997."""
    clock(0.9, change_cost=1.0)
    outcome, _ = Search(dataclasses.replace(setup, options=LatencyOptions(cosine=0.98, size=1.0))).run()
    assert outcome.cosine >= 0.98
    assert outcome.float_tensors
    assert outcome.versus_int8 == pytest.approx((4 * 0.9 + 1 + 1.0) / 5)


def test_limits_that_no_mix_keeps_leave_int8(setup):
    tiny = dataclasses.replace(setup, options=LatencyOptions(cosine=0.5, size=0.01))
    outcome, artifact = Search(tiny).run()
    assert (outcome.float_share, outcome.versus_int8, outcome.float_tensors) == (0.0, 1.0, ())
    assert "no mix" in outcome.note
    found = {node.op_type for node in onnx.load(artifact).graph.node}
    assert "QLinearConv" in found
    assert "Conv" not in found


def test_a_model_that_cannot_be_lowered_is_an_error(setup, tmp_path):
    model = onnx.load(setup.model)
    for node in model.graph.node:
        if node.op_type == "GlobalAveragePool":
            node.op_type, node.domain = "Nonsense", "nowhere"
    model.opset_import.append(onnx.helper.make_opsetid("nowhere", 1))
    onnx.save(model, tmp_path / "broken.onnx")
    with pytest.raises(ToolError):
        Search(dataclasses.replace(setup, model=tmp_path / "broken.onnx")).run()
