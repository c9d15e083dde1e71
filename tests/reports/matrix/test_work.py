"""What a matrix took: pauses do not count, and neither do faces as something that no store held."""

from ghostface_edge.reports.blocks import Table
from ghostface_edge.reports.matrix.work import in_words, work

from .made import task

TASKS = (
    task("faces", 0, 10, "one"),
    task("export", 0, 10, "two", "export-1"),
    task("cell", 1000, 1010, "one", "latency-1"),
    task("cell", 1005, 1010, "two"),
)


def test_work_over_the_time_in_which_any_ran() -> None:
    assert in_words(TASKS) == "35 s of work in 20 s on 2 workers, speed-up 1.75; 1 of 3 tasks found in the store"


def test_a_row_a_stage_and_one_for_all() -> None:
    section = work(TASKS)
    assert section is not None
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    assert [list(row)[:4] for row in table.rows if isinstance(row, list)] == [
        ["faces", "1", "–", "10.0"],
        ["export", "1", "0", "10.0"],
        ["cell", "2", "1", "15.0"],
        ["all", "4", "1", "35.0"],
    ]
    assert work(()) is None
