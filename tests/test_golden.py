"""A recording shows every change of a result, and none where the clock or the host is all that differs."""

import json

import pytest

from . import golden


@pytest.fixture
def report():
    return {
        "tool": {"seed": 0, "seconds": 12.5, "started": "2026-01-01"},
        "host": {"cpu": "one"},
        "variants": [
            {"id": "tflite-int8", "latency": {"runs": 250, "p50_ms": 1.5}, "drop_pp": 0.25, "curve": [1.0, 2.0]},
            {"id": "openvino-int8", "latency": None, "drop_pp": 0.5, "curve": []},
        ],
        "gate": {
            "verdict": "pass",
            "checks": [
                {"variant": "tflite-int8", "name": "versus_fp32", "set": None, "limit": "<= 2", "measured": 0.7},
                {"variant": "tflite-int8", "name": "drop_pp", "set": None, "limit": "<= 1", "measured": 0.25},
            ],
        },
        "cross_precision": {
            "variants": ["tflite-int8", "openvino-int8"],
            "far": "0.001",
            "cosine": [[1.0, 0.9], [0.8, 1.0]],
        },
    }


@pytest.fixture
def write(tmp_path):
    def make(name, report, model=b"weights"):
        out = tmp_path / name
        (out / "models").mkdir(parents=True)
        (out / "models/net-tflite-int8.tflite").write_bytes(model)
        (out / "report.json").write_text(json.dumps(report))
        (out / "quantization.json").write_text(json.dumps({"quantization": {"cosine_mean": 0.98}}))
        return out

    return make


def test_times_and_hosts_are_no_difference_and_their_absence_is_one(report, write, capsys, tmp_path):
    file = tmp_path / "golden.json"
    assert golden.main(["record", str(file), "--from", f"balanced={write('before', report)}"]) == 0
    report["tool"] |= {"seconds": 99.0, "started": "2027-01-01"}
    report["host"]["cpu"] = "two"
    report["variants"][0]["latency"]["p50_ms"] = 3.0
    report["gate"]["verdict"] = "inconclusive"
    report["gate"]["checks"][0]["measured"] = 1.9
    report["variants"].reverse()
    assert golden.main(["check", str(file), "--from", f"balanced={write('later', report)}"]) == 0
    del report["tool"]["seconds"]
    assert golden.main(["check", str(file), "--from", f"balanced={write('shorter', report)}"]) == 1
    assert "balanced: report.json/tool/seconds: gone" in capsys.readouterr().out


def test_each_difference_is_named_by_its_path(report, write):
    before = golden.record(write("before", report))
    report["variants"][0] |= {"drop_pp": 0.26, "added": True}
    report["variants"][0]["curve"].append(3.0)
    report["variants"][1]["latency"] = {"runs": 250}
    report["gate"]["checks"][1]["measured"] = 0.26
    report["cross_precision"]["cosine"][1][0] = 0.81
    after = golden.record(write("after", report, b"other weights"))
    changed = [line.partition(": ")[0] for line in golden.differences(before, after)]
    assert changed == [
        "models/net-tflite-int8.tflite",
        "report.json/cross_precision/cosine/openvino-int8/tflite-int8",
        "report.json/gate/checks/tflite-int8/drop_pp/None/measured",
        "report.json/variants/openvino-int8/latency",
        "report.json/variants/openvino-int8/latency/runs",
        "report.json/variants/tflite-int8/added",
        "report.json/variants/tflite-int8/curve/2",
        "report.json/variants/tflite-int8/drop_pp",
    ]


def test_other_runtimes_are_left_out_where_the_clock_chooses_their_models(report, write):
    figures = golden.record(write("out", report), "tflite")
    assert not any("openvino" in path for path in figures)
    assert "report.json/cross_precision/cosine/tflite-int8/tflite-int8" in figures
    assert figures["quantization.json/quantization/cosine_mean"] == 0.98


@pytest.mark.parametrize("arguments", [["record", "f", "--jobs", "nonsense"], ["record", "f", "--jobs", "balanced"]])
def test_wrong_use_is_refused_before_anything_runs(arguments):
    with pytest.raises(SystemExit, match="2"):
        golden.main(arguments)
