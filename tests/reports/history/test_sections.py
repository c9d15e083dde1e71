"""The terminal's table and the page of a history."""

import re
from io import StringIO

import pytest
from rich.console import Console

from ghostface_edge.reports.history.folder import Kept
from ghostface_edge.reports.history.history import History, look_at
from ghostface_edge.reports.renderings.console import print_history
from ghostface_edge.reports.renderings.html import render_history

from .made import made_history, planted


@pytest.fixture(scope="module")
def history() -> History:
    def at_once(place: int, figure: str) -> float:
        return 3 * planted(place * 5, figure)

    return look_at(Kept(made_history(12, 0, at_once), ["broken.json is no JSON"]))


def printed(history: History) -> str:
    console = Console(record=True, file=StringIO(), width=200, force_terminal=False)
    print_history(history, console)
    return console.export_text()


def test_the_terminal_has_a_row_a_figure_and_the_changes_last(history: History) -> None:
    lines = printed(history).splitlines()
    assert sum("tflite-int8 " in line for line in lines if line.startswith("│")) == 4
    (loss,) = [line for line in lines if line.startswith("worse") and "accuracy" in line]
    assert re.search(r"v1\.4: tflite-int8, accuracy -1\.\d\d pp \(-1\.\d\d … -1\.\d\d\), 98\.\d\d % → 97\.\d\d %", loss)
    assert "(6,000 pairs of lfw, x86_64 with VNNI)" in loss
    assert lines[-1].endswith("broken.json is no JSON")


def test_a_history_without_a_change_says_so() -> None:
    text = printed(look_at(Kept(made_history(3, 0))))
    assert "nothing changed by more than its noise" in text


def test_the_page_draws_every_series_with_its_changes(history: History) -> None:
    page = render_history(history)
    assert page.count('<svg class="curves"') == len(history.series) == 12
    assert (
        page.count('class="after worse"') == page.count('class="line trend worse"') == len(list(history.changes)) == 2
    )
    assert "v1.4</b>: tflite-int8, accuracy" in page
    assert "broken.json is no JSON" in page


def test_names_of_others_stay_text() -> None:
    hostile = "<script>alert(1)</script>\u202e"
    runs = [
        run.model_copy(update={"release": f"{hostile}{place}", "network": hostile})
        for place, run in enumerate(made_history(4, 0))
    ]
    page = render_history(look_at(Kept(runs)))
    assert "<script>alert" not in page
    assert "\u202e" not in page + printed(look_at(Kept(runs)))


def test_a_single_run_is_a_history(history: History) -> None:
    page = render_history(look_at(Kept(made_history(1, 0))))
    assert "1 run from v1.0 to v1.0" in page
