"""The hostile corpus against the command line: `python -m tests.hostile [PATTERN…] [--keep FOLDER] [--jobs 2]`.

Every case runs in a process of its own under limits of memory and time. The table says of each what came of it and what
it cost; the exit code is 1 if any ran code, showed a traceback, hung, let a line or an escape through, left something
behind, or ended otherwise than it should. PATTERN names cases: `bin/*`, `*/pipe`.

The files are made by a process of its own (`--make`): what it imports would count as the children's memory.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .outcome import LIMIT_S, Outcome, clear, run

CHEAP_CPU_S, CHEAP_MB = 1.0, 300.0
"""What a refusal by a file's header may cost."""
WHOLE_JOB = 5
"""How many times as long as any other a case may take that does a whole job over every stage."""


def main() -> int:
    """Make the cases, run them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patterns", nargs="*")
    parser.add_argument("--keep", type=Path, help="folder that keeps the files and `outcomes.json`")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.make:
        from .making import make_all

        make_all(told.make, told.patterns)
        return 0
    root = told.keep or Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        return _all(root.resolve(), told.patterns, told.jobs)
    finally:
        if not told.keep:
            shutil.rmtree(root, ignore_errors=True)


def _all(root: Path, patterns: list[str], jobs: int) -> int:
    make = [sys.executable, "-m", __package__, "--make", str(root), *patterns]
    subprocess.run(make, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    cases = json.loads((root / "cases.json").read_text())
    wanted = [case for case in cases if not patterns or any(fnmatchcase(case["name"], one) for one in patterns)]
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = list(pool.map(lambda case: _one(root, case), wanted))
    _summarize(wanted, outcomes)
    lines = [
        {**case, **{name: getattr(outcome, name) for name in Outcome.__slots__}, "faults": outcome.faults(frozenset(case["allowed"]))}
        for case, outcome in zip(wanted, outcomes, strict=True)
    ]  # fmt: skip
    (root / "outcomes.json").write_text(json.dumps(lines, indent=1))
    return int(any(line["faults"] for line in lines))


def _one(root: Path, case: dict[str, Any]) -> Outcome:
    home = root / case["place"]
    outcome = run(
        case["arguments"], home, case["output"], set(case["files"]), LIMIT_S * (WHOLE_JOB if case["is_job"] else 1)
    )
    if case["figures"] and outcome.code != 2 and _figures(home / "case/out/report.json") != case["figures"]:
        outcome = Outcome(**{name: getattr(outcome, name) for name in Outcome.__slots__} | {"code": -99})
    faults = outcome.faults(frozenset(case["allowed"]))
    figures = f"exit {outcome.code:>3} {outcome.cpu_s:7.2f} s CPU {outcome.peak_mb:7.0f} MB"
    print(f"{figures}  {case['name']:<60} {' '.join(faults)} {' '.join(outcome.left[:2])}".rstrip(), flush=True)
    clear(home)
    return outcome


def _figures(path: Path) -> object:
    """What a report says about accuracy, which no cache may change."""
    try:
        report = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return [[variant["id"], variant["accuracy"], variant["versus_reference"]] for variant in report["variants"]]


def _summarize(cases: list[dict[str, Any]], outcomes: list[Outcome]) -> None:
    faults = Counter(
        fault
        for case, outcome in zip(cases, outcomes, strict=True)
        for fault in outcome.faults(frozenset(case["allowed"]))
    )
    hostile = [case for case in cases if not case["name"].startswith("control/")]
    refused = [outcome for case, outcome in zip(cases, outcomes, strict=True) if outcome.code == 2]
    dear = sum(outcome.cpu_s > CHEAP_CPU_S or outcome.peak_mb > CHEAP_MB for outcome in refused)
    names = {"EXECUTED": "executed", "TRACEBACK": "tracebacks", "HANG": "hangs", "INJECTED": "injections"}
    names |= {"EXIT": "exit codes wrong", "LEFT": "left behind"}
    print(f"\n{len(hostile)} hostile cases, {sum(case['runs_code'] for case in cases)} that try to run code")
    print(", ".join(f"{word} {faults[fault]}" for fault, word in names.items()))
    if outcomes:
        print(
            f"most CPU {max(one.cpu_s for one in outcomes):.1f} s, most memory {max(one.peak_mb for one in outcomes):.0f} MB"
        )
    print(f"{dear} of {len(refused)} refusals took more than {CHEAP_CPU_S:.0f} s of CPU or {CHEAP_MB:.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
