import re
from pathlib import Path

import yaml

from ghostface_edge.reports.policy import Metric, Policy

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs/ci.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)


def test_the_policy_shown_is_valid(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(BLOCKS[2])
    policy = Policy.read(tmp_path / "policy.yaml")
    assert policy.waivers[0].check == "bytes"
    assert len(policy.rules) == 5


def test_the_pipelines_shown_are_yaml_that_call_the_gate() -> None:
    github, gitlab = (yaml.safe_load(block) for block in BLOCKS[:2])
    steps = [step.get("run", "") for step in github["jobs"]["gate"]["steps"]]
    assert any("ghostface-edge gate out/report.json" in step for step in steps)
    assert any("ghostface-edge gate out/report.json" in line for line in gitlab["gate"]["script"])


def test_every_metric_is_named() -> None:
    assert [metric for metric in Metric if f"`{metric}`" not in DOCUMENT] == []
