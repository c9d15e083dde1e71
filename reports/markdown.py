"""report.md: the verdict, the table, and why, short enough for a pull request comment."""

import re

from ghostface_edge.reports import difference, wording
from ghostface_edge.reports.difference import Trend, compare
from ghostface_edge.reports.report import Report, Role, Verdict

_MARKS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔"}


def render(report: Report, baseline: Report | None = None) -> str:
    """Write a report as GitHub-flavoured Markdown, with what changed against a baseline if one is given."""
    model, pairs, calibration = report.model, report.data.pairs, report.data.calibration
    lines = [
        f"## {_MARKS[report.gate.verdict]} {_text(model.name)}: {report.gate.verdict.value}",
        "",
        f"{_text(model.architecture)}, {model.parameters:,} parameters, {model.mmacs:.1f} M MACs; "
        f"{pairs.count:,} pairs of {_text(pairs.name)}; calibrated on {calibration.images:,} faces of "
        f"{calibration.identities:,} people ({calibration.identities_shared_with_pairs} of them in the pairs).",
        "",
        "| " + " | ".join(wording.COLUMNS) + " |",
        "| --- | --- |" + " ---: |" * (len(wording.COLUMNS) - 2),
    ]
    lines += ["| " + " | ".join(map(_text, wording.row(report, variant))) + " |" for variant in report.variants]
    objections = wording.objections(report.gate)
    if objections:
        lines += ["", f"### What did not pass (policy {_text(report.gate.policy)})", ""]
        lines += [
            f"- {_MARKS[objection.verdict]} {_text(objection.text)}"
            + (" *(for comparison, does not decide)*" if objection.role is Role.COMPARISON else "")
            for objection in objections
        ]
    if baseline is not None:
        lines += ["", "### Against the baseline", "", *_difference(compare(baseline, report))]
    lines += [
        "",
        f"<sub>{_text(pairs.protocol)}. Drop, interval and cosine are against the FP32 reference on the same pairs; "
        f"× FP32 is the median latency over that of the same runtime's FP32, interleaved. "
        f"{_text(report.tool.name)} {_text(report.tool.version)} on {_text(report.host.cpu)}.</sub>",
        "",
    ]
    return "\n".join(lines)


def _difference(compared: difference.Difference) -> list[str]:
    columns = difference.titles(compared)
    lines = [f"- {_text(note)}" for note in compared.notes]
    lines += [""] * bool(lines)
    lines += ["| Variant | State | " + " | ".join(columns) + " |", "| --- | --- |" + " ---: |" * len(columns)]
    for variant in compared.variants:
        figures = [_change(change) for change in difference.cells(variant, columns)]
        lines.append("| " + " | ".join([_text(variant.variant), difference.state(variant), *figures]) + " |")
    return lines


def _change(change: difference.Change | None) -> str:
    if change is None:
        return wording.MISSING
    text = difference.cell(change)
    return {Trend.BETTER: f"{text} ▲", Trend.WORSE: f"**{text}** ▼", Trend.WITHIN_NOISE: text}[change.trend]


def _text(value: str) -> str:
    """Keep a name from outside from becoming markup, a mention or a new line."""
    escaped = re.sub(r"([\\`*_{}\[\]|#])", r"\\\1", value)
    # GitHub mentions people despite a backslash; a word joiner keeps the name apart from the sign
    inert = escaped.replace("<", "&lt;").replace(">", "&gt;").replace("@", "@\u2060")
    return " ".join(inert.split())
