"""What the tool does where it was installed without extras.

`BARE` of the environment is the folder of programs of such an environment; `nox -s dist` makes it of the wheel.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from ghostface_edge.reports.errors import ExitCode

from .reports.conftest import make_faces, make_report, make_variant

BARE = os.environ.get("BARE")
ACTION = Path(__file__).resolve().parents[1] / "action.yml"

pytestmark = pytest.mark.skipif(BARE is None, reason="`nox -s dist` makes an environment without extras")


@pytest.fixture
def bare(tmp_path):
    """Run the installed program in an empty folder, where nothing of the source tree is found."""

    def call(*arguments):
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [Path(BARE) / "ghostface-edge", *map(str, arguments)],
            cwd=tmp_path,
            env=environment | {"GHOSTFACE_EDGE_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )

    return call


def test_help(bare):
    done = bare("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert " gate " in done.stdout


def test_runtimes_that_are_missing_are_named_with_their_pip_lines(bare):
    fixes = {row["runtime"]: row["fix"] for row in json.loads(bare("targets", "--json").stdout)}
    assert fixes["onnxruntime"] == ""
    assert fixes["openvino"] == "pip install 'ghostface-edge[openvino]'"
    assert fixes["tflite"] == "pip install 'ghostface-edge[tflite]'"
    assert fixes["tflite-micro"] == "pip install 'ghostface-edge[micro]'"


def test_a_report_is_judged(bare, tmp_path):
    faces = make_faces(2_000)
    fp32 = make_variant(faces, "onnxruntime-fp32", 0.0, 3_200_000, 1.0)
    for noise, verdict in (0.02, ExitCode.PASS), (1.6, ExitCode.GATE_FAILED):
        report = make_report(faces, [fp32, make_variant(faces, "onnxruntime-int8", noise, 1_000_000, 0.8)])
        (tmp_path / "report.json").write_text(report.to_json())
        done = bare("gate", "report.json", "--junit", "junit.xml", "--markdown", "gate.md")
        assert done.returncode == verdict, done.stderr
        assert (tmp_path / "junit.xml").stat().st_size > 0


@pytest.mark.parametrize("verb", [["run", "--out", "out"], ["train", "--out", "out"]])
def test_what_needs_pytorch_says_so(bare, tmp_path, verb):
    done = bare(*verb)
    assert done.returncode == ExitCode.TOOL_FAILED
    assert done.stderr == "error: torch is not installed\n  fix: pip install 'ghostface-edge[torch]'\n"
    assert not (tmp_path / "out").exists()


def test_the_github_action_installs_itself(tmp_path):
    (step,) = (
        step for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"] if "Install" in step.get("name", "")
    )
    subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env=os.environ | {"RUNNER_TEMP": str(tmp_path), "ACTION": str(ACTION.parent), "EXTRAS": ""},
        check=True,
    )
    shown = subprocess.run(
        [tmp_path / "ghostface-edge/bin/ghostface-edge", "--version"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("ghostface-edge ")
