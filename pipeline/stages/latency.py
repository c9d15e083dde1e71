"""Latency of several artifacts, taken in turns.

In: artifacts, usually of one runtime with its FP32 among them. Out: milliseconds of single inferences at batch 1,
load times, peak memory. Every artifact lives in a child process of its own; rounds go A B C, A B C, so that drift of
the machine hits all.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import FACE_SIZE
from ghostface_edge.pipeline.support.progress import Advance
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.face_like import face_like
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker

ROUNDS = 10
RUNS_PER_ROUND = 25
_WARM_UP_RUNS = 25


@dataclass(frozen=True, slots=True)
class Timing:
    """What one artifact costs."""

    samples_ms: NDArray[np.float64]
    """(ROUNDS * RUNS_PER_ROUND,), in the order taken."""
    threads: int
    load_ms: float
    peak_rss_mb: float
    """Of the child process with the runtime, the artifact and one face."""


def time_interleaved(
    artifacts: Mapping[str, tuple[str, Path]], *, threads: int, logs: Path, advance: Advance
) -> dict[str, Timing | ToolError]:
    """Time artifacts in turns; one that dies is an error in its place, the others go on.

    Args:
        artifacts: runtime and file by label.
        threads: for each of them.
        logs: folder for what the children print.
        advance: told the number of inferences done.
    """
    with ExitStack() as stack:
        watches = {
            label: _StopWatch(stack.enter_context(LOCAL.open(RuntimeWorker, runtime, log=logs / f"{label}.log")))
            for label, (runtime, _) in artifacts.items()
        }
        for label, (_, artifact) in artifacts.items():
            watches[label].load(artifact, threads)
        for _ in range(ROUNDS):
            for watch in watches.values():
                watch.take()
                advance(RUNS_PER_ROUND)
        return {label: watch.read(threads) for label, watch in watches.items()}


class _StopWatch:
    """One child with one artifact; the first error ends it."""

    def __init__(self, worker: RuntimeWorker) -> None:
        self._worker = worker
        self._face = face_like(1, FACE_SIZE)
        self._load_ms = 0.0
        self._samples: list[float] = []
        self._error: ToolError | None = None

    def load(self, artifact: Path, threads: int) -> None:
        try:
            self._load_ms = self._worker.load(artifact, threads, 1)
            self._worker.time(self._face, _WARM_UP_RUNS)
        except ToolError as error:
            self._error = error

    def take(self) -> None:
        if self._error is None:
            try:
                self._samples += self._worker.time(self._face, RUNS_PER_ROUND)
            except ToolError as error:
                self._error = error

    def read(self, threads: int) -> Timing | ToolError:
        if self._error is not None:
            return self._error
        try:
            return Timing(np.array(self._samples), threads, self._load_ms, self._worker.peak_rss_mb())
        except ToolError as error:
            return error


def save_timings(timings: Mapping[str, Timing], folder: Path) -> None:
    """Write each one's samples to `<label>.npy`, the rest to `costs.json`."""
    for label, timing in timings.items():
        np.save(folder / f"{label}.npy", timing.samples_ms)
    costs = {label: (timing.threads, timing.load_ms, timing.peak_rss_mb) for label, timing in timings.items()}
    (folder / "costs.json").write_text(json.dumps(costs))


def read_timings(folder: Path) -> dict[str, Timing]:
    """What `save_timings` wrote."""
    costs = json.loads((folder / "costs.json").read_text())
    return {label: Timing(np.load(folder / f"{label}.npy"), *cost) for label, cost in costs.items()}
