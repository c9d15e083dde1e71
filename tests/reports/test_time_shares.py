import pytest

from ghostface_edge.reports.report import Report
from ghostface_edge.reports.sections.profile import integer_share
from ghostface_edge.reports.time_shares import time_shares


def test_shares_of_a_profile(deployed: Report) -> None:
    fp32, int8, micro = time_shares(deployed)
    assert fp32.roles["float"] == 1.0
    assert int8.ms == pytest.approx(2.0)
    assert int8.roles == pytest.approx({"integer": 0.6, "float": 0.25, "quantize": 0.1, "layout": 0.05})
    assert int8.delegated is None
    assert micro.delegated == pytest.approx(0.9)
    assert micro.undelegated == (("MAXIMUM", pytest.approx(0.1)),)


def test_a_runtimes_variants_stand_together(deployed: Report) -> None:
    first, second, stock, micro = deployed.variants
    mixed = deployed.model_copy(update={"variants": (first, micro, stock, second)})
    ids = [shares.variant.id for shares in time_shares(mixed)]
    assert ids == ["onnxruntime-fp32", "onnxruntime-int8", "tflite-int8"]


def test_a_profile_without_roles_has_no_shares(deployed: Report) -> None:
    variant = deployed.variants[0]
    older = variant.model_validate({**variant.model_dump(), "profile": [{"kind": "Conv", "calls": 54, "ms": 0.7}]})
    assert time_shares(deployed.model_copy(update={"variants": (older,)})) == []


def test_in_words(deployed: Report) -> None:
    _, int8, micro = time_shares(deployed)
    assert integer_share(int8) == (
        "onnxruntime-int8: 60.0 % of 2.00 ms is arithmetic in integers; float fallback takes 25.0 %, "
        "reorders and other moves 5.0 %, quantizing and dequantizing 10.0 %."
    )
    assert integer_share(micro).endswith("XNNPACK runs 90.0 %; not delegated: MAXIMUM (10.0 %).")
