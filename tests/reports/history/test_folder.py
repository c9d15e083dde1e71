import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.history.folder import MAX_RUN_BYTES, keep, read_history
from ghostface_edge.reports.history.kept_run import KeptRun

from .made import made_run


@pytest.fixture(scope="module")
def runs() -> list[KeptRun]:
    generator = np.random.default_rng(0)
    return [made_run(place, generator) for place in range(3)]


def test_a_run_is_a_file_whose_name_sorts(runs: list[KeptRun], tmp_path: Path) -> None:
    paths = [keep(run, tmp_path / "history") for run in reversed(runs)]
    names = [path.name for path in paths]
    assert sorted(names) == names[::-1]
    assert all(re.fullmatch(r"2026010\dT000000Z-[0-9a-f]{16}\.json", name) for name in names)
    assert read_history(tmp_path / "history").runs == runs
    assert sorted(path.name for path in (tmp_path / "history").iterdir()) == sorted(names)


def test_two_runs_of_one_second_are_two_files(runs: list[KeptRun], tmp_path: Path) -> None:
    other = runs[0].model_copy(update={"release": "of another branch"})
    assert keep(runs[0], tmp_path) != keep(other, tmp_path)
    assert keep(runs[0], tmp_path) == keep(runs[0], tmp_path)
    assert len(read_history(tmp_path).runs) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<<<<<<< HEAD", "is no JSON"),
        ("{}", "schema_version None"),
        ('{"schema_version": 2}', "schema_version 2"),
        ('{"schema_version": true}', "schema_version True"),
        ('{"schema_version": 1}', "is no run: "),
        (" " * (MAX_RUN_BYTES + 1), "more than the"),
    ],
)
def test_what_is_no_run_is_left_out_and_named(runs: list[KeptRun], tmp_path: Path, text: str, says: str) -> None:
    keep(runs[0], tmp_path)
    (tmp_path / "broken.json").write_text(text)
    (tmp_path / "README.md").write_text("no run, and none of a run's names")
    kept = read_history(tmp_path)
    assert kept.runs == runs[:1]
    (why,) = kept.left_out
    assert str(tmp_path / "broken.json") in why
    assert says in why


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("started", "2026-01-01T00:00:00"),
        ("started", "yesterday"),
        ("unknown", 1),
        ("exit_code", 5),
        ("variants.0.accuracy.value", "NaN"),
        ("variants.0.versus_fp32.value", 0),
        ("variants.0.accuracy.ci95", [1, 0]),
    ],
)
def test_a_field_that_cannot_be_leaves_the_file_out(
    runs: list[KeptRun], tmp_path: Path, place: str, value: object
) -> None:
    keep(runs[0], tmp_path)
    content = json.loads(runs[1].to_json())
    *path, last = [int(step) if step.isdigit() else step for step in place.split(".")]
    part = content
    for step in path:
        part = part[step]
    part[last] = value
    (tmp_path / "other.json").write_text(json.dumps(content).replace('"NaN"', "NaN"))
    kept = read_history(tmp_path)
    assert len(kept.runs) == 1
    assert str(path[-1] if path else last) in kept.left_out[0]


def test_what_is_no_ordinary_file_is_not_waited_for(runs: list[KeptRun], tmp_path: Path) -> None:
    keep(runs[0], tmp_path)
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    assert len(read_history(tmp_path).left_out) == 2


def test_a_history_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        read_history(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no run"):
        read_history(tmp_path)
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputError, match=r"holds no run: .*broken\.json is no JSON"):
        read_history(tmp_path)
