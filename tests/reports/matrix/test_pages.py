"""A matrix's page, text and JUnit: every cell, its figures and its report; names of others stay text."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ghostface_edge.reports.blocks import Definitions, plain
from ghostface_edge.reports.matrix import sections
from ghostface_edge.reports.matrix.pages import write_pages
from ghostface_edge.reports.matrix.record import MatrixReport
from ghostface_edge.reports.report import Report, Verdict

from .made import died, matrix_of, ran


def in_short(matrix: MatrixReport, folder: Path) -> dict[str, str]:
    (lines,) = write_pages(matrix, folder).blocks
    assert isinstance(lines, Definitions)
    return {term: plain(words) for term, words in lines.items}


def body_rows(folder: Path) -> list[str]:
    section = (folder / "matrix.html").read_text().split('<section id="cells"')[1].split("</section>")[0]
    return re.findall(r"<tr.*?</tr>", section.split("<tbody>")[1], re.DOTALL)


def test_five_lines_and_every_variant_of_every_cell(report: Report, tmp_path: Path) -> None:
    lines = in_short(matrix_of(ran("a", report, tmp_path), ran("b", report, tmp_path)), tmp_path)
    assert list(lines) == ["Verdict", "Cells", "Best", "Work", "Look at"]
    assert lines["Verdict"] == "pass, every cell passed"
    assert lines["Cells"] == "2 of 2 ended: 2 pass, 0 fail, 0 inconclusive, 0 failed"
    assert lines["Best"].startswith("a/onnxruntime-int8 on a CPU")
    rows = body_rows(tmp_path)
    assert len(rows) == 2 * len(report.variants)
    int8 = report.variants[1]
    assert int8.accuracy
    assert int8.artifact
    (row,) = (each for each in rows if f">{int8.id}<" in each and 'href="cells/b/report.html"' in each)
    assert f">{100 * int8.accuracy.mean:.2f}<" in row
    assert f">{int8.artifact.bytes / 1000:,.1f}<" in row
    assert ">lfw<" in row


def test_a_suite_for_every_cell(report: Report, tmp_path: Path) -> None:
    write_pages(matrix_of(ran("a", report, tmp_path), died("b", "SIGSEGV")), tmp_path)
    good, bad = ET.parse(tmp_path / "junit.xml").getroot()
    assert (good.get("name"), bad.get("name")) == ("a", "b")
    assert int(good.get("tests", "")) == len(report.gate.checks) == len(good)
    assert bad.get("errors") == "1"
    assert bad[0][0].get("message") == "SIGSEGV"


@pytest.mark.parametrize("damage", ["removed", "cut off", "of another verdict"])
def test_a_report_that_is_not_what_the_record_says_is_a_failed_cell(
    report: Report, tmp_path: Path, damage: str
) -> None:
    cell = ran("a", report, tmp_path)
    path = tmp_path / "cells/a/report.json"
    if damage == "removed":
        path.unlink()
    elif damage == "cut off":
        path.write_bytes(path.read_bytes()[:200])
    else:
        gate = report.gate.model_copy(update={"verdict": Verdict.FAIL})
        path.write_text(report.model_copy(update={"gate": gate}).to_json())
    lines = in_short(matrix_of(cell), tmp_path)
    assert lines["Verdict"].startswith("failed")
    assert lines["Cells"].endswith("1 failed")
    assert lines["Look at"].startswith("a: ")
    assert 'href="#failed"' in (tmp_path / "matrix.html").read_text()


def test_names_of_others_stay_text(report: Report, tmp_path: Path) -> None:
    hostile = '<script>alert(1)</script>"\u202e'
    matrix = matrix_of(ran("a", report, tmp_path, checkpoint=hostile), died("b", hostile))
    write_pages(matrix.model_copy(update={"plan": hostile}), tmp_path)
    page, text = ((tmp_path / name).read_text() for name in ("matrix.html", "matrix.md"))
    assert "<script>alert" not in page + text
    assert "\u202e" not in page + text + (tmp_path / "junit.xml").read_text()
    assert "&lt;script&gt;alert(1)" in page


def test_rows_beyond_the_bound_are_counted_and_the_gravest_stay(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "MOST_ROWS", 2)
    write_pages(matrix_of(ran("a", report, tmp_path), died("b", "SIGSEGV")), tmp_path)
    rows = body_rows(tmp_path)
    assert len(rows) == 2
    assert any('title="b"' in row for row in rows)
    assert (
        f"{len(report.variants) - 1} of {len(report.variants) + 1} rows are left out"
        in (tmp_path / "matrix.html").read_text()
    )


def test_a_matrix_that_has_not_ended_says_what_to_do(report: Report, tmp_path: Path) -> None:
    lines = in_short(matrix_of(ran("a", report, tmp_path), planned=3), tmp_path)
    assert lines["Verdict"].startswith("inconclusive")
    assert lines["Look at"] == "2 cells not ended: go on with --resume"
    nothing = in_short(matrix_of(planned=3), tmp_path)
    assert nothing["Verdict"] == "inconclusive, no cell has ended"
    assert nothing["Best"] == "no file may ship anywhere"
