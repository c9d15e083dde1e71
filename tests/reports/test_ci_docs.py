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

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
GITHUB, GITLAB, PRE_COMMIT, POLICY, DEVICES, WAIVER = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)


def test_the_policy_shown_is_valid(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    policy = Policy.read(tmp_path / "policy.yaml")
    assert policy.waivers[0].check == "bytes"
    assert len(policy.rules) == 7


def test_the_rules_on_devices_shown_are_valid() -> None:
    default = Policy.read()
    shown = Policy.model_validate({**default.model_dump(), **yaml.safe_load(DEVICES)})
    assert [rule.devices for rule in shown.rules] == [("*",), ("pi4",)]
    assert shown.rules[0].model_copy(update={"why": ""}) in [
        rule.model_copy(update={"why": ""}) for rule in default.rules
    ]


def test_the_workflow_shown_gives_the_action_what_it_takes_and_all_of_that_is_told() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    (job,) = yaml.safe_load(GITHUB)["jobs"].values()
    (step,) = (step for step in job["steps"] if step.get("uses", "").startswith("OWNER/ghostface-edge@"))
    assert set(step["with"]) <= set(action["inputs"])
    read = set(re.findall(rf"steps\.{step['id']}\.outputs\.([a-z-]+)", GITHUB))
    assert read
    assert read <= set(action["outputs"])
    told = {
        name for row in re.findall(r"^\| (`.*?) \|", DOCUMENT, re.MULTILINE) for name in re.findall(r"`(.+?)`", row)
    }
    assert set(action["inputs"]) | set(action["outputs"]) <= told


def _gitlab() -> list[str]:
    (line,) = (line for line in yaml.safe_load(GITLAB)["gate"]["script"] if line.startswith("ghostface-edge gate"))
    return shlex.split(line)[1:]


def _pre_commit() -> list[str]:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (shown,) = yaml.safe_load(PRE_COMMIT)["repos"][0]["hooks"]
    assert shown["id"] == hook["id"]
    assert all(re.search(hook["files"], name) for name in shown["args"] if not name.startswith("-"))
    return [*shlex.split(hook["entry"])[1:], *shown["args"]]


@pytest.mark.parametrize("arguments", [_gitlab(), _pre_commit()], ids=["gitlab", "pre-commit"])
def test_the_commands_shown_run(arguments: list[str], report: Report, tmp_path: Path) -> None:
    for folder in ("out", "baseline", "release"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "report.json").write_text(report.to_json())
        (tmp_path / folder / "policy.yaml").write_text(POLICY)
    (tmp_path / "policy.yaml").write_text(POLICY)
    result = subprocess.run(
        [sys.executable, "-m", "ghostface_edge.pipeline", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    # the policy asks for a tflite-int8, which is not there
    assert result.returncode == ExitCode.INCONCLUSIVE, result.stderr
    assert "no variant tflite-int8 was measured" in result.stdout
    if "--junit" in arguments:
        assert (tmp_path / "out/junit.xml").stat().st_size > 0
        assert "### Against the baseline" in (tmp_path / "out/gate.md").read_text()


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
    (waiver,) = Policy.model_validate({**Policy.named("nist-800-63b").model_dump(), **yaml.safe_load(WAIVER)}).waivers
    covered = [f"clause {one.source.section}" for one in Policy.named("nist-800-63b").open_clauses]
    assert [name for name in covered if fnmatchcase(name, waiver.check)] == [
        "clause 3.2.3.2 Presentation Attack Detection"
    ] * 2


def test_every_metric_is_named() -> None:
    assert [metric for metric in Metric if f"`{metric}`" not in DOCUMENT] == []
