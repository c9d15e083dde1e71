"""The search ends with an artifact that keeps the limits, whatever the clock says."""

import dataclasses

import onnx
import pytest

from ghostface_edge.pipeline.precision_search.search import Contest
from ghostface_edge.pipeline.quantize.options import LatencyOptions
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.onnxruntime import OnnxruntimeTarget
from ghostface_edge.targets.protocol import Precision

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def contest(carrier_file, faces, tmp_path):
    fp32 = tmp_path / "fp32.onnx"
    OnnxruntimeTarget().convert(carrier_file.with_name("prepared.onnx"), Precision.FP32, fp32)
    (tmp_path / "candidates").mkdir()
    return Contest(
        runtime="onnxruntime",
        carrier=carrier_file,
        fp32=fp32,
        fp32_bytes=fp32.stat().st_size,
        faces=faces[:8],
        options=LatencyOptions(cosine=0.5, size=1.0),
        threads=1,
        folder=tmp_path / "candidates",
        logs=tmp_path,
        progress=Progress(),
    )


def test_what_is_chosen_keeps_the_limits_and_is_what_the_outcome_says(contest):
    fastest, artifact = contest.search()
    assert artifact.is_file()
    assert fastest.cosine >= contest.options.cosine
    assert artifact.stat().st_size <= contest.options.size * contest.fp32_bytes
    assert fastest.measured > 2 * 5  # all with at most one change, and finalists
    macs = OnnxruntimeTarget().inspect(artifact).macs_by_precision
    assert macs.get("fp32", 0) / sum(macs.values()) == pytest.approx(fastest.float_share)
    assert bool(fastest.float_tensors) == (fastest.float_share > 0) == (fastest.versus_int8 != 1.0)
    low, high = fastest.versus_int8_ci95
    assert low <= fastest.versus_int8 <= high


def test_a_limit_that_int8_misses_is_reached_with_float(contest):
    """Cosines are 0.97 for INT8 and up to 0.997; a mix that keeps the limit is taken even if it is slower."""
    strict = dataclasses.replace(contest, options=LatencyOptions(cosine=0.98, size=1.0))
    fastest, _ = strict.search()
    assert fastest.cosine >= 0.98 or "no mix" in fastest.note
    assert bool(fastest.float_tensors) == (fastest.cosine >= 0.98)


def test_limits_that_no_mix_keeps_leave_int8(contest):
    tiny = dataclasses.replace(contest, options=LatencyOptions(cosine=0.5, size=0.01))
    fastest, artifact = tiny.search()
    assert (fastest.float_share, fastest.versus_int8, fastest.float_tensors) == (0.0, 1.0, ())
    assert "no mix" in fastest.note
    found = {node.op_type for node in onnx.load(artifact).graph.node}
    assert "QLinearConv" in found
    assert "Conv" not in found


def test_a_carrier_that_cannot_be_lowered_is_an_error(contest, tmp_path):
    model = onnx.load(contest.carrier)
    for node in model.graph.node:
        if node.op_type == "GlobalAveragePool":
            node.op_type, node.domain = "Nonsense", "nowhere"
    model.opset_import.append(onnx.helper.make_opsetid("nowhere", 1))
    onnx.save(model, tmp_path / "broken.onnx")
    with pytest.raises(ToolError):
        dataclasses.replace(contest, carrier=tmp_path / "broken.onnx").search()
