"""The search ends with an artifact that keeps the limits, whatever the clock says."""

import dataclasses

import onnx
import pytest

from ghostface_edge.pipeline.precision_search.search import Search
from ghostface_edge.pipeline.precision_search.setup import SearchSetup
from ghostface_edge.pipeline.quantize.options import LatencyOptions
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


def test_a_limit_that_int8_misses_is_reached_with_float(setup):
    """Cosines are 0.97 for INT8 and up to 0.997; a mix that keeps the limit is taken even if it is slower."""
    strict = dataclasses.replace(setup, options=LatencyOptions(cosine=0.98, size=1.0))
    outcome, _ = Search(strict).run()
    assert outcome.cosine >= 0.98 or "no mix" in outcome.note
    assert bool(outcome.float_tensors) == (outcome.cosine >= 0.98)


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
