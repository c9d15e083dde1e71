"""A matrix under measurement and under fire: `python -m tests.matrix.campaign TRIAL`, from the repository's root.

Trials, each with a store and folders of its own:

    speed      the same cells on 1, 2, … workers; time, share of the cores, time between tasks; the recorded graph on
               4, 16 and 64 workers as an ideal scheduler would run it
    equal      every cell against `run` alone: figures and models have to be the same
    kills      a worker is killed with signal 9 at random moments: the same figures, nothing made twice
    scheduler  the whole program is killed at random moments and gone on with by --resume
    deadly     a task that ends its worker each time: its cell fails by name, the others have their reports
    large      the graph of thousands of cells: time to build it, memory of a scheduler that holds it

What a clock decides is left out of comparisons: times, and what was said of them.
"""

import argparse
import hashlib
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psutil

from ghostface_edge.pipeline.matrix.schedule import makespan
from ghostface_edge.reports.matrix.record import FILE, MatrixReport

from .inputs import TARGETS, write_inputs, write_plan

_BY_THE_CLOCK: Final = {"latency", "seconds", "started", "command", "profile", "path", "latency_search"}
_IDEAL: Final = (1, 2, 4, 16, 64)


class Lab:
    """Inputs, and a program that runs matrices of them.

    Args:
        folder: for everything.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = folder / "inputs"
        self.inputs.mkdir()
        write_inputs(self.inputs)

    def start(self, out: str, plan: Path, *options: str, cache: str | None = None) -> "subprocess.Popen[bytes]":
        """The program, in a process of its own."""
        command = [
            sys.executable,
            "-m",
            "ghostface_edge.pipeline",
            "matrix",
            str(plan),
            "--out",
            str(self.folder / out),
        ]
        environment = {**os.environ, "GHOSTFACE_EDGE_CACHE": str(self.folder / (cache or f"{out}-cache"))}
        with (self.folder / f"{out}.log").open("ab") as log:
            return subprocess.Popen([*command, *options], env=environment, stdout=log, stderr=log)

    def ended(self, out: str, plan: Path, *options: str, cache: str | None = None) -> MatrixReport:
        """The record of a matrix that ran to its end."""
        self.start(out, plan, *options, cache=cache).wait()
        return self.record(out)

    def record(self, out: str) -> MatrixReport:
        """What a folder holds."""
        return MatrixReport.read(self.folder / out / FILE)

    def figures(self, out: str) -> dict[str, str]:
        """A digest by cell of all in its report but what a clock decides."""
        record = self.record(out)
        return {
            cell.id: _digest(self.folder / out / cell.report) if cell.report else f"failed: {cell.error}"
            for cell in record.cells
        }

    def made_twice(self, out: str) -> dict[str, int]:
        """Artifacts that were made more than once, as the tasks' logs tell."""
        lines = (
            line
            for log in (self.folder / out / "logs").glob("*.log")
            for line in log.read_text().splitlines()
            if line.startswith("made ")
        )
        return {name: count for name, count in Counter(lines).items() if count > 1}


def _digest(path: Path) -> str:
    return hashlib.sha256(json.dumps(_timeless(json.loads(path.read_text())), sort_keys=True).encode()).hexdigest()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        checks = value.get("name") in {"versus_fp32", "p50_ms"}  # of a limit on time
        return {} if checks else {key: _timeless(each) for key, each in value.items() if key not in _BY_THE_CLOCK}
    return [_timeless(each) for each in value] if isinstance(value, list) else value


def speed(lab: Lab, options: argparse.Namespace) -> bool:
    """Time, and what lies between tasks."""
    plan = write_plan(lab.inputs / "plan.yaml", targets=TARGETS[: options.targets])
    first = None
    for workers in options.workers:
        record = lab.ended(f"speed{workers}", plan, "--workers", str(workers))
        tasks = [task for task in record.tasks if task.end > task.start]
        span = max(task.end for task in tasks) - min(task.start for task in tasks)
        first = first or span
        print(
            f"{workers} workers: {len(record.cells)} cells, {len(tasks)} tasks, {span:.1f} s, {first / span:.2f} times "
            f"as fast; {_between_ms(record):.1f} ms between two tasks of a worker (median)"
        )
    seconds = {task.key: task.seconds for task in record.tasks}
    dependencies = {task.key: task.dependencies for task in record.tasks}
    for workers in _IDEAL:
        ideal = makespan(seconds, dependencies, workers)
        print(f"the last one's tasks on {workers} workers, ideally scheduled (simulated): {ideal:.1f} s")
    return True


def _between_ms(record: MatrixReport) -> float:
    """Median time between the end of a task and the start of the next on the same worker, where one was ready."""
    ends = {task.key: task.end for task in record.tasks}
    gaps = []
    by_worker: dict[str, list[Any]] = {}
    for task in sorted(record.tasks, key=lambda task: task.start):
        by_worker.setdefault(task.worker, []).append(task)
    for tasks in by_worker.values():
        for before, after in itertools.pairwise(tasks):
            ready = max([before.end, *(ends[key] for key in after.dependencies if key in ends)])
            gaps.append(1e3 * (after.start - ready))
    return sorted(gaps)[len(gaps) // 2]


def equal(lab: Lab, options: argparse.Namespace) -> bool:
    """Every cell is what `run` makes alone, with a store of its own."""
    plan = write_plan(lab.inputs / "plan.yaml", checkpoints=1, recipes=2, targets=TARGETS[: options.targets])
    record = lab.ended("matrix", plan, "--workers", "2")
    same = True
    for cell in record.cells:
        assert cell.report
        report = json.loads((lab.folder / "matrix" / cell.report).read_text())
        alone = lab.folder / f"alone-{cell.id}"
        words = report["tool"]["command"].split()[1:]
        environment = {**os.environ, "GHOSTFACE_EDGE_CACHE": str(lab.folder / f"alone-cache-{cell.id}")}
        command = [sys.executable, "-m", "ghostface_edge.pipeline", *words, "--out", str(alone)]
        subprocess.run(command, env=environment, capture_output=True, check=False)
        one = _digest(lab.folder / "matrix" / cell.report) == _digest(alone / "report.json")
        print(f"{cell.id}: {'the same figures and files' if one else 'DIFFERS'} as alone")
        same = same and one
    return same


def kills(lab: Lab, options: argparse.Namespace) -> bool:
    """Workers are killed; what comes is what came without."""
    plan = write_plan(lab.inputs / "plan.yaml", checkpoints=1, recipes=2, targets=TARGETS[: options.targets])
    lab.ended("calm", plan, "--workers", "2")
    expected, rng, good, done, number = lab.figures("calm"), random.Random(options.seed), True, 0, 0
    while done < options.kills:
        out = f"killed{number}"
        number += 1
        program, killed = lab.start(out, plan, "--workers", "2"), 0
        while " tasks on " not in (lab.folder / f"{out}.log").read_text() and _waited(program, 0.5):
            pass  # a worker that dies before it is one ends the program, which says so
        for _ in range(min(options.per_run, options.kills - done)):
            if not _waited(program, rng.uniform(2, options.longest_s)):
                break
            workers = list(_workers(program))
            if workers:
                rng.choice(workers).kill()
                killed += 1
        program.wait()
        twice, found = lab.made_twice(out), lab.figures(out)
        same = found == expected
        outcome = "the same figures" if same else f"DIFFERS: {found}"
        print(f"{killed} workers killed: {outcome}; made twice: {twice or 'nothing'}")
        good, done = good and same and not twice, done + max(killed, 1)
        if same:
            shutil.rmtree(lab.folder / out)
            shutil.rmtree(lab.folder / f"{out}-cache")
    return good


def scheduler(lab: Lab, options: argparse.Namespace) -> bool:
    """All is killed at once, with the scheduler in it; the same store and folder finish it."""
    plan = write_plan(lab.inputs / "plan.yaml", checkpoints=1, recipes=2, targets=TARGETS[: options.targets])
    lab.ended("calm", plan, "--workers", "2")
    expected, rng = lab.figures("calm"), random.Random(options.seed)
    program = lab.start("resumed", plan, "--workers", "2")
    for number in range(options.kills):
        if not _waited(program, rng.uniform(5, options.longest_s)):
            break
        program.kill()
        program.wait()
        print(f"killed {number + 1} times; {len(lab.record('resumed').cells)} cells had ended")
        program = lab.start("resumed", plan, "--workers", "2", "--resume")
    program.wait()
    same, twice = lab.figures("resumed") == expected, lab.made_twice("resumed")
    print(f"{'the same figures' if same else 'DIFFERS'}; made twice: {twice or 'nothing'}")
    return same and not twice


def deadly(lab: Lab, options: argparse.Namespace) -> bool:
    """The worker that begins a certain task is killed each time."""
    plan = write_plan(lab.inputs / "plan.yaml", checkpoints=1, recipes=1, targets=TARGETS[: options.targets])
    program = lab.start("deadly", plan, "--workers", "2")
    killed = 0
    while program.poll() is None:
        time.sleep(0.2)
        for log in (lab.folder / "deadly/logs").glob("cell-*tflite-fp32*.log"):
            for worker in _workers(program):
                if any(str(log) == file.path for file in worker.open_files()):
                    worker.kill()
                    killed += 1
                    time.sleep(1)
    record = lab.record("deadly")
    for cell in record.cells:
        print(f"{cell.id}: {cell.status} {cell.error or ''}")
    failed = [cell for cell in record.cells if cell.error]
    print(f"{killed} workers killed, exit code {program.returncode}")
    return killed == 3 and len(failed) == 1 and "signal 9" in str(failed[0].error) and program.returncode == 3


def large(lab: Lab, options: argparse.Namespace) -> bool:
    """Thousands of cells are given to a scheduler without workers."""
    from distributed import Client

    from ghostface_edge.pipeline.matrix.cells import cells_of
    from ghostface_edge.pipeline.matrix.graph import resources_of, tasks_of
    from ghostface_edge.pipeline.matrix.plan import Plan
    from ghostface_edge.pipeline.matrix.run import submit

    each = 2 * 3 * len(TARGETS)
    plan = write_plan(lab.inputs / "plan.yaml", seeds=-(-options.cells // each))
    started = time.process_time()
    cells = cells_of(Plan.read(plan), lab.inputs, lab.folder / "large")[: options.cells]
    planned = time.process_time() - started
    tasks = tasks_of(cells)
    took = time.process_time() - started
    print(f"{len(cells)} cells planned in {planned:.1f} s, {len(tasks)} tasks after {took:.1f} s (of processor time)")
    scheduler = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "distributed.cli.dask_scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert scheduler.stderr
        address = next(found[0] for line in scheduler.stderr if (found := re.findall(r"tcp://[\d.:]+", line)))
        process = psutil.Process(scheduler.pid)
        before = process.memory_info().rss
        with Client(address, set_as_default=False) as client:
            resources = {task.key: resources_of(task, [frozenset()]) for task in tasks}
            started = time.monotonic()
            futures = submit(client, tasks, resources, lab.folder / "large")
            while client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) < len(tasks):
                time.sleep(0.1)
            print(f"taken by the scheduler in {time.monotonic() - started:.1f} s")
            held, spent = process.memory_info().rss, process.cpu_times()
            print(f"of which the scheduler computed {spent.user + spent.system:.1f} s since its start")
            print(f"scheduler: {before / 2**20:.0f} MB before, {held / 2**20:.0f} MB with {len(futures)} tasks")
            return took <= 10 and held <= 2 * 2**30
    finally:
        scheduler.kill()
        scheduler.wait()


def _waited(program: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Whether it still runs then."""
    try:
        program.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def _workers(program: "subprocess.Popen[bytes]") -> Iterator[psutil.Process]:
    """Dask's workers of a local cluster."""
    try:
        for child in psutil.Process(program.pid).children():
            if "spawn_main" in " ".join(child.cmdline()):
                yield child
    except psutil.NoSuchProcess:
        return


TRIALS: Final = {
    "speed": speed,
    "equal": equal,
    "kills": kills,
    "scheduler": scheduler,
    "deadly": deadly,
    "large": large,
}


def main() -> None:
    """Run one trial; ends with 1 if what it promises does not hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("trial", choices=TRIALS)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--targets", type=int, default=len(TARGETS))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--per-run", type=int, default=5)
    parser.add_argument("--longest-s", type=float, default=20.0)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        good = TRIALS[options.trial](Lab(Path(folder)), options)
    sys.exit(not good)


if __name__ == "__main__":
    main()
