"""Linters of what other people's machines run: the action, the workflow that the document shows, the image.

`nox -s lint` has the linters.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = Path(sys.executable).parent


def lint(program, *arguments, **options):
    """Run a linter; what it says is in the failure."""
    if shutil.which(program, path=PROGRAMS) is None:
        pytest.skip(f"{program} comes with the dependency group `lint`")
    done = subprocess.run(
        [PROGRAMS / program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_has_the_form_of_one():
    lint("check-jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml")


def test_the_action_runs_nothing_that_its_caller_wrote():
    lint("zizmor", "--offline", "--quiet", ROOT / "action.yml")


@pytest.mark.parametrize("step", ["Install ghostface-edge as of this action", "Run", "Gate"])
def test_the_shell_of_the_action(step):
    steps = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    (script,) = (one["run"] for one in steps if one.get("name") == step)
    lint("shellcheck", "--shell=bash", "-", input=script)


def test_the_workflow_shown_calls_the_action_as_it_is(tmp_path):
    document = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    shown = re.findall(r"```yaml\n(.*?)```", document, re.DOTALL)[0]
    (tmp_path / ".git").mkdir()  # where actionlint looks for local actions
    shutil.copy(ROOT / "action.yml", tmp_path)
    workflow = tmp_path / ".github/workflows/release.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(re.sub(r"OWNER/ghostface-edge@\S+", "./", shown), encoding="utf-8")
    lint("actionlint", "-no-color", cwd=tmp_path)


def test_the_image():
    lint("hadolint", ROOT / "Dockerfile")
