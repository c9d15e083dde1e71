"""The search for the assignment of INT8 and float to a network's segments that takes the least time on this host.

In: a QDQ model and what it was made of, the float32 artifact of the runtime, held-out calibration faces. Out: the
artifact that was fastest by the clock among those that keep the cosine and the size asked for. Only whole networks are
timed, in turns:

1. every assignment with at most one change of precision, which gives an estimate for all others (`assignment`);
2. the most promising ones by estimate, after their cosine and size were looked at;
3. the best of them once more against INT8 throughout, which stays unless that is slower beyond chance.
"""

import itertools
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.pipeline.precision_search.assignment import Assignment, assignments, estimate, uniform
from ghostface_edge.pipeline.precision_search.setup import SearchSetup
from ghostface_edge.pipeline.precision_search.turns import TurnTimer, relative, time_in_turns
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.reports.latency import summarize
from ghostface_edge.targets.places.worker import RuntimeWorker

_FINALISTS = 6
_LOOKED_AT = 25
"""Assignments whose cosine and size are determined at most."""
_ROUNDS, _FINAL_ROUNDS = 40, 80
_WORTH = 0.01
"""Share of INT8's time that a further change of precision has to gain."""


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """The outcome of a search."""

    assignment: str
    """See `Assignment.label`."""
    float_tensors: tuple[str, ...]
    """Values in float that are quantized in INT8 throughout."""
    float_share: float
    """Of the multiply-accumulates."""
    cosine_limit: float
    cosine: float
    """Mean to float32, on the held-out faces."""
    measured: int
    """Assignments that were timed."""
    versus_int8: float
    """p50 over that of INT8 throughout; 1 where nothing beat that."""
    versus_int8_ci95: tuple[float, float]
    note: str
    """What a user should know of it, in one line."""


class Search:
    """One search for the fastest precisions.

    Args:
        setup: what to search, and with what.
    """

    def __init__(self, setup: SearchSetup) -> None:
        from ghostface_edge.pipeline.precision_search.candidates import Candidates  # imports torch

        self.setup, self.candidates = setup, Candidates(setup)
        self.int8 = uniform(len(self.candidates.segments), is_float=False)
        self.timed: set[Assignment] = set()

    def run(self) -> tuple[SearchOutcome, Path]:
        """The outcome and the artifact.

        Raises:
            ToolError: INT8 throughout could not be made or run, or a network died that had run before.
        """
        count, title = len(self.candidates.segments), f"{self.setup.runtime}: fastest precisions"
        with self.setup.open(RuntimeWorker) as worker:
            for assignment in assignments(count, most_changes=1):
                self.candidates.make(worker, assignment)
        if self.candidates.made[self.int8] is None:
            raise ToolError("the quantized model could not be lowered", fix=f"see {self.setup.log}")
        single = [one for one in self.candidates.made if one != self.int8]
        times = dict.fromkeys(self.candidates.made, math.inf) | self.compare(
            single, _ROUNDS, f"{title}, at most one change"
        )
        finalists = self.admissible(self.promising(times), f"{title}, cosine and size")
        is_int8_good = self.candidates.cosine(self.int8) >= self.setup.options.cosine
        if not finalists:
            return self.stay("no mix of precisions that is worth timing keeps the cosine and the size asked for")
        times = self.compare(finalists, _ROUNDS, f"{title}, the most promising")
        del times[self.int8]
        if not times:
            return self.stay("no mix of precisions could be run")
        best = min(times, key=lambda one: times[one] + _WORTH * len(one.changes))
        ratio, interval = self.confirm(best, f"{title}, the best")
        if interval[1] >= 1 and is_int8_good:
            return self.stay(
                f"the best mix takes {ratio:.2f} × [{interval[0]:.2f}, {interval[1]:.2f}] the time of INT8 throughout, "
                "which is no gain beyond chance: INT8 stays"
            )
        return self.outcome(best, ratio, interval, f"{ratio:.2f} × the time of INT8 throughout")

    def promising(self, times: Mapping[Assignment, float]) -> Iterator[Assignment]:
        """Assignments by estimated time, those with one, two and three changes by turns.

        An estimate adds the noise of as many times as there are changes, so that of all the best seem to have many.
        """
        ranked: dict[int, list[tuple[float, Assignment]]] = {}
        for one in assignments(len(self.candidates.segments)):
            expected = estimate(one, times)
            if one.changes and math.isfinite(expected):  # else it rests on one that failed
                ranked.setdefault(len(one.changes), []).append((expected, one))
        rows = [sorted(row, key=lambda item: item[0]) for row in ranked.values()]
        for row in itertools.zip_longest(*rows):
            yield from (item[1] for item in row if item is not None)

    def admissible(self, ranking: Iterator[Assignment], title: str) -> list[Assignment]:
        """The first few that can be run and keep the limits."""
        found: list[Assignment] = []
        options = self.setup.options
        with (
            self.setup.open(RuntimeWorker) as worker,
            self.setup.progress.stage(title, _LOOKED_AT) as advance,
        ):
            for assignment in itertools.islice(ranking, _LOOKED_AT):
                path = self.candidates.make(worker, assignment)
                advance(1)
                if path is None or self.candidates.size_bytes(path) > options.size * self.setup.fp32_bytes:
                    continue
                if self.candidates.cosine(assignment) >= options.cosine:
                    found.append(assignment)
                if len(found) == _FINALISTS:
                    break
        return found

    def time(self, chosen: Collection[Assignment], rounds: int, title: str) -> dict[Assignment, NDArray[np.float64]]:
        """Milliseconds of assignments and of INT8 throughout, (N, RUNS); those that cannot be run are left out.

        Raises:
            ToolError: INT8 throughout cannot be run.
        """
        setup = self.setup
        by_label = {one.label: one for one in (self.int8, *chosen) if self.candidates.made[one] is not None}
        paths = {label: path for label, one in by_label.items() if (path := self.candidates.made[one]) is not None}
        with setup.progress.stage(f"{title}: {len(paths)} in turns", rounds) as advance:
            taken = time_in_turns(
                lambda: setup.open(TurnTimer), paths, threads=setup.threads, rounds=rounds, advance=advance
            )
        if self.int8.label not in taken:
            raise ToolError("the quantized model cannot be run", fix=f"see {self.setup.log}")
        self.timed |= {by_label[label] for label in taken}
        return {by_label[label]: samples for label, samples in taken.items()}

    def compare(self, chosen: Collection[Assignment], rounds: int, title: str) -> dict[Assignment, float]:
        """Times of assignments as ratios to INT8 throughout, which is among them."""
        return relative(self.time(chosen, rounds, title), self.int8)

    def confirm(self, best: Assignment, title: str) -> tuple[float, tuple[float, float]]:
        """Time the best alone against INT8 throughout: the best of many was lucky, too."""
        taken = self.time([best], _FINAL_ROUNDS, title)
        if best not in taken:
            raise ToolError("a network that had run could not be run again", fix=f"see {self.setup.log}")
        summary = summarize(taken[best].ravel(), taken[self.int8].ravel(), rounds=len(taken[best]))
        return summary.versus_fp32, summary.versus_fp32_ci95

    def stay(self, note: str) -> tuple[SearchOutcome, Path]:
        """INT8 throughout is the outcome."""
        return self.outcome(self.int8, 1.0, (1.0, 1.0), note)

    def outcome(
        self, chosen: Assignment, ratio: float, interval: tuple[float, float], note: str
    ) -> tuple[SearchOutcome, Path]:
        candidates = self.candidates
        path = candidates.made[chosen]
        assert path is not None
        found = SearchOutcome(
            assignment=chosen.label,
            float_tensors=candidates.float_tensors(chosen),
            float_share=candidates.float_share(chosen),
            cosine_limit=self.setup.options.cosine,
            cosine=candidates.cosine(chosen),
            measured=len(self.timed),
            versus_int8=ratio,
            versus_int8_ci95=interval,
            note=note,
        )
        return found, path
