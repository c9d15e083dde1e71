"""Annotations that GitHub Actions shows beside a change: one line per check that did not pass."""

from ghostface_edge.reports.report import Gate, Role, Verdict


def annotations(gate: Gate) -> list[str]:
    """Write workflow commands: `::error` for failures, `::warning` for open questions and comparisons.

    Source: docs.github.com, "Workflow commands for GitHub Actions".
    """
    lines = []
    for check in gate.checks:
        if check.verdict is Verdict.PASS:
            continue
        decides = check.verdict is Verdict.FAIL and check.role is Role.CANDIDATE
        kind = "error" if decides else "warning"
        lines.append(f"::{kind} title={_property(f'{check.variant} {check.name}')}::{_message(check.reason)}")
    return lines


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
