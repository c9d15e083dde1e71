"""A report's four files: JSON, HTML, Markdown and JUnit."""

from collections.abc import Mapping
from pathlib import Path

from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.renderings import html, junit, markdown
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.write import write_text


def write_report(report: Report, curves: ReportCurves | None, folder: Path) -> None:
    """Write report.json, report.html, report.md and junit.xml into `folder`, which is made if missing.

    report.json comes last: where it is, the others are too. Plots that need `curves` are left out without them.

    Raises:
        InputError: the folder cannot be written to.
    """
    for name, text in {**pages(report, curves), "report.json": report.to_json()}.items():
        write_text(folder / name, text)


def pages(report: Report, curves: ReportCurves | None = None) -> Mapping[str, str]:
    """What people and CI read, by file name; all that it says follows from the report, and from curves where given."""
    return {
        "report.html": html.render(report, curves),
        "report.md": markdown.render(report),
        "junit.xml": junit.render(report),
    }
