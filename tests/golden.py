"""A recording of what the jobs of `run` produce, and its comparison with what they produce now.

`python tests/golden.py record|check FILE`: a change that must not change a result is recorded before and checked
after, on one machine. Recorded are the SHA-256 of every file under `models/` and every figure of `report.json` and
`quantization.json`; a figure that the clock, the host or the place of the inputs decides is recorded as being there,
without its value, so that an added or renamed field is a difference. A recording holds for one CPU model and one set
of package versions only, because runtimes pick other kernels elsewhere: keep it beside the work, not in the repository.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

LEFT_OUT = "(there, not compared)"
VOLATILE = (
    "report.json/tool/version",
    "report.json/tool/packages/*",
    "report.json/tool/command",
    "report.json/tool/started",
    "report.json/tool/seconds",
    "report.json/host/*",
    "report.json/data/*path",
    "report.json/variants/*/seconds",
    "report.json/variants/*/latency/*_ms",
    "report.json/variants/*/latency/peak_rss_mb",
    "report.json/variants/*/latency/versus_fp32*",
    "report.json/variants/*/profile",
    "report.json/gate/verdict",
    *(f"report.json/gate/checks/*/versus_fp32/*/{field}" for field in ("measured", "ci95", "verdict", "reason")),
)
FAST_ONLY = "tflite"
"""The one runtime whose INT8 `fast` does not search by the clock: its file is the QDQ model's figures and no more."""


@dataclass(frozen=True, slots=True)
class Job:
    """One call of `run`, and the variants whose outcome the clock does not decide."""

    arguments: tuple[str, ...]
    runtime: str = ""
    """Keep only variants and models of this runtime; empty: all."""
    embedded: bool = False
    """Runs on the embedded default: no checkpoint, pairs or calibration faces."""


JOBS = {
    "embedded": Job((), embedded=True),
    "balanced": Job(()),
    "micro": Job(("--targets", "tflite-micro")),
    "fast": Job(("fast", "--targets", FAST_ONLY), runtime=FAST_ONLY),
}


def record(out: Path, runtime: str = "") -> dict[str, object]:
    """Every figure of an output folder of `run`, by path.

    Args:
        out: what `run --out` wrote.
        runtime: keep only its variants and models; empty: all.
    """
    figures: dict[str, object] = {}
    for path in sorted((out / "models").rglob("*")):
        if path.is_file() and (runtime in path.name or path.suffix == ".sha256"):
            figures[path.relative_to(out).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    for name in ("report.json", "quantization.json"):
        if (out / name).is_file():
            figures |= _flat(_of_runtime(json.loads((out / name).read_bytes()), runtime), name)
    return figures


def _of_runtime(outcome: dict, runtime: str) -> dict:
    """Name lists by what they hold instead of by position, and leave out the other runtimes."""
    if "variants" not in outcome:
        return outcome
    checks = {
        "/".join((check["variant"], check["name"], str(check["set"]))): check
        for check in outcome["gate"]["checks"]
        if runtime in check["variant"]
    }
    kept = {
        **outcome,
        "variants": {entry["id"]: entry for entry in outcome["variants"] if runtime in entry["id"]},
        "gate": {**outcome["gate"], "checks": checks},
    }
    matrix = outcome.get("cross_precision")
    if matrix:
        kept["cross_precision"] = {
            name: value if name == "far" else _by_pair(value, matrix["variants"], runtime)
            for name, value in matrix.items()
            if name != "variants"
        }
    return kept


def _by_pair(rows: list, variants: list[str], runtime: str) -> dict[str, object]:
    """Cells of a square matrix (or entries of a row) by the variants' ids."""
    return {
        variant: _by_pair(value, variants, runtime) if isinstance(value, list) else value
        for variant, value in zip(variants, rows, strict=True)
        if runtime in variant
    }


def _flat(value: object, path: str) -> dict[str, object]:
    if any(fnmatchcase(path, pattern) for pattern in VOLATILE):
        return {path: LEFT_OUT}
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {name: figure for key, part in items for name, figure in _flat(part, f"{path}/{key}").items()}
    return {path: value}


def differences(recorded: Mapping[str, object], found: Mapping[str, object]) -> list[str]:
    """One line for each path whose figure changed, went or came."""
    lines = []
    for path in sorted({*recorded, *found}):
        if path not in found:
            lines.append(f"{path}: gone, was {recorded[path]}")
        elif path not in recorded:
            lines.append(f"{path}: new, is {found[path]}")
        elif recorded[path] != found[path]:
            lines.append(f"{path}: was {recorded[path]}, is {found[path]}")
    return lines


def run(job: Job, inputs: Sequence[str], folder: Path) -> Path:
    """Run a job with a cache of its own, so that nothing of an earlier run is taken over; returns its output folder."""
    command = [sys.executable, "-m", "ghostface_edge.pipeline", "run", *job.arguments]
    given = () if job.embedded else inputs
    environment = {**os.environ, "GHOSTFACE_EDGE_CACHE": str(folder / "cache")}
    done = subprocess.run([*command, *given, "--out", folder / "out"], env=environment, check=False)
    if done.returncode not in {0, 1, 4}:  # pass, fail and inconclusive are outcomes
        raise SystemExit(f"golden: {' '.join(command)} ended with {done.returncode}")
    return folder / "out"


def collect(names: Sequence[str], inputs: Sequence[str], outputs: Mapping[str, Path]) -> dict[str, dict[str, object]]:
    """Record the jobs, from their output folders where those are given, else by running them."""
    found = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            out = outputs.get(name) or run(JOBS[name], inputs, Path(folder))
            found[name] = record(out, JOBS[name].runtime)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Record or check; 1 if a figure differs."""
    parser = argparse.ArgumentParser(prog="golden", description="Record what `run` produces, or compare with it.")
    parser.add_argument("action", choices=("record", "check"))
    parser.add_argument("file", type=Path, help="the recording, JSON")
    parser.add_argument("--from", action="append", default=[], metavar="JOB=OUT", help="take an output folder of `run`")
    parser.add_argument("--jobs", help=f"comma-separated, of {', '.join(JOBS)}; check: those recorded")
    for option in ("--checkpoint", "--pairs", "--calibration"):
        parser.add_argument(option, help="as of `run`; all three, or embedded is the only job")
    given = parser.parse_args(arguments)
    inputs = [
        part
        for option in ("checkpoint", "pairs", "calibration")
        if getattr(given, option)
        for part in (f"--{option}", getattr(given, option))
    ]
    outputs = {name: Path(folder) for name, _, folder in (entry.partition("=") for entry in getattr(given, "from"))}
    recorded = json.loads(given.file.read_bytes()) if given.action == "check" else {}
    names = given.jobs.split(",") if given.jobs else list(recorded or outputs or (JOBS if inputs else ["embedded"]))
    if unknown := {*names, *outputs} - JOBS.keys():
        parser.error(f"no such job: {', '.join(sorted(unknown))}")
    if not inputs and any(not JOBS[name].embedded for name in names if name not in outputs):
        parser.error("these jobs need --checkpoint, --pairs and --calibration")
    found = collect(names, inputs, outputs)
    if given.action == "record":
        given.file.write_text(json.dumps(found, indent=1))
        print(f"{given.file}: {sum(map(len, found.values())):,} figures of {', '.join(found)}")
        return 0
    lines = [f"{name}: {line}" for name in names for line in differences(recorded.get(name, {}), found[name])]
    print(*lines, f"{len(lines)} differences in {', '.join(names)}", sep="\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
