import json

import pytest

from ghostface_edge.reports.history.folder import keep

from ...reports.history.made import made_history


@pytest.fixture
def folder(tmp_path):
    for run in made_history(8, 0, lambda place, figure: 0.1 * (place >= 4 and figure == "tflite-int8 bytes")):
        keep(run, tmp_path / "history")
    return tmp_path / "history"


def test_a_history_is_a_table_a_page_and_data(cli, folder, tmp_path):
    (folder / "broken.json").write_text("<<<<<<< HEAD")
    done = cli("history", folder, "--html", tmp_path / "history.html")
    assert done.returncode == 0, done.stderr
    assert "v1.4: tflite-int8, size +10.00 %" in done.stdout
    assert "broken.json is no JSON" in done.stdout
    assert "What changed" in (tmp_path / "history.html").read_text()
    data = json.loads(cli("history", folder, "--json").stdout)
    (change,) = [change for series in data["series"] for change in series["changes"]]
    assert (change["run"], change["release"], change["is_worse"]) == (4, "v1.4", True)
    assert len(data["runs"]) == 8
    assert len(data["left_out"]) == 1


def test_without_ruptures_it_says_how_to_get_it(cli, folder, hiding):
    done = cli("history", folder, **hiding("ruptures"))
    assert done.returncode == 3
    assert "pip install 'ghostface-edge[history]'" in done.stderr


def test_no_history_is_one_message(cli, tmp_path):
    done = cli("history", tmp_path / "nowhere")
    assert done.returncode == 2
    assert "is no folder" in done.stderr
