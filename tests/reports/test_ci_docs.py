import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.policy import SHIPPED, Metric, Policy
from ghostface_edge.reports.report import Report

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs/ci.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)


def test_the_policy_shown_is_valid(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(BLOCKS[2])
    policy = Policy.read(tmp_path / "policy.yaml")
    assert policy.waivers[0].check == "bytes"
    assert len(policy.rules) == 7


def test_the_rules_on_devices_shown_are_valid() -> None:
    default = Policy.read()
    shown = Policy.model_validate({**default.model_dump(), **yaml.safe_load(BLOCKS[3])})
    assert [rule.devices for rule in shown.rules] == [("*",), ("pi4",)]
    assert shown.rules[0].model_copy(update={"why": ""}) in [
        rule.model_copy(update={"why": ""}) for rule in default.rules
    ]


def test_the_pipelines_shown_are_yaml_that_call_the_gate() -> None:
    github, gitlab = (yaml.safe_load(block) for block in BLOCKS[:2])
    steps = [step.get("run", "") for step in github["jobs"]["gate"]["steps"]]
    assert any("ghostface-edge gate out/report.json" in step for step in steps)
    assert any("ghostface-edge gate out/report.json" in line for line in gitlab["gate"]["script"])


def _commands() -> list[list[str]]:
    """Every call of the gate that the document shows, outside of prose."""
    lines = (line.strip().removeprefix("- ") for block in BLOCKS[:2] for line in block.splitlines())
    return [shlex.split(line)[1:] for line in lines if line.startswith("ghostface-edge gate")]


@pytest.mark.parametrize("arguments", _commands(), ids=["github", "gitlab"])
def test_the_commands_shown_run(arguments: list[str], report: Report, tmp_path: Path) -> None:
    for folder in ("out", "baseline"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "report.json").write_text(report.to_json())
    (tmp_path / "policy.yaml").write_text(BLOCKS[2])
    result = subprocess.run(
        [sys.executable, "-m", "ghostface_edge.pipeline", *arguments],
        cwd=tmp_path,
        env=os.environ | {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")},
        capture_output=True,
        text=True,
        check=False,
    )
    # the policy asks for a tflite-int8, which is not there
    assert result.returncode == ExitCode.INCONCLUSIVE, result.stderr
    assert "no variant tflite-int8 was measured" in result.stdout
    assert (tmp_path / "out/junit.xml").stat().st_size > 0
    written = tmp_path / ("summary.md" if "--github" in arguments else "out/gate.md")
    assert "### Against the baseline" in written.read_text()


def test_a_shipped_profile_is_taken_by_its_name(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(report.to_json())
    command = ["gate", "report.json", "--policy", "nist-800-63b"]
    result = subprocess.run(
        [sys.executable, "-m", "ghostface_edge.pipeline", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == ExitCode.INCONCLUSIVE, result.stderr
    assert "this is missing: false-match rates by sex and skin tone" in result.stdout


def test_every_shipped_policy_is_named_and_the_waiver_shown_covers_a_clause() -> None:
    assert [name for name in SHIPPED if f"| `{name}` |" not in DOCUMENT] == []
    (waiver,) = Policy.model_validate(
        {**Policy.named("nist-800-63b").model_dump(), **yaml.safe_load(BLOCKS[4])}
    ).waivers
    covered = [f"clause {one.source.section}" for one in Policy.named("nist-800-63b").open_clauses]
    assert [name for name in covered if fnmatchcase(name, waiver.check)] == [
        "clause 3.2.3.2 Presentation Attack Detection"
    ] * 2


def test_every_metric_is_named() -> None:
    assert [metric for metric in Metric if f"`{metric}`" not in DOCUMENT] == []
