"""report.md: the verdict, the table, and why, short enough for a pull request comment."""

import re
from collections.abc import Sequence

from ghostface_edge.reports import deployment, difference, wording
from ghostface_edge.reports.difference import Trend, compare
from ghostface_edge.reports.report import Report, Role, Verdict
from ghostface_edge.reports.time_shares import time_shares

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
        *_table(wording.COLUMNS, [wording.row(report, variant) for variant in report.variants]),
    ]
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
    lines += [*_time(report), *_estimates(report), *_firmware(report)]
    lines += [
        "",
        f"<sub>{_text(pairs.protocol)}. Drop, interval and cosine are against the FP32 reference on the same pairs; "
        f"× FP32 is the median latency over that of the same runtime's FP32, interleaved. "
        f"{_text(report.tool.name)} {_text(report.tool.version)} on {_text(report.host.cpu)}.</sub>",
        "",
    ]
    return "\n".join(lines)


def _time(report: Report) -> list[str]:
    notes = [
        wording.islands(shares)
        for shares in time_shares(report)
        if wording.is_integer(shares.variant) and not wording.is_comparison(report, shares.variant)
    ]
    notes += [note for variant in report.variants if (note := wording.latency_search(variant)) is not None]
    return ["", "### Where the time goes", "", *(f"- {_text(note)}" for note in notes)] if notes else []


def _estimates(report: Report) -> list[str]:
    rows = deployment.estimate_rows(report)
    if not rows:
        return []
    warnings = [f"- ⚠️ {_text(warning)}" for warning in deployment.estimate_warnings(report)]
    table = _table(deployment.ESTIMATE_COLUMNS, rows)
    return ["", f"### {_text(deployment.estimates_title(report))}", "", *table, *([""] * bool(warnings)), *warnings]


def _firmware(report: Report) -> list[str]:
    needs = [(variant.id, deployment.firmware(variant)) for variant in report.variants]
    lines = [f"- {_text(f'{name}: {text}')}" for name, text in needs if text is not None]
    return ["", "### TensorFlow Lite Micro", "", *lines] if lines else []


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Two columns of names, then figures."""
    head = ["| " + " | ".join(columns) + " |", "| --- | --- |" + " ---: |" * (len(columns) - 2)]
    return head + ["| " + " | ".join(map(_text, row)) + " |" for row in rows]


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
