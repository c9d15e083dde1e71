from ghostface_edge.reports.blocks import Bullets, Note, Table, plain
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings
from ghostface_edge.reports.sections.estimates import estimates, warnings


def test_estimates_name_their_tool_and_what_they_are(deployed: Report) -> None:
    section = estimates(Findings(deployed))
    assert section is not None
    assert section.framed
    assert section.title == "Ethos-U, estimated by Vela 4.2.0, not measured"
    note, table, careful = section.blocks
    assert isinstance(note, Note)
    assert isinstance(careful, Bullets)
    assert isinstance(table, Table)
    rows = [[plain(cell.text) for cell in cells] for cells, _ in table.lines]
    assert [row[:5] for row in rows] == [
        ["tflite-int8", "Ethos-U55-128", "6.40", "271", "1,717"],
        ["tflite-int8", "Ethos-U65-256", "6.40", "271", "1,717"],
    ]
    assert {len(row) for row in rows} == {len(table.heads)}


def test_warnings_say_what_to_do(deployed: Report) -> None:
    shared, left = warnings(deployed)
    assert shared.startswith("tflite-int8 on Ethos-U55-128: ")
    assert "fill the input anew before every inference" in shared
    assert "leaves its input alone" in shared
    assert "input kept" in shared
    assert left == "tflite-int8 on Ethos-U65-256: 1 operator left on the CPU."


def test_no_limit_counts_an_estimate(deployed: Report, report: Report) -> None:
    bare = {(check.variant, check.name): check.verdict for check in report.gate.checks}
    full = {(check.variant, check.name): check.verdict for check in deployed.gate.checks}
    assert bare.items() <= full.items()
    assert {name for _, name in full} == {name for _, name in bare}
