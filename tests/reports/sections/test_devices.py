import pytest

from ghostface_edge.reports.blocks import Block, Bullets, Figure, Folded, Grid, Heading, Note, Table, plain
from ghostface_edge.reports.devices import Footprint
from ghostface_edge.reports.renderings import html, markdown
from ghostface_edge.reports.report import Report, Status
from ghostface_edge.reports.section import Findings
from ghostface_edge.reports.sections.devices import devices
from ghostface_edge.reports.sections.variants import variants

from ..conftest import EMULATED, Faces, on_device


@pytest.fixture(scope="module")
def two(faces: Faces, report: Report) -> Report:
    """INT8 on a board with the same bytes, and on an emulated CPU with others."""
    board = on_device(report, "onnxruntime-int8", "pi4", faces, faces.noisy(0.02))
    there = faces.noisy(0.02)
    there[:40] = faces.noisy(0.5)[:40]
    both = on_device(board, "onnxruntime-int8", "cortex-a72", faces, faces.noisy(0.02), there, **EMULATED)
    row = both.variants[-1]
    assert row.versus_local is not None
    first = {"tensor": "stem/<conv>", "operator": "QLinearConv", "cause": "rounding of a kernel family"}
    versus = row.versus_local.model_validate({**row.versus_local.model_dump(), "first_difference": first})
    changed = row.model_copy(update={"versus_local": versus, "instructions_per_face": 11.5e6})
    return both.model_copy(update={"variants": (*both.variants[:-1], changed)})


def _blocks(report: Report) -> list[Block]:
    section = devices(Findings(report))
    assert section is not None
    return list(section.blocks)


def _cells(table: Table) -> list[list[str]]:
    return [[plain(cell.text) for cell in cells] for cells, _ in table.lines]


def test_variants_by_devices(two: Report) -> None:
    table = _blocks(two)[0]
    assert isinstance(table, Table)
    assert [column.name for column in table.heads] == ["Variant", "local", "pi4", "cortex-a72"]
    fp32, int8, stock = _cells(table)
    assert fp32[2:] == stock[2:] == ["–", "–"]
    assert int8[:3] == ["onnxruntime-int8", "★ 0.81 ms", "★ all equal, 0.81 ms"]
    assert int8[3].startswith("★ 99.0 % equal, cos 0.")
    assert int8[3].endswith(", 11.5 M/face")


def test_the_choice_and_what_spoils_a_figure_are_said(two: Report) -> None:
    (said,) = [block for block in _blocks(two) if isinstance(block, Bullets)][:1]
    lines = [plain(item.text) for item in said.items]
    assert lines[1].startswith("pi4: onnxruntime-int8, the only one that may ship there: 0.81 ms (models/")
    assert lines[3] == "pi4: throttled while it was timed"


def test_what_differs_and_where(two: Report) -> None:
    blocks = _blocks(two)
    place = next(
        number
        for number, block in enumerate(blocks)
        if isinstance(block, Heading) and block.text == "What differs from this host"
    )
    equal, table, first = blocks[place + 1 : place + 4]
    assert isinstance(equal, Note)
    assert plain(equal.text) == "Not one byte in onnxruntime-int8@pi4."
    assert isinstance(table, Table)
    assert [row[:2] for row in _cells(table)] == [["onnxruntime-int8@cortex-a72", "3,960 of 4,000"]]
    assert isinstance(first, Bullets)
    assert plain(first.items[0].text) == (
        "onnxruntime-int8@cortex-a72 parts from it at stem/<conv> (QLinearConv). "
        "Likely cause: rounding of a kernel family"
    )


def test_facts_that_no_device_tells_are_left_out(two: Report) -> None:
    folded = next(block for block in _blocks(two) if isinstance(block, Folded) and "timed" in block.summary)
    (table,) = folded.blocks
    assert isinstance(table, Table)
    facts = {row[0]: row[1:] for row in _cells(table)}
    assert facts["MHz, before → after"] == ["1,800 → 1,500", "–"]
    assert facts["Throttled"] == ["yes", "–"]
    assert facts["Reached"] == ["ssh", "emulated here"]
    plainer = two.devices[0].model_copy(update={"conditions": None, "energy_mj_per_face": {}})
    folded = next(
        block
        for block in _blocks(two.model_copy(update={"devices": (plainer, two.devices[1])}))
        if isinstance(block, Folded) and "timed" in block.summary
    )
    (table,) = folded.blocks
    assert isinstance(table, Table)
    assert not {"Governor", "Throttled", "mJ per face"} & {row[0] for row in _cells(table)}


def test_sustained_runs_are_plotted(two: Report) -> None:
    (grid,) = [block for block in _blocks(two) if isinstance(block, Grid)]
    figures = [figure for figure in grid.blocks if isinstance(figure, Figure)]
    assert [figure.title for figure in figures] == ["p50 ms", "MHz", "°C"]
    assert figures[0].plot.count("<circle") == 2
    assert "1500 MHz after 1.0 min" in figures[1].plot
    assert figures[0].legend[0][1] == "onnxruntime-int8, 1 at a time: p90 9.40 ms, 115 faces/s"
    run = two.devices[0].sustained[0]
    silent = run.model_copy(
        update={"samples": tuple(sample.model_copy(update={"at": type(sample.at)()}) for sample in run.samples)}
    )
    board = two.devices[0].model_copy(update={"sustained": (silent,)})
    (grid,) = [
        block
        for block in _blocks(two.model_copy(update={"devices": (board, two.devices[1])}))
        if isinstance(block, Grid)
    ]
    assert [figure.title for figure in grid.blocks if isinstance(figure, Figure)] == ["p50 ms"]


def test_what_failed_there_says_so(two: Report) -> None:
    none = {"accuracy": None, "versus_reference": None, "versus_local": None, "latency": None}
    failed = two.variants[-2].model_copy(update={"status": Status.FAILED, "error": "an empty output", **none})
    report = two.model_copy(update={"variants": (*two.variants[:-2], failed, two.variants[-1])})
    table = _blocks(report)[0]
    assert isinstance(table, Table)
    assert _cells(table)[1][2] == "failed"


def test_other_tables_are_of_this_host(two: Report, report: Report) -> None:
    (table, *_), (before, *_) = variants(Findings(two)).blocks, variants(Findings(report)).blocks
    assert isinstance(table, Table)
    assert isinstance(before, Table)
    assert _cells(table) == _cells(before)
    assert devices(Findings(report)) is None


def test_pages_and_comments(two: Report) -> None:
    page = html.render(two)
    assert "stem/&lt;conv&gt;" in page
    assert "<conv>" not in page
    comment = markdown.render(two)
    assert "### Devices" in comment
    assert "**★ all equal, 0.81 ms**" in comment
    assert "Likely cause" not in comment


def test_programs_without_a_system_tell_what_they_take(two: Report) -> None:
    footprint = Footprint(flash_bytes=805_760, ram_bytes=157_480, stack_bytes=788)
    row = two.variants[-1].model_copy(update={"footprint": footprint})
    blocks = _blocks(two.model_copy(update={"variants": (*two.variants[:-1], row)}))
    place = next(
        number
        for number, block in enumerate(blocks)
        if isinstance(block, Heading) and block.text == "Flash, RAM and stack without a system"
    )
    table = blocks[place + 2]
    assert isinstance(table, Table)
    assert _cells(table) == [["onnxruntime-int8@cortex-a72", "805,760", "157,480", "788", "11.5"]]
