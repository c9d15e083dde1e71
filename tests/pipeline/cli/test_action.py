"""The steps of the GitHub Action, by the shell that the runner gives them, on the tool as it is installed here."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ghostface_edge.reports.errors import ExitCode

ACTION = yaml.safe_load((Path(__file__).resolve().parents[3] / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"] if "run" in step}
INPUT = re.compile(r"\$\{\{ inputs\.([a-z-]+) \}\}")


@pytest.fixture
def act(cache, tmp_path):
    """Run a step with inputs, in a folder of its own; returns what it said and what it set."""
    programs = tmp_path / "runner/ghostface-edge/bin"
    programs.mkdir(parents=True)
    program = programs / "ghostface-edge"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m ghostface_edge.pipeline "$@"\n')
    program.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()

    def run(name, **given):
        inputs = {key: one["default"] for key, one in ACTION["inputs"].items()} | given
        step = {key: INPUT.sub(lambda found: inputs[found[1]], text) for key, text in STEPS[name]["env"].items()}
        set_, summary, script = tmp_path / "outputs", tmp_path / "summary.md", tmp_path / "step.sh"
        script.write_text(STEPS[name]["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=work,
            env=os.environ
            | {"GHOSTFACE_EDGE_CACHE": str(cache), "RUNNER_TEMP": str(tmp_path / "runner")}
            | {"GITHUB_OUTPUT": str(set_), "GITHUB_STEP_SUMMARY": str(summary)}
            | step,
            capture_output=True,
            text=True,
            check=False,
        )
        outputs = dict(line.split("=", 1) for line in set_.read_text().splitlines()) if set_.exists() else {}
        return done, outputs, summary.read_text() if summary.exists() else ""

    return run


def test_inputs_reach_the_shell_as_variables_only():
    for name, step in STEPS.items():
        assert "${{" not in step["run"], name
    used = {
        key
        for text in re.findall(r"\$\{\{(.*?)\}\}", str(ACTION["runs"]))
        for key in re.findall(r"inputs\.([a-z-]+)", text)
    }
    assert used == set(ACTION["inputs"])
    assert all(one["value"] == f"${{{{ steps.gate.outputs.{name} }}}}" for name, one in ACTION["outputs"].items())


def test_a_run_and_its_gate(given, finished, act, tmp_path):
    # names that a shell would act on, were they part of the script
    out = "out $(touch pwned); `touch pwned` \"'"
    inputs = {
        "checkpoint": str(given["--checkpoint"]),
        "pairs": f"{given['--pairs']}\n",
        "calibration": str(given["--calibration"]),
        "recipe": str(given["recipe"]),
        "targets": "tflite-fp32",
        "arguments": "--sampling\nper-identity\n\n--seed=0\n",
        "out": out,
    }
    ran, outputs, _ = act("Run", **inputs)
    assert ran.returncode == 0, ran.stderr
    assert outputs == {}
    judged, outputs, summary = act("Gate", **inputs)
    assert outputs["report"] == f"{out}/report.json"
    assert judged.returncode == int(outputs["exit-code"])
    assert set(outputs) == set(ACTION["outputs"])
    assert "tflite-fp32" in summary
    assert (tmp_path / "work" / outputs["report"]).is_file()
    assert not list(tmp_path.rglob("pwned"))


def test_a_run_that_is_refused_leaves_no_older_report_to_judge(act, tmp_path):
    (tmp_path / "work/out").mkdir()
    (tmp_path / "work/out/report.json").write_text("{}")
    done, *_ = act("Run", checkpoint="absent.h5")
    assert done.returncode == ExitCode.BAD_INPUT
    assert "absent.h5 cannot be read" in done.stderr
    assert not (tmp_path / "work/out/report.json").exists()


def test_a_report_that_is_there_is_judged_by_a_policy(finished, act):
    _, out = finished
    done, outputs, summary = act("Gate", report=str(out / "report.json"), policy="nist-800-63b")
    assert done.returncode == int(outputs["exit-code"]) != ExitCode.PASS
    assert outputs["verdict"] in {"fail", "inconclusive"}
    assert "::warning title=" in done.stdout
    assert "NIST" in summary
