import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ghostface_edge.reports.curves import ReportCurves
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.renderings.report_files import write_report
from ghostface_edge.reports.report import Report

CHECKER = Path(__file__).resolve().parents[3].parent / "shared/check_report.py"


def test_four_files_and_nothing_else(report: Report, curves: ReportCurves, tmp_path: Path) -> None:
    write_report(report, curves, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "junit.xml",
        "report.html",
        "report.json",
        "report.md",
    ]
    assert Report.read(tmp_path / "out/report.json") == report
    assert ET.parse(tmp_path / "out/junit.xml").getroot().find("testsuite") is not None


@pytest.mark.skipif(not CHECKER.exists(), reason="the contract's checker lives outside the repository")
def test_contract(report: Report, curves: ReportCurves, tmp_path: Path) -> None:
    write_report(report, curves, tmp_path)
    result = subprocess.run(
        [sys.executable, CHECKER, tmp_path / "report.json"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
    assert json.loads((tmp_path / "report.json").read_text())["schema_version"] == 1


def test_a_file_where_the_folder_should_be(report: Report, curves: ReportCurves, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        write_report(report, curves, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
