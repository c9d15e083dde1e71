"""A matrix's own files beside matrix.json: a page, a short text, and a suite of JUnit for every cell."""

from pathlib import Path

from ghostface_edge.reports.matrix.record import MatrixReport
from ghostface_edge.reports.matrix.results import Results, read_results
from ghostface_edge.reports.matrix.sections import in_short, sections_of, tone
from ghostface_edge.reports.renderings import html, junit, markdown
from ghostface_edge.reports.section import Section
from ghostface_edge.reports.write import write_text

PAGE = "matrix.html"


def write_pages(matrix: MatrixReport, folder: Path) -> Section:
    """Write matrix.html, matrix.md and junit.xml, and return what they say in short.

    Args:
        matrix: the record.
        folder: where it and its cells lie.

    Raises:
        InputError: the folder cannot be written to.
    """
    results = read_results(matrix, folder)
    summary, sections = in_short(results), sections_of(results)
    title, verdict = f"Matrix {Path(matrix.plan).name}", tone(results.matrix).value
    pages = {
        PAGE: html.page(sections, title=title, verdicts=(verdict,), summary=summary.blocks, lead=_lead(results)),
        "matrix.md": markdown.page(sections, title=title, verdict=verdict, summary=summary.blocks),
        "junit.xml": junit.document(results.suites),
    }
    for name, text in pages.items():
        write_text(folder / name, text)
    return summary


def _lead(results: Results) -> str:
    matrix = results.matrix
    tool = f"{matrix.tool.name} {matrix.tool.version}, {matrix.tool.started or 'no date'}"
    return f"plan {matrix.plan} ({matrix.plan_sha256[:12]}) · policy {matrix.policy} · {tool}"
