"""Reports on preparation and quantization are plain data: JSON holds them to the last bit."""

import dataclasses
import json

from pydantic import TypeAdapter

from ghostface_edge.pipeline.prepare.report import PreparationReport
from ghostface_edge.pipeline.quantize.report import CurvePoint, Part, QuantizationReport, RoundingLoss, TensorRange

PREPARATION = PreparationReport(3, 40, 2, ("tanh3 (Tanh)",), 0.1 + 0.2)
FULL_INTEGER = QuantizationReport(
    method="balanced",
    recipe="mine",
    held_out_faces=12,
    cosine_mean=1 / 3,
    curve=(CurvePoint("ranges", 2 / 3, 5e-324, -1e-17),),
    ranges=(TensorRange("stem", -0.1, 1.7976931348623157e308, 1 / 255, -128),),
    range_stability={"stem": 0.1},
    higher_precision=(),
    int8_mac_share=1.0,
    sensitivity=(RoundingLoss(Part.TENSOR, "stem", 1e-9, 12.3), RoundingLoss(Part.LAYER, "tail", 0.2, float("inf"))),
    dead_channels={"stem": 2},
    warnings=("few faces",),
)
MIXED = dataclasses.replace(FULL_INTEGER, higher_precision=("stem", "tail"), full_integer=FULL_INTEGER)


def test_reports_survive_json_exactly():
    for report in (PREPARATION, FULL_INTEGER, MIXED):
        adapter = TypeAdapter(type(report))
        text = json.dumps(adapter.dump_python(report, mode="json"))
        assert adapter.validate_python(json.loads(text)) == report
