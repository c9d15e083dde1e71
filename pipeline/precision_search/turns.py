"""Turns: many artifacts of one runtime, timed in one process.

`stages.latency` gives every artifact a process and long turns, as its memory and its noise are to be reported. Here
dozens of nearly equal artifacts are compared: they share a process, which saves seconds for each, and turns are
short, so that a busy moment of the machine hits all of them.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import FACE_SIZE
from ghostface_edge.pipeline.support.progress import Advance
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.face_like import face_like
from ghostface_edge.targets.protocol import Embedder
from ghostface_edge.targets.table import load_target

Label = TypeVar("Label")
RUNS: Final = 5
"""Inferences in a turn."""
FEWEST_ROUNDS: Final = 10
_PATIENCE_S: Final = 60.0
"""After which a slow network, or a busy machine, gets no more rounds than those."""


class TurnTimer:
    """The far side: loaded artifacts by label.

    Args:
        runtime: a key of `table.TARGETS`.
    """

    def __init__(self, runtime: str) -> None:
        self._target = load_target(runtime)
        self._target.require()
        self._embedders: dict[str, Embedder] = {}
        self._face = face_like(1, FACE_SIZE)

    def load(self, label: str, artifact: Path, threads: int) -> None:
        """Load an artifact for single faces, and run it for the first times."""
        embedder = self._target.load(artifact, threads, 1)
        for _ in range(RUNS):
            embedder.run(embedder.prepare(self._face))
        self._embedders[label] = embedder

    def turn(self) -> dict[str, list[float]]:
        """Milliseconds of `RUNS` inferences of every artifact, one artifact after the other."""
        samples = {}
        for label, embedder in self._embedders.items():
            inputs, taken = embedder.prepare(self._face), []
            for _ in range(RUNS):
                started = time.perf_counter_ns()
                embedder.run(inputs)
                taken.append((time.perf_counter_ns() - started) / 1e6)
            samples[label] = taken
        return samples


def time_in_turns(
    open_timer: Callable[[], AbstractContextManager[TurnTimer]],
    artifacts: Mapping[str, Path],
    *,
    threads: int,
    rounds: int,
    advance: Advance,
) -> dict[str, NDArray[np.float64]]:
    """Milliseconds by label, (N, RUNS); an artifact that cannot be loaded or dies at once is left out.

    Args:
        open_timer: of the runtime of all artifacts, in a process of its own.
        artifacts: files by label.
        threads: for each of them.
        rounds: turns N that each gets, if they do not take more than a minute.
        advance: told of every round.

    Raises:
        ToolError: an artifact died after it had run.
    """
    good = dict(artifacts)
    while good:
        with open_timer() as track:
            for label, artifact in tuple(good.items()):
                try:
                    track.load(label, artifact, threads)
                except ToolError:
                    del good[label]
                    break  # its process may be gone with it
            else:
                taken: list[dict[str, list[float]]] = []
                deadline = time.monotonic() + _PATIENCE_S
                while len(taken) < rounds and (len(taken) < FEWEST_ROUNDS or time.monotonic() < deadline):
                    taken.append(track.turn())
                    advance(1)
                return {label: np.array([turn[label] for turn in taken]) for label in good}
    return {}


def relative(samples: Mapping[Label, NDArray[np.float64]], reference: Label) -> dict[Label, float]:
    """Times as ratios to one of them.

    The least of a turn counts, since noise only adds; a turn is compared with the median artifact's of the same round,
    so that a round in a busy moment weighs no more than others.
    """
    least = {label: taken.min(axis=1) for label, taken in samples.items()}
    usual = np.median(np.stack(list(least.values())), axis=0)
    times = {label: float(np.median(taken / usual)) for label, taken in least.items()}
    return {label: time / times[reference] for label, time in times.items()}
