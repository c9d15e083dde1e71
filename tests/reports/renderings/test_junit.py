import xml.etree.ElementTree as ET

from ghostface_edge.reports.gate import judge, judge_report
from ghostface_edge.reports.renderings.junit import render
from ghostface_edge.reports.report import Report


def test_one_case_per_check(report: Report) -> None:
    suite = ET.fromstring(render(report)).find("testsuite")
    assert suite is not None
    assert int(suite.get("tests", "")) == len(report.gate.checks) == len(suite.findall("testcase"))
    assert suite.get("failures") == "0"
    skipped = suite.findall("testcase/skipped")
    assert len(skipped) == int(suite.get("skipped", "")) > 0
    assert "for comparison only: onnxruntime-int8-stock" in skipped[0].get("message", "")


def test_what_decides_is_a_failure(report: Report) -> None:
    fp32, _, stock = report.variants
    alone = judge_report(report.model_copy(update={"variants": (fp32, stock)}))
    suite = ET.fromstring(render(alone)).find("testsuite")
    assert suite is not None
    failures = suite.findall("testcase/failure")
    assert len(failures) == int(suite.get("failures", "")) > 0
    assert failures[0].get("type") == "fail"


def test_characters_that_xml_cannot_hold(report: Report) -> None:
    failed = report.variants[0].model_copy(update={"status": "failed", "error": "NUL \x00 & <tag> \ud800"})
    hostile = report.model_copy(update={"variants": (failed,), "gate": judge([failed])})
    message = ET.fromstring(render(hostile)).findall(".//failure")[-1].get("message", "")
    assert "<tag>" in message
    assert "NUL \\x00" in message
    assert message.endswith("\\ud800")
