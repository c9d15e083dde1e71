"""report.md: the verdict, the table, and why, short enough for a pull request comment."""

import re
from collections.abc import Sequence

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import (
    Align,
    Block,
    Bullet,
    Bullets,
    Cell,
    Definitions,
    Heading,
    Note,
    Reach,
    Span,
    Style,
    Table,
    Tone,
    Words,
    spans,
)
from ghostface_edge.reports.printable import printable
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section, SectionOf, reaching, shown
from ghostface_edge.reports.sections import SECTIONS
from ghostface_edge.reports.sections.in_short import in_short

_MARKS = {Tone.PASS: "✅ ", Tone.FAIL: "❌ ", Tone.INCONCLUSIVE: "❔ ", Tone.CAREFUL: "⚠️ "}
_STYLES = {Style.STRONG: "**{}**", Style.EMPHASIS: "*{}*", Style.CODE: "{}", Style.PLAIN: "{}"}
_TRENDS = {Tone.BETTER: "{} ▲", Tone.WORSE: "**{}** ▼"}


def render(report: Report, baseline: Report | None = None, *, sections: Sequence[SectionOf] = SECTIONS) -> str:
    """Write a report as GitHub-flavoured Markdown, with what changed against a baseline if one is given."""
    model, pairs, calibration = report.model, report.data.pairs, report.data.calibration
    lines = [
        *_head(model.name, report.gate.verdict.value, in_short(report).blocks),
        "",
        f"{_text(model.architecture)}, {model.parameters:,} parameters, {model.mmacs:.1f} M MACs; "
        f"{pairs.count:,} pairs of {_text(pairs.name)}; calibrated on {calibration.images:,} faces of "
        f"{calibration.identities:,} people ({calibration.identities_shared_with_pairs} of them in the pairs).",
    ]
    for section in shown(Findings(report, baseline=baseline), sections, Reach.COMMENT):
        lines += _section(section)
    lines += [
        "",
        f"<sub>{_text(pairs.protocol)}. Drop, interval and cosine are against the FP32 reference on the same pairs; "
        "× FP32 is the median latency over that of the same runtime's FP32 (for C, TFLite's), interleaved."
        f"{wording.on_a_busy_machine(report)} "
        f"{_text(report.tool.name)} {_text(report.tool.version)} on {_text(report.host.cpu)}.</sub>",
        "",
    ]
    return "\n".join(lines)


def page(sections: Sequence[Section], *, title: str, verdict: str, summary: Sequence[Block]) -> str:
    """Write sections under a title with its verdict, as far as a comment shows them."""
    lines = _head(title, verdict, summary)
    for section in reaching(sections, Reach.COMMENT):
        lines += _section(section)
    return "\n".join([*lines, ""])


def _head(title: str, verdict: str, summary: Sequence[Block]) -> list[str]:
    lines = [f"## {_MARKS.get(Tone(verdict), '')}{_text(title)}: {verdict}"]
    for block in summary:
        lines += ["", *_block(block)]
    return lines


def _section(section: Section) -> list[str]:
    aside = f" ({_text(section.aside)})" if section.aside else ""
    lines = ["", f"### {_text(section.title)}{aside}"]
    for block in section.blocks:
        lines += ["", *_block(block)]
    return lines


def _block(block: Block) -> list[str]:
    match block:
        case Table():
            return _table(block)
        case Bullets():
            return [_bullet(item) for item in block.items]
        case Definitions():
            return [f"- {_text(term)}: {_words(text)}" for term, text in block.items]
        case Note():
            return [_words(block.text)]
        case Heading():
            return [f"#### {_text(block.text)}"]
        case _:
            return []


def _table(table: Table) -> list[str]:
    rules = ["---:" if column.align is Align.RIGHT else "---" for column in table.heads]
    rows = [[_cell(cell) for cell in cells] for cells, _ in table.lines]
    return [f"| {' | '.join(line)} |" for line in ([_text(column.name) for column in table.heads], rules, *rows)]


def _cell(cell: Cell) -> str:
    return _TRENDS.get(cell.tone or Tone.NOTHING, "{}").format(_words(cell.text))


def _bullet(item: Bullet) -> str:
    mark = "" if item.tone is None else _MARKS.get(item.tone, "")
    aside = f" *({_text(item.aside)})*" if item.aside else ""
    return f"- {mark}{_words(item.text)}{aside}"


def _words(words: Words) -> str:
    return "".join(
        _STYLES[part.style].format(_text(part.text)) if isinstance(part, Span) else _text(part) for part in spans(words)
    )


def _text(value: str) -> str:
    """Keep a name from outside from becoming markup, a mention or a new line."""
    escaped = re.sub(r"([\\`*_{}\[\]|#~$])", r"\\\1", printable(value))
    inert = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # GitHub mentions people despite a backslash; a word joiner keeps the name apart from the sign
    return re.sub(r"(?<![A-Za-z0-9])@", "@\u2060", inert)
