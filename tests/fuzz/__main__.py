"""Fuzz the parsers of strangers' files: `python -m tests.fuzz [NAME…] [--seconds 60] [--runs N] [--keep FOLDER]`.

Corpora grow under FOLDER/NAME/corpus and are used again; what was found lies in FOLDER/NAME/findings, an error with its
traceback beside it. Replay one with `python -m tests.fuzz NAME --replay FILE`. The exit code is 1 if anything is there.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT_S, _MEMORY_MB = 20, 3_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target."""

    name: str
    executions: int
    per_cpu_second: float
    """What imports and instrumentation take is not taken off."""
    covered: int
    findings: tuple[Path, ...]
    ended_early: bool


def main() -> int:
    """Fuzz what is named, two at a time, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=-1)
    parser.add_argument("--keep", type=Path, default=Path("out/fuzz"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--replay", type=Path)
    told = parser.parse_args()
    from .targets import TARGETS

    if unknown := [name for name in told.names if name not in TARGETS]:
        parser.error(f"nothing is known by the name {unknown[0]}; choose from {', '.join(TARGETS)}")
    names = told.names or list(TARGETS)
    if told.replay:
        return _run(names[0], told.keep / names[0] / "replayed", str(told.replay)).returncode
    bound = f"-runs={told.runs}" if told.runs >= 0 else f"-max_total_time={told.seconds}"
    for name in names:
        _write_seeds(name, told.keep / name)
    with ThreadPoolExecutor(told.jobs) as pool:
        outcomes = list(pool.map(lambda name: _fuzz(name, told.keep / name, bound), names))
    print(f"\n{'target':<14}{'executions':>12}{'per CPU s':>11}{'edges':>8}{'min to 1 M':>12}  findings")
    for outcome in outcomes:
        minutes = f"{1e6 / outcome.per_cpu_second / 60:.0f}" if outcome.per_cpu_second else "-"
        figures = f"{outcome.executions:>12,}{outcome.per_cpu_second:>11,.0f}{outcome.covered:>8,}{minutes:>12}"
        print(f"{outcome.name:<14}{figures}  {len(outcome.findings)}{' (ended early)' if outcome.ended_early else ''}")
    for outcome in outcomes:
        for path in outcome.findings:
            print(f"python -m tests.fuzz {outcome.name} --replay {path}")
    return int(any(outcome.findings or outcome.ended_early for outcome in outcomes))


def _write_seeds(name: str, folder: Path) -> None:
    from .targets import TARGETS

    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds()):
        assert len(seed) <= TARGETS[name].max_bytes, f"{name}: a longer seed would be cut, and refused for that alone"
        (folder / "corpus" / f"seed-{number}").write_bytes(seed)
    words = "".join(f'"{_escaped(word)}"\n' for word in TARGETS[name].words)
    (folder / "words.txt").write_text(words)


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


def _fuzz(name: str, folder: Path, bound: str) -> Outcome:
    from .targets import TARGETS

    findings = folder / "findings"
    done = _run(
        name,
        findings,
        bound,
        f"-max_len={TARGETS[name].max_bytes}",
        *((f"-dict={folder / 'words.txt'}",) if TARGETS[name].words else ()),
        f"-artifact_prefix={findings}/",
        f"-timeout={_TIMEOUT_S}",
        f"-rss_limit_mb={_MEMORY_MB}",
        "-print_final_stats=1",
        "-verbosity=1",
        str(folder / "corpus"),
    )
    (folder / "log.txt").write_bytes(done.stdout)
    log = done.stdout.decode(errors="replace")
    executions = max((int(found) for found in re.findall(r"^(?:Done |#)(\d+)", log, re.MULTILINE)), default=0)
    covered = max((int(found) for found in re.findall(r"cov: (\d+)", log)), default=0)
    kept = tuple(sorted(path for path in findings.glob("*") if path.suffix != ".txt"))
    return Outcome(name, executions, executions / max(done.cpu_s, 0.1), covered, kept, done.returncode != 0)


@dataclass(frozen=True, slots=True)
class _Done:
    returncode: int
    stdout: bytes
    cpu_s: float


def _run(name: str, findings: Path, *options: str) -> _Done:
    """Run the target's own process; its output is kept where it fuzzes, and shown where one file is replayed."""
    findings.mkdir(parents=True, exist_ok=True)
    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory if os.access(memory, os.W_OK) else None) as scratch,
        tempfile.TemporaryFile() as log,
    ):
        process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.one", name, str(findings), *options],
            stdout=None if len(options) == 1 else log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": scratch, "OMP_NUM_THREADS": "1"},
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        return _Done(process.returncode, log.read(), usage.ru_utime + usage.ru_stime)


if __name__ == "__main__":
    sys.exit(main())
