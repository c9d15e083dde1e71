"""The corpus on disk: a place of its own per case, and `cases.json`, from which they are run."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from . import machine
from .case import Case
from .corpus import cases


def make_all(root: Path, patterns: list[str]) -> None:
    """Lay out every case that a pattern names, all without one."""
    wanted = [case for case in cases() if not patterns or any(fnmatchcase(case.name, one) for one in patterns)]
    job, figures = _job(root) if any(case.is_job for case in wanted) else (root, None)
    lines = []
    for number, case in enumerate(wanted):
        place = f"{number:04d}"
        home = root / place
        shutil.rmtree(home, ignore_errors=True)
        (home / "case").mkdir(parents=True)
        if case.cached:
            shutil.copytree(job / machine.CACHE, home / machine.CACHE)
        if case.stored:
            shutil.copytree(job / "case" / machine.STORE, home / "case" / machine.STORE)
        case.lay_out(home / "case")
        lines.append(_line(case, place, home, figures))
    (root / "cases.json").write_text(json.dumps(lines, indent=1))


def _line(case: Case, place: str, home: Path, figures: object) -> dict[str, Any]:
    return {
        "name": case.name,
        "place": place,
        "arguments": list(case.arguments),
        "allowed": sorted(case.allowed),
        "why": case.why,
        "runs_code": case.runs_code,
        "output": case.output,
        "is_job": case.is_job,
        "figures": figures if case.is_job and case.figures else None,
        "files": sorted(path.name for path in (home / "case").iterdir()),
    }


def _job(root: Path) -> tuple[Path, object]:
    """The undisturbed job: its place, with its cache and what it put into a store, and its figures."""
    home = root / "job"
    shutil.rmtree(home, ignore_errors=True)
    (home / "case" / machine.STORE).mkdir(parents=True)
    replace(Case("job", (), {}), files=machine.job_files()).lay_out(home / "case")
    subprocess.run(
        [sys.executable, "-m", "ghostface_edge.pipeline", *machine.JOB, "--store", machine.STORE],
        cwd=home / "case",
        env={**os.environ, "GHOSTFACE_EDGE_CACHE": str(home / machine.CACHE)},
        check=False,
        stdout=subprocess.DEVNULL,
    )
    from .__main__ import _figures

    figures = json.loads(json.dumps(_figures(home / "case/out/report.json")))
    assert figures, "the undisturbed job left no report"
    return home, figures
