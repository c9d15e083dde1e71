"""Tries one mutant after the other on a copy of the project, each in a fork that has the libraries loaded already.

In, a line each: a module's path, its source, tests, and how much processor time these may take; in JSON. Out: whether
the tests noticed, and how long they took.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

import psutil

OURS = ("ghostface_edge", "tests", "conftest", "test_", "__main__", "_pytest.", "pytest")
MEMORY_BYTES = 6 * 2**30
IDLE_S = 10
"""Without any processor time, after which it waits for what never comes."""


def attempt(tests: list[str], limit_s: float, loaded: Path | None = None) -> tuple[int, float]:
    """Run tests in a fork; returns the exit status (negative: a signal) and the seconds of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = os.fork()
    if not child:
        status = 99
        try:
            status = run(tests, limit_s, loaded)
        finally:
            os._exit(status)
    done, looked, idle_s = 0.0, time.monotonic(), 0
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        time.sleep(0.02)
        if time.monotonic() < looked + 1:
            continue
        now, looked = busy(child), time.monotonic()
        idle_s = idle_s + 1 if now == done else 0
        done = now
        if idle_s > IDLE_S:
            os.kill(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # whatever it started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return os.waitstatus_to_exitcode(ended[1]), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def busy(child: int) -> float:
    """Seconds of processor time of a process and of what it started."""
    used = 0.0
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(child)
        for process in (top, *top.children(recursive=True)):
            times = process.cpu_times()
            used += times.user + times.system
    return used


def run(tests: list[str], limit_s: float, loaded: Path | None) -> int:
    """Run tests in this process, which is a fork."""
    import pytest

    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s) + 1, int(limit_s) + 2))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sys.dont_write_bytecode = loaded is None  # what is compiled once, of the tests, serves every mutant
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    status = pytest.main(["--exitfirst", "--quiet", "-p", "no:cacheprovider", "-p", "no:xdist", *tests])
    if loaded is not None:
        loaded.write_text(json.dumps([name for name in sys.modules if not name.startswith(OURS)]))
    return int(status)


def main() -> None:
    """Answer line by line until the input ends; the first answer for some tests is about the module as it is."""
    sys.path.insert(0, str(Path.cwd()))
    known: set[tuple[str, ...]] = set()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        job = json.loads(line)
        tests = tuple(job["tests"])
        if tests not in known:
            known.add(tests)
            loaded = Path("loaded.json")
            attempt(list(tests), job["limit_s"], loaded)
            for name in json.loads(loaded.read_text()) if loaded.exists() else ():
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
            gc.freeze()  # pytest collects garbage five times as it ends, of every fork
        module = Path(job["module"])
        original = module.read_text()
        module.write_text(job["source"])
        try:
            status, seconds = attempt(list(tests), job["limit_s"])
        finally:
            module.write_text(original)
        answers.write(json.dumps({"status": status, "seconds": seconds}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
