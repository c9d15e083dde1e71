"""junit.xml: one testcase per check, so that CI shows every limit by name."""

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from ghostface_edge.reports.printable import printable
from ghostface_edge.reports.report import Check, Report, Role, Verdict


def render(report: Report) -> str:
    """Write the gate's checks as JUnit XML."""
    return document([suite_of(report, f"ghostface-edge gate: {report.model.name}")])


def document(suites: Iterable[ET.Element]) -> str:
    """Write suites as one file."""
    root = ET.Element("testsuites")
    root.extend(suites)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def suite_of(report: Report, name: str) -> ET.Element:
    """The gate's checks, a case for each.

    A failed or inconclusive check of a candidate is a failure; one of a variant kept for comparison, or of a
    clause that only advises, is skipped with the same message, since it does not decide.
    """
    checks = report.gate.checks
    deciding = [check for check in checks if check.role is Role.CANDIDATE and check.verdict is not Verdict.PASS]
    compared = [check for check in checks if check.role is not Role.CANDIDATE and check.verdict is not Verdict.PASS]
    suite = ET.Element(
        "testsuite",
        name=_text(name),
        tests=str(len(checks)),
        failures=str(len(deciding)),
        skipped=str(len(compared)),
        errors="0",
    )
    for check in checks:
        _add(suite, check)
    return suite


def suite_of_error(name: str, error: str) -> ET.Element:
    """What stands where there is no report."""
    suite = ET.Element("testsuite", name=_text(name), tests="1", failures="0", skipped="0", errors="1")
    case = ET.SubElement(suite, "testcase", classname=_text(name), name="report")
    ET.SubElement(case, "error", message=_text(error)).text = _text(error)
    return suite


def _add(suite: ET.Element, check: Check) -> None:
    case = ET.SubElement(suite, "testcase", classname=_text(check.variant), name=_text(f"{check.name} {check.limit}"))
    reason = _text(check.reason)
    if check.verdict is Verdict.PASS:
        ET.SubElement(case, "system-out").text = reason
    elif check.role is Role.COMPARISON:
        ET.SubElement(case, "skipped", message=f"for comparison only: {reason}")
    elif check.role is Role.ADVICE:
        ET.SubElement(case, "skipped", message=f"advice only: {reason}")
    else:
        ET.SubElement(case, "failure", type=check.verdict.value, message=reason).text = reason


def _text(value: str) -> str:
    return printable(value)
