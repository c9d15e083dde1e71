from io import StringIO

from rich.console import Console

from ghostface_edge.reports.blocks import Bullet, Bullets, Cell, Column, Folded, Note, Reach, Span, Table, Tone
from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.renderings import html, markdown
from ghostface_edge.reports.renderings.console import print_report
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, Section, shown
from ghostface_edge.reports.sections import SECTIONS


def weather(findings: Findings) -> Section:
    """A section of the tests' own, with a block for each reach."""
    rows = [(variant.id, Cell("21.5", Tone.FAIL)) for variant in findings.report.variants]
    return Section(
        "weather",
        "Weather in the laboratory",
        (
            Table((Column("Variant"), "Degrees"), rows, reach=Reach.TERMINAL),
            Bullets([Bullet("too warm", Tone.CAREFUL, "by the window")], reach=Reach.COMMENT),
            Folded("Instrument", (Note(("read from ", Span("sensor<0>"))),)),
        ),
    )


def test_a_section_from_outside_is_shown_by_every_renderer(report: Report, curves: ReportCurves) -> None:
    sections = (*SECTIONS, weather)
    page = html.render(report, curves, sections=sections)
    assert '<section id="weather">' in page
    assert '<a href="#weather">Weather in the laboratory</a>' in page
    assert '<td class="fail">21.5</td>' in page
    assert "read from <code>sensor&lt;0&gt;</code>" in page
    comment = markdown.render(report, sections=sections)
    assert "### Weather in the laboratory\n\n| Variant | Degrees |\n| --- | ---: |\n" in comment
    assert "- ⚠️ too warm *(by the window)*" in comment
    assert "sensor" not in comment
    console = Console(width=100, record=True, file=StringIO())
    print_report(report, console, sections=sections)
    printed = console.export_text()
    assert "Weather in the laboratory" in printed
    assert "21.5" in printed
    assert "too warm" not in printed


def test_a_section_without_blocks_for_this_reach_stays_away(report: Report) -> None:
    def quiet(_: Findings) -> Section:
        return Section("quiet", "Quiet", (Note("only on the page"),))

    findings = Findings(report)
    assert [section.id for section in shown(findings, (quiet, lambda _: None, weather), Reach.PAGE)] == [
        "quiet",
        "weather",
    ]
    assert [section.id for section in shown(findings, (quiet, weather), Reach.TERMINAL)] == ["weather"]


def test_anchors_are_unique(deployed: Report, curves: ReportCurves) -> None:
    ids = [section.id for section in shown(Findings(deployed, curves, deployed), SECTIONS, Reach.PAGE)]
    assert len(ids) == len(set(ids)) > 10
