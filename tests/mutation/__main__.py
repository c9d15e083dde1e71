"""Change every guard a little, and see whether its own tests notice: `python -m tests.mutation [PART OF A PATH…]`.

Guards and their tests stand in pyproject.toml under `tool.ghostface-edge.guards`; changes that change nothing, with
the reason, under `equivalent-mutants`. Ends with 1 where fewer than 95 of 100 are noticed.
"""

import argparse
import compileall
import json
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.mutants import Mutant, mutants_of

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("calibration", "pipeline", "reports", "targets")
LEAST = 0.95
FIRST_LIMIT_S = 300
NO_TEST_FAILED = 0
SOME_TEST_FAILED = 1


@dataclass(frozen=True)
class Guard:
    """A module, and the tests that are its own."""

    module: str
    tests: tuple[str, ...]


@dataclass
class Tally:
    """What became of a module's mutants."""

    killed: int = 0
    survivors: list[Mutant] = field(default_factory=list)


class Worker:
    """A copy of the project in a folder of its own, and a process that runs tests there."""

    def __init__(self, folder: Path) -> None:
        for name in (*PACKAGES, "tests", "docs"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in ROOT.glob("*.*"):
            if path.is_file():
                shutil.copy(path, folder)
        (folder / "ghostface_edge").mkdir()
        for name in PACKAGES:
            (folder / "ghostface_edge" / name).symlink_to(folder / name)
            compileall.compile_dir(
                folder / name, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH
            )
        environment = {
            **os.environ,
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "GHOSTFACE_EDGE_CACHE": str(folder / "cache"),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutation.worker"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def attempt(self, guard: Guard, source: str, limit_s: float) -> tuple[int, float]:
        """Run a guard's tests on other source; returns the exit status and the seconds they took."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        job = {"module": guard.module, "source": source, "tests": guard.tests, "limit_s": limit_s}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["status"], answer["seconds"]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def main() -> int:
    """Try all mutants of the chosen guards; prints every module's figure and the mutants that nobody noticed."""
    parser = argparse.ArgumentParser(prog="nox -s mutate --", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="only guards whose path holds it")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ghostface-edge"]
    guards = [Guard(module, tuple(tests)) for module, tests in settings["guards"].items()]
    chosen = [guard for guard in guards if not arguments.parts or any(part in guard.module for part in arguments.parts)]
    equivalent = Counter({(one["module"], one["operator"], one["line"]): 0 for one in settings["equivalent-mutants"]})
    tallies = {}
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        workers = [Worker(Path(folder, str(number))) for number in range(arguments.workers)]
        for guard in chosen:
            tallies[guard.module] = judge(guard, workers, equivalent)
        for worker in workers:
            worker.close()
    return summarize(tallies, equivalent)


def judge(guard: Guard, workers: list[Worker], equivalent: Counter[tuple[str, str, str]]) -> Tally:
    """Try every mutant of one guard."""
    source = (ROOT / guard.module).read_text()
    status, seconds = workers[0].attempt(guard, source, FIRST_LIMIT_S)
    if status != NO_TEST_FAILED:
        sys.exit(f"{guard.module}: its own tests do not pass as it is ({' '.join(guard.tests)}: {status})")
    limit_s = 10 + 4 * seconds
    free: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def survives(mutant: Mutant) -> bool:
        worker = free.get()
        try:
            return worker.attempt(guard, mutant.source, limit_s)[0] == NO_TEST_FAILED
        finally:
            free.put(worker)

    mutants = []
    for mutant in mutants_of(source):
        key = (guard.module, mutant.operator, mutant.line)
        if key in equivalent:
            equivalent[key] += 1
        else:
            mutants.append(mutant)
    with ThreadPoolExecutor(len(workers)) as pool:
        survived = list(pool.map(survives, mutants))
    tally = Tally(survived.count(False), [mutant for mutant, alive in zip(mutants, survived, strict=True) if alive])
    print(f"{tally.killed:4} of {len(mutants):4} killed  {guard.module}", flush=True)
    for mutant in tally.survivors:
        print(f"     {guard.module}:{mutant.number} {mutant.operator}\n       - {mutant.line}\n       + {mutant.after}")
    return tally


def summarize(tallies: dict[str, Tally], equivalent: Counter[tuple[str, str, str]]) -> int:
    """Print the sum; returns the exit status."""
    killed = sum(tally.killed for tally in tallies.values())
    whole = killed + sum(len(tally.survivors) for tally in tallies.values())
    print(f"{killed:4} of {whole:4} killed: {killed / whole:.1%}, at least {LEAST:.0%} are due")
    stale = [key for key, count in equivalent.items() if not count and key[0] in tallies]
    for module, operator, line in stale:
        print(f"{module}: {operator} of {line!r} is listed as equivalent, and there is no such mutant")
    return int(killed < LEAST * whole or bool(stale))


if __name__ == "__main__":
    sys.exit(main())
