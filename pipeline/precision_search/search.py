"""Looks for the assignment of INT8 and float to a network's segments that takes the least time on this host.

In: a quantized carrier, the float32 artifact of the runtime, held-out calibration faces. Out: the artifact that was
fastest by the clock among those that keep the cosine and the size asked for. Only whole networks are timed, in turns:

1. every assignment with at most one change of precision, which gives an estimate for all others (`assignment`);
2. the most promising ones by estimate, after their cosine and size were looked at;
3. the best of them once more against INT8 throughout, which stays unless that is slower beyond chance.
"""

import functools
import itertools
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from ghostface_edge.pipeline.precision_search.assignment import Assignment, assignments, estimate, uniform
from ghostface_edge.pipeline.precision_search.float_fallback import Segment, find_segments, free, off_grid
from ghostface_edge.pipeline.precision_search.turns import relative, time_in_turns
from ghostface_edge.pipeline.quantize.options import LatencyOptions
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.reports.latency import summarize
from ghostface_edge.reports.metrics import normalized
from ghostface_edge.targets import onnx_graph
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Embeddings, Faces
from ghostface_edge.targets.table import load_target

_FINALISTS = 6
_LOOKED_AT = 25
"""Assignments whose cosine and size are determined at most."""
_ROUNDS, _FINAL_ROUNDS = 40, 80
_WORTH = 0.01
"""Share of INT8's time that a further change of precision has to gain."""
_EMBED_BATCH = 16


@dataclass(frozen=True, slots=True)
class Fastest:
    """The outcome of a search."""

    assignment: str
    """See `Assignment.label`."""
    float_tensors: tuple[str, ...]
    """Values that have left their grids."""
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


@dataclass(frozen=True, slots=True)
class Contest:
    """What a search needs to know.

    Args:
        runtime: a key of `table.TARGETS` that takes float islands.
        carrier: QDQ ONNX.
        fp32: the float32 artifact of that runtime.
        fp32_bytes: of all its files.
        faces: RGB uint8 (N, S, S, 3), held out from calibration.
        threads: to time with.
        folder: where candidates go.
        logs: where children write what they print.
    """

    runtime: str
    carrier: Path
    fp32: Path
    fp32_bytes: int
    faces: Faces
    options: LatencyOptions
    threads: int
    folder: Path
    logs: Path
    progress: Progress

    def search(self) -> tuple[Fastest, Path]:
        """Run it; returns the outcome and the artifact.

        Raises:
            ToolError: INT8 throughout could not be made or run, or a network died that had run before.
        """
        return _Search(self).run()


class _Search:
    """One search in progress; artifacts by assignment, made when they are asked for."""

    def __init__(self, contest: Contest) -> None:
        self.contest, self.target = contest, load_target(contest.runtime)
        self.carrier = onnx_graph.load(contest.carrier)
        self.segments = find_segments(self.carrier)
        self.int8 = uniform(len(self.segments), is_float=False)
        self.made: dict[Assignment, Path | None] = {}
        """None: the runtime refused it."""
        self.cosines: dict[Assignment, float] = {}
        self.timed: set[Assignment] = set()
        self.log = contest.logs / f"{contest.runtime}-search.log"

    def run(self) -> tuple[Fastest, Path]:
        count, title = len(self.segments), f"{self.contest.runtime}: fastest precisions"
        with LOCAL.open(RuntimeWorker, self.contest.runtime, log=self.log) as worker:
            for assignment in assignments(count, most_changes=1):
                self.make(worker, assignment)
        if self.made[self.int8] is None:
            raise ToolError("the quantized model could not be lowered", fix=f"see {self.log}")
        single = [one for one in self.made if one != self.int8]
        times = dict.fromkeys(self.made, math.inf) | self.compare(single, _ROUNDS, f"{title}, at most one change")
        finalists = self.admissible(self.promising(times), f"{title}, cosine and size")
        is_int8_good = self.cosine_of(self.int8) >= self.contest.options.cosine
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
        for one in assignments(len(self.segments)):
            expected = estimate(one, times)
            if one.changes and math.isfinite(expected):  # else it rests on one that failed
                ranked.setdefault(len(one.changes), []).append((expected, one))
        rows = [sorted(row, key=lambda item: item[0]) for row in ranked.values()]
        for row in itertools.zip_longest(*rows):
            yield from (item[1] for item in row if item is not None)

    def admissible(self, ranking: Iterator[Assignment], title: str) -> list[Assignment]:
        """The first few that can be run and keep the limits."""
        found: list[Assignment] = []
        options = self.contest.options
        with (
            LOCAL.open(RuntimeWorker, self.contest.runtime, log=self.log) as worker,
            self.contest.progress.stage(title, _LOOKED_AT) as advance,
        ):
            for assignment in itertools.islice(ranking, _LOOKED_AT):
                path = self.make(worker, assignment)
                advance(1)
                if path is None or self.bytes(path) > options.size * self.contest.fp32_bytes:
                    continue
                if self.cosine_of(assignment) >= options.cosine:
                    found.append(assignment)
                if len(found) == _FINALISTS:
                    break
        return found

    def make(self, worker: RuntimeWorker, assignment: Assignment) -> Path | None:
        """Lower the carrier with some segments in float."""
        if assignment not in self.made:
            mixed = self.contest.folder / f"{assignment.label}.onnx"
            onnx.save(free(self.carrier, self.floats(assignment)), mixed)
            path = mixed.with_name(f"{assignment.label}-lowered{self.target.extension}")
            try:
                worker.lower_quantized(mixed, path)
            except ToolError:
                self.made[assignment] = None
            else:
                self.made[assignment] = path
        return self.made[assignment]

    def floats(self, assignment: Assignment) -> list[Segment]:
        return [segment for segment, is_float in zip(self.segments, assignment.floats, strict=True) if is_float]

    def bytes(self, artifact: Path) -> int:
        return sum(file.stat().st_size for file in self.target.files(artifact))

    def cosine_of(self, assignment: Assignment) -> float:
        """Mean cosine to float32 on the held-out faces; 0 if it cannot be run."""
        if assignment not in self.cosines:
            path = self.made[assignment]
            try:
                own = self.embed(path) if path is not None else None
            except ToolError:
                own = None
            agreement = 0.0 if own is None else float((normalized(own) * normalized(self.reference)).sum(1).mean())
            self.cosines[assignment] = agreement
        return self.cosines[assignment]

    @functools.cached_property
    def reference(self) -> Embeddings:
        """Of the float32 artifact, on the held-out faces."""
        return self.embed(self.contest.fp32)

    def embed(self, artifact: Path) -> Embeddings:
        with LOCAL.open(RuntimeWorker, self.contest.runtime, log=self.log) as worker:
            worker.load(artifact, self.contest.threads, _EMBED_BATCH)
            return worker.embed(self.contest.faces)

    def time(self, chosen: Collection[Assignment], rounds: int, title: str) -> dict[Assignment, NDArray[np.float64]]:
        """Milliseconds of assignments and of INT8 throughout, (N, RUNS); those that cannot be run are left out.

        Raises:
            ToolError: INT8 throughout cannot be run.
        """
        contest = self.contest
        by_label = {one.label: one for one in (self.int8, *chosen) if self.made[one] is not None}
        paths = {label: path for label, one in by_label.items() if (path := self.made[one]) is not None}
        with contest.progress.stage(f"{title}: {len(paths)} in turns", rounds) as advance:
            taken = time_in_turns(
                contest.runtime, paths, threads=contest.threads, rounds=rounds, log=self.log, advance=advance
            )
        if self.int8.label not in taken:
            raise ToolError("the quantized model cannot be run", fix=f"see {self.log}")
        self.timed |= {by_label[label] for label in taken}
        return {by_label[label]: samples for label, samples in taken.items()}

    def compare(self, chosen: Collection[Assignment], rounds: int, title: str) -> dict[Assignment, float]:
        """Times of assignments as ratios to INT8 throughout, which is among them."""
        return relative(self.time(chosen, rounds, title), self.int8)

    def confirm(self, best: Assignment, title: str) -> tuple[float, tuple[float, float]]:
        """Time the best alone against INT8 throughout: the best of many was lucky, too."""
        taken = self.time([best], _FINAL_ROUNDS, title)
        if best not in taken:
            raise ToolError("a network that had run could not be run again", fix=f"see {self.log}")
        summary = summarize(taken[best].ravel(), taken[self.int8].ravel(), rounds=len(taken[best]))
        return summary.versus_fp32, summary.versus_fp32_ci95

    def stay(self, note: str) -> tuple[Fastest, Path]:
        """INT8 throughout is the outcome."""
        return self.outcome(self.int8, 1.0, (1.0, 1.0), note)

    def outcome(
        self, chosen: Assignment, ratio: float, interval: tuple[float, float], note: str
    ) -> tuple[Fastest, Path]:
        floats = self.floats(chosen)
        share = sum(segment.macs for segment in floats) / sum(segment.macs for segment in self.segments)
        tensors = off_grid(self.carrier, free(self.carrier, floats))
        path = self.made[chosen]
        assert path is not None
        cosine = self.cosine_of(chosen)
        limit, measured = self.contest.options.cosine, len(self.timed)
        return Fastest(chosen.label, tensors, share, limit, cosine, measured, ratio, interval, note), path
