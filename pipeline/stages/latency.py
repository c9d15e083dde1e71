"""Latency of several artifacts, taken in turns.

In: artifacts, usually of one runtime with its FP32 among them. Out: milliseconds of single inferences at batch 1,
load times, peak memory. Every artifact lives in a child process of its own; rounds go A B C, A B C, so that drift of
the machine hits all.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import FACE_SIZE
from ghostface_edge.pipeline.quantize.options import Limit
from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import DEFAULT_LIMIT, StageContext
from ghostface_edge.pipeline.support.host import describe_host
from ghostface_edge.pipeline.support.json_value import read_value, write_array, write_value
from ghostface_edge.pipeline.support.progress import Advance
from ghostface_edge.pipeline.support.store import mark_temporary
from ghostface_edge.reports.errors import GhostfaceEdgeError, ToolError
from ghostface_edge.targets.face_like import face_like
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import load_target

ROUNDS = 10
RUNS_PER_ROUND = 25
_WARM_UP_RUNS = 25
_COSTS = "costs.json"


@dataclass(frozen=True, slots=True)
class Timing:
    """What one artifact costs."""

    samples_ms: NDArray[np.float64]
    """(ROUNDS * RUNS_PER_ROUND,), in the order taken."""
    threads: int
    load_ms: float
    peak_rss_mb: float
    """Of the child process with the runtime, the artifact and one face."""
    beside_other_work: bool = False
    """Whether this tool did other work on that machine meanwhile."""


def time_interleaved(
    artifacts: Mapping[str, tuple[str, Path]],
    *,
    threads: int,
    logs: Path,
    advance: Advance,
    limit: Limit = DEFAULT_LIMIT,
) -> dict[str, Timing | ToolError]:
    """Time artifacts in turns; one that dies is an error in its place, the others go on.

    Args:
        artifacts: runtime and file by label.
        threads: for each of them.
        logs: folder for what the children print.
        advance: told the number of inferences done.
        limit: of each child.
    """
    with ExitStack() as stack:
        watches = {}
        for label, (runtime, artifact) in artifacts.items():
            worker = stack.enter_context(
                LOCAL.open(
                    RuntimeWorker,
                    runtime,
                    log=logs / f"{label}.log",
                    timeout_s=limit.timeout_s,
                    memory_limit_mb=limit.memory_mb,
                )
            )
            watches[label] = StopWatch(worker, partial(worker.load, artifact, threads, 1))
        return take_turns(watches, threads, advance)


class Timed(Protocol):
    """What times the artifact that it has loaded."""

    def time(self, face: Faces, runs: int) -> list[float]:
        """Milliseconds of each of some inferences."""
        ...

    def peak_rss_mb(self) -> float:
        """Peak resident memory so far."""
        ...


class StopWatch:
    """One process with one artifact; the first error ends it.

    Args:
        worker: in that process.
        load: loads the artifact there, and returns milliseconds.
    """

    def __init__(self, worker: Timed, load: Callable[[], float]) -> None:
        self._worker, self._load = worker, load
        self._face = face_like(1, FACE_SIZE)
        self._load_ms = 0.0
        self._samples: list[float] = []
        self._error: ToolError | None = None

    def start(self) -> None:
        """Load, and run until it is warm."""
        with self._ending():
            self._load_ms = self._load()
            self._worker.time(self._face, _WARM_UP_RUNS)

    def take(self) -> None:
        """One round."""
        if self._error is None:
            with self._ending():
                self._samples += self._worker.time(self._face, RUNS_PER_ROUND)

    def read(self, threads: int) -> Timing | ToolError:
        """What all rounds gave."""
        peak_rss_mb = 0.0
        if self._error is None:
            with self._ending():
                peak_rss_mb = self._worker.peak_rss_mb()
        return self._error or Timing(np.array(self._samples), threads, self._load_ms, peak_rss_mb)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            yield
        except GhostfaceEdgeError as error:
            self._error = error if isinstance(error, ToolError) else ToolError(error.message, fix=error.fix)


def take_turns(watches: Mapping[str, StopWatch], threads: int, advance: Advance) -> dict[str, Timing | ToolError]:
    """Load all, then take rounds A B C, A B C."""
    for watch in watches.values():
        watch.start()
    for _ in range(ROUNDS):
        for watch in watches.values():
            watch.take()
            advance(RUNS_PER_ROUND)
    return {label: watch.read(threads) for label, watch in watches.items()}


@dataclass(frozen=True, slots=True)
class _Costs:
    """A `Timing` without its samples, or why there is none."""

    threads: int
    load_ms: float
    peak_rss_mb: float
    error: tuple[str, str] | None = None
    """Message and fix."""


@dataclass(frozen=True, slots=True)
class TimeInTurns:
    """The stage: artifacts by label; kept for this host if none of them failed."""

    name: ClassVar[str] = "latency"
    artifacts: Mapping[str, Artifact]
    threads: int
    beside_other_work: bool = False
    """See `StageContext`; times of a busy machine are kept apart from those of a quiet one."""

    def inputs(self) -> dict[str, object]:
        return {
            "artifacts": {label: artifact.sha256 for label, artifact in self.artifacts.items()},
            "runtimes": self._runtimes,
            "threads": self.threads,
            "beside_other_work": self.beside_other_work,
            "host": describe_host().model_dump(mode="json"),
            "versions": versions([*(name for each in self._runtimes for name in load_target(each).packages), "numpy"]),
        }

    def build(self, folder: Path, context: StageContext) -> None:
        total = ROUNDS * RUNS_PER_ROUND * len(self.artifacts)
        paths = {label: (artifact.runtime, artifact.path) for label, artifact in self.artifacts.items()}
        title = f"{' and '.join(self._runtimes)}: time {len(paths)} models in turns"
        with context.progress.stage(title, total) as advance:
            taken = time_interleaved(
                paths, threads=self.threads, logs=context.logs, advance=advance, limit=context.limits.latency
            )
        write_timings(taken, self.threads, folder)

    def read(self, folder: Path) -> dict[str, Timing | ToolError]:
        return {
            label: replace(one, beside_other_work=self.beside_other_work) if isinstance(one, Timing) else one
            for label, one in read_timings(folder).items()
        }

    @property
    def _runtimes(self) -> list[str]:
        return sorted({artifact.runtime for artifact in self.artifacts.values()})


def write_timings(taken: Mapping[str, Timing | ToolError], threads: int, folder: Path) -> None:
    """Write what turns gave; kept for this run only where one of them failed."""
    costs = {}
    for label, timing in taken.items():
        if isinstance(timing, Timing):
            write_array(folder / f"{label}.npy", timing.samples_ms)
            costs[label] = _Costs(timing.threads, timing.load_ms, timing.peak_rss_mb)
        else:
            costs[label] = _Costs(threads, 0.0, 0.0, (timing.message, timing.fix))
            mark_temporary(folder)
    write_value(folder / _COSTS, costs)


def read_timings(folder: Path) -> dict[str, Timing | ToolError]:
    """Read what `write_timings` wrote."""
    costs = read_value(folder / _COSTS, dict[str, _Costs])
    return {label: _timing(one, folder / f"{label}.npy") for label, one in costs.items()}


def _timing(costs: _Costs, samples: Path) -> Timing | ToolError:
    if costs.error is not None:
        message, fix = costs.error
        return ToolError(message, fix=fix)
    taken = np.load(samples)
    if taken.ndim != 1 or taken.dtype != np.float64 or not (np.isfinite(taken) & (taken >= 0)).all():
        raise ValueError(f"{taken.dtype} of {taken.shape} are no times")
    return Timing(taken, costs.threads, costs.load_ms, costs.peak_rss_mb)
