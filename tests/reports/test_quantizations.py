from ghostface_edge.reports.quantizations import quantizations
from ghostface_edge.reports.report import Report


def test_variants_of_one_qdq_model_share_a_quantization(deployed: Report) -> None:
    (only,) = quantizations(deployed)
    assert only.variants == ("onnxruntime-int8", "tflite-int8")
    assert [step.step for step in only.curve] == ["min-max ranges", "equalization"]


def test_the_worst_come_first(deployed: Report) -> None:
    (only,) = quantizations(deployed)
    assert [group.tensor for group in only.range_stability] == ["head", "stem"]
    assert [part.name for part in only.sensitivity] == ["head", "stem"]


def test_another_curve_is_another_quantization(deployed: Report) -> None:
    *rest, micro = deployed.variants
    longer = micro.model_copy(update={"curve": micro.curve[:1]})
    found = quantizations(deployed.model_copy(update={"variants": (*rest, longer)}))
    assert [qdq.variants for qdq in found] == [("onnxruntime-int8",), ("tflite-int8",)]
    assert [len(qdq.curve) for qdq in found] == [2, 1]
    # what both share is stated once
    assert [(len(qdq.sensitivity), qdq.as_above) for qdq in found] == [(2, False), (0, True)]


def test_nothing_known(report: Report) -> None:
    assert quantizations(report) == []
