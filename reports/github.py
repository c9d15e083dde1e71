"""What GitHub Actions gets of a gate: annotations beside a change, the summary of a step, and its outputs."""

from collections.abc import Mapping
from pathlib import Path

from ghostface_edge.reports.devices import LOCAL
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.gate import exit_code
from ghostface_edge.reports.printable import printable
from ghostface_edge.reports.recommend import recommend
from ghostface_edge.reports.report import Gate, Report, Role, Verdict


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
    _append(path, markdown)


def set_outputs(path: Path, report: Report, environment: Mapping[str, str]) -> None:
    """Set the outputs of the running step: the verdict, and the file that `recommend` chooses here.

    Where no file may ship, `variant`, `model` and `drop-pp` are empty. A runner that reads no outputs gets none.

    Args:
        path: where the report lies.
        report: with its gate.
        environment: the process's variables.

    Raises:
        InputError: they cannot be written.
    """
    if not environment.get("GITHUB_OUTPUT"):
        return
    chosen = recommend(report, LOCAL).chosen
    variant = next((one for one in report.local_variants if chosen is not None and one.id == chosen.variant), None)
    artifact, lost = (variant.artifact, variant.versus_reference) if variant else (None, None)
    values = {
        "verdict": report.gate.verdict.value,
        "exit-code": str(int(exit_code(report))),
        "report": str(path),
        "variant": variant.id if variant else "",
        "model": str(path.parent / artifact.path) if artifact else "",
        "drop-pp": f"{lost.drop_pp:.2f}" if lost else "",
    }
    _append(environment["GITHUB_OUTPUT"], "".join(f"{name}={printable(value)}\n" for name, value in values.items()))


def _append(path: str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", fix="check the runner's disk") from error


def _message(text: str) -> str:
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
