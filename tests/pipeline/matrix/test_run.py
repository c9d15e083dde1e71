"""A small matrix on a cluster of this machine: every cell is the run that it would be alone."""

import json
from pathlib import Path

import pytest

from ghostface_edge.pipeline.matrix.cluster import jobqueue_cluster, open_cluster
from ghostface_edge.pipeline.matrix.estimate import look_ahead
from ghostface_edge.pipeline.matrix.run import Where, begin, run_matrix
from ghostface_edge.pipeline.run.main_job import run
from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.matrix.record import FILE, CellStatus, MatrixReport
from ghostface_edge.reports.report import Report

from ..listener import Listener
from .conftest import MakeCells

BY_THE_CLOCK = {"latency", "seconds", "started", "profile", "path"}


def _timeless(value: object) -> object:
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items() if key not in BY_THE_CLOCK}
    return [_timeless(each) for each in value] if isinstance(value, list) else value


def _figures(report: Report) -> object:
    whole = json.loads(report.to_json())
    return _timeless({key: whole[key] for key in ("model", "data", "variants", "review", "runners")})


def test_cells_are_the_runs_that_they_would_be_alone(
    make_cells: MakeCells, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GHOSTFACE_EDGE_STORE", str(tmp_path / "store"))
    (tmp_path / "store").mkdir()
    out, plan = tmp_path / "out", inputs / "short.yaml"
    (inputs / "broken.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    cells = make_cells(checkpoints=("one.safetensors", "broken.safetensors"), targets=("onnxruntime-fp32",))
    ledger = begin(plan, cells, out, resume=False)
    ahead = look_ahead(ledger, 1)
    assert {task.key.split("-")[0] for task in ahead.tasks if task.key in ahead.cached} == {"faces"}
    record = run_matrix(ledger, Where(), Listener())
    assert record == MatrixReport.read(out / FILE)
    good, bad = record.cells
    assert (good.status, bad.status) == (CellStatus.OK, CellStatus.FAILED)
    assert good.timed_alone
    assert good.report
    assert record.exit_code is ExitCode.TOOL_FAILED
    made = [name for task in record.tasks for name in task.made]
    assert len(made) == len(set(made)) > 5
    assert {path.name for path in (tmp_path / "store/bindings").iterdir()} >= {
        name for name in made if name.startswith(("export", "convert", "embed"))
    }
    of_the_matrix = Report.read(out / good.report)
    alone, _ = run(cells[0].job_there(beside_other_work=False), Listener())
    assert _figures(of_the_matrix) == _figures(alone)
    with pytest.raises(InputError, match="holds a matrix"):
        begin(plan, cells, out, resume=False)
    again = begin(plan, cells, out, resume=True)
    assert [cell.id for cell in again.left] == [bad.id]
    only_good = begin(plan, cells[:1], out, resume=True)
    assert run_matrix(only_good, Where("tcp://127.0.0.1:1"), Listener()).cells == (good,)  # nothing is left to do


def test_no_scheduler_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ghostface_edge.pipeline.matrix.cluster._REACH_S", 1)
    with (
        pytest.raises(InputError, match=r"no scheduler answers at tcp://127.0.0.1:1"),
        open_cluster("tcp://127.0.0.1:1", 1, ()),
    ):
        pytest.fail("nothing is there")


def test_a_file_for_jobqueue_names_its_cluster(tmp_path: Path) -> None:
    path = tmp_path / "slurm.yaml"
    path.write_text("cluster: SLURM\n")
    with pytest.raises(InputError, match="`cluster` is 'SLURM'") as refused:
        jobqueue_cluster(path)
    assert "SLURMCluster" in refused.value.fix
    path.write_text("cluster: SLURMCluster\nqueue: cpu\ncores: 1\nprocesses: 1\nmemory: 8GB\nwalltime: '02:00:00'\n")
    with jobqueue_cluster(path) as cluster:
        script = cluster.job_script()
    assert "#SBATCH -p cpu" in script
    assert "#SBATCH --mem=8G" in script
