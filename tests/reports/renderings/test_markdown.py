from ghostface_edge.reports.gate import judge
from ghostface_edge.reports.renderings.markdown import render
from ghostface_edge.reports.report import Report


def test_table_and_reasons_fit_a_comment(report: Report) -> None:
    text = render(report)
    assert text.startswith("## ✅ GhostFaceNetV1-0.5-2: pass")
    assert len(text) < 65_536
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 3
    assert len({row.count("|") for row in rows}) == 1
    *lines, reason = [line for line in text.splitlines() if line.startswith("- ")]
    assert [line.partition(":")[0] for line in lines] == ["- Ship", "- File", "- Costs", "- Loses", "- Look at"]
    assert "onnxruntime-int8-stock: accuracy drop" in reason
    assert "for comparison" in reason


def test_names_stay_text(report: Report) -> None:
    name = "a|b <img src=x> [click](http://x) @team `code`\n# head"
    failed = report.variants[0].model_copy(update={"id": name, "status": "failed", "error": name})
    hostile = report.model_copy(update={"variants": (failed,), "gate": judge([failed])})
    text = render(hostile)
    assert "<img" not in text
    assert "[click](" not in text
    assert "@team" not in text
    assert "\n# head" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len({row.replace("\\|", "").count("|") for row in rows}) == 1


def test_estimates_and_firmware_come_after_what_was_measured(deployed: Report) -> None:
    text = render(deployed)
    measured, estimated = text.split("### NPUs, estimated by Vela 4.2.0, not measured")
    assert "float fallback takes 25.0 %" in measured
    assert "| tflite-int8 | Ethos-U55-128 | 6.40 |" in estimated
    assert "fill the input anew" in estimated
    assert "tensor arena **283 KiB**" in estimated
    assert "Ethos" not in render(deployed.model_copy(update={"variants": deployed.variants[:3]}))
