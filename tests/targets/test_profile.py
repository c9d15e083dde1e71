"""Profiles add up, and say what is integer and what is not."""

import pytest

from ghostface_edge.reports.evidence import ProfileRole
from ghostface_edge.targets.profile import OperatorSample, group
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.table import load_target


def test_the_median_of_each_operator_counts_and_kinds_add_up():
    samples = [
        OperatorSample(name, kind, role, us)
        for name, kind, role, us in [
            ("a", "Conv", ProfileRole.INTEGER, 10.0),
            ("b", "Conv", ProfileRole.INTEGER, 5.0),
            ("a", "Conv", ProfileRole.INTEGER, 900.0),
            ("a", "Conv", ProfileRole.INTEGER, 20.0),
            ("c", "Reorder", ProfileRole.LAYOUT, 75.0),
        ]
    ]
    slowest, other = group(samples)
    assert (slowest.kind, slowest.calls, slowest.ms) == ("Reorder", 1, 0.075)
    assert (other.kind, other.calls, other.ms) == ("Conv", 2, pytest.approx(0.025))


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_runtimes_profile_float_and_integers(runtime, write_ghost_network, ghost_qdq, tmp_path):
    target = load_target(runtime)
    if runtime == "openvino":
        pytest.importorskip("openvino", reason="OpenVINO is not installed")
    real, integer = (tmp_path / f"{name}{target.extension}" for name in ("real", "integer"))
    target.convert(write_ghost_network(quantized=False), Precision.FP32, real)
    target.lower_quantized(ghost_qdq, integer)
    rows = target.profile(real, 1)
    assert not [row for row in rows if row.role in {ProfileRole.INTEGER, ProfileRole.QUANTIZE}]
    assert sum(row.calls for row in rows if "onv" in row.kind) >= 7
    rows = target.profile(integer, 1)
    assert sum(row.calls for row in rows if "onv" in row.kind and row.role is ProfileRole.INTEGER) >= 7
    assert not [row for row in rows if "onv" in row.kind and row.role is ProfileRole.FLOAT and row.kind != "Convert"]
    assert 0 < sum(row.ms for row in rows) < 1000
