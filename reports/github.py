"""What GitHub Actions shows of a gate: annotations beside a change, and the summary of a step."""

from collections.abc import Mapping
from pathlib import Path

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.printable import printable
from ghostface_edge.reports.report import Gate, Role, Verdict


def annotations(gate: Gate) -> list[str]:
    """Write workflow commands: `::error` for failures, `::warning` for open questions, advice and comparisons.

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


def append_summary(markdown: str, environment: Mapping[str, str]) -> None:
    """Add Markdown to the summary of the running step.

    Args:
        markdown: of `markdown.render`.
        environment: the process's variables.

    Raises:
        InputError: no step of GitHub Actions is running, or its summary cannot be written.
    """
    path = environment.get("GITHUB_STEP_SUMMARY")
    if not path:
        raise InputError(
            "GITHUB_STEP_SUMMARY is not set, so there is no step summary to write to",
            fix="ask for it inside GitHub Actions only, or write the Markdown to a file",
        )
    try:
        with Path(path).open("a", encoding="utf-8") as summary:
            summary.write(markdown)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", fix="check the runner's disk") from error


def _message(text: str) -> str:
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
