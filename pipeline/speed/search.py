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

from ghostface_edge.pipeline.latency import ROUNDS, Timing, time_interleaved
from ghostface_edge.pipeline.progress import Narrator
from ghostface_edge.pipeline.quantize.options import LatencyOptions
from ghostface_edge.pipeline.speed.assignment import Assignment, assignments, estimate, uniform
from ghostface_edge.pipeline.speed.islands import Segment, find_segments, free, off_grid
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.reports.latency import summarize
from ghostface_edge.reports.metrics import normalized
from ghostface_edge.targets import onnx_graph
from ghostface_edge.targets.child import Child
from ghostface_edge.targets.protocol import Embeddings, Faces
from ghostface_edge.targets.table import load_target
from ghostface_edge.targets.worker import Worker

_FINALISTS = 5
_LOOKED_AT = 25
"""Assignments whose cosine and size are determined at most."""
_IN_TURNS = 10
"""Artifacts timed against each other at once; each is a process of its own."""
_QUARTILE = 25
_EMBED_BATCH = 16


@dataclass(frozen=True, slots=True)
class Fastest:
    """The outcome of a search."""

    assignment: Assignment
    float_tensors: tuple[str, ...]
    """Values that have left their grids."""
    float_share: float
    """Of the multiply-accumulates."""
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
    narrator: Narrator

    def search(self) -> tuple[Fastest, Path]:
        """Run it; returns the outcome and the artifact.

        Raises:
            ToolError: INT8 throughout could not be made or run.
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
        with Child(functools.partial(Worker, self.contest.runtime), log=self.log) as child:
            for assignment in assignments(count, most_changes=1):
                self.make(child, assignment)
        if self.made[self.int8] is None:
            raise ToolError("the quantized model could not be lowered", fix=f"see {self.log}")
        times = self.time([one for one in self.made if one != self.int8], f"{title}: one change of precision")
        times[self.int8] = 1.0
        finalists = self.admissible(self.promising(times), f"{title}: cosine and size")
        is_int8_good = self.cosine_of(self.int8) >= self.contest.options.cosine
        if not finalists:
            return self.stay("no mix of precisions that is worth timing keeps the cosine and the size asked for")
        times = self.time(finalists, f"{title}: the {len(finalists)} most promising")
        if not times:
            return self.stay("no mix of precisions could be run")
        best = min(times, key=times.__getitem__)
        ratio, interval = self.confirm(best, f"{title}: the best against INT8")
        if interval[1] >= 1 and is_int8_good:
            return self.stay(
                f"the best mix takes {ratio:.2f} × [{interval[0]:.2f}, {interval[1]:.2f}] the time of INT8 throughout, "
                "which is no gain beyond chance: INT8 stays"
            )
        return self.outcome(best, ratio, interval, f"{ratio:.2f} × the time of INT8 throughout")

    def promising(self, times: Mapping[Assignment, float]) -> Iterator[Assignment]:
        """Assignments by estimated time, without the uniform ones."""
        estimates = {one: estimate(one, times) for one in assignments(len(self.segments)) if one.changes}
        yield from sorted((one for one, time in estimates.items() if math.isfinite(time)), key=estimates.__getitem__)

    def admissible(self, ranking: Iterator[Assignment], title: str) -> list[Assignment]:
        """The first few that can be run and keep the limits."""
        found: list[Assignment] = []
        options = self.contest.options
        with (
            Child(functools.partial(Worker, self.contest.runtime), log=self.log) as child,
            self.contest.narrator.stage(title, _LOOKED_AT) as advance,
        ):
            for assignment in itertools.islice(ranking, _LOOKED_AT):
                path = self.make(child, assignment)
                advance(1)
                if path is None or self.bytes(path) > options.size * self.contest.fp32_bytes:
                    continue
                if self.cosine_of(assignment) >= options.cosine:
                    found.append(assignment)
                if len(found) == _FINALISTS:
                    break
        return found

    def make(self, child: Child, assignment: Assignment) -> Path | None:
        """Lower the carrier with some segments in float."""
        if assignment not in self.made:
            mixed = self.contest.folder / f"{assignment.label}.onnx"
            onnx.save(free(self.carrier, self.floats(assignment)), mixed)
            path = mixed.with_name(f"{assignment.label}-lowered{self.target.extension}")
            try:
                child.call("lower_quantized", mixed, path)
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
        with Child(functools.partial(Worker, self.contest.runtime), log=self.log) as child:
            child.call("load", artifact, self.contest.threads, _EMBED_BATCH)
            embeddings: Embeddings = child.call("embed", self.contest.faces)
        return embeddings

    def time(self, chosen: Collection[Assignment], title: str) -> dict[Assignment, float]:
        """Time assignments in turns with INT8 throughout, as ratios to it; those that fail are left out.

        Of every artifact's times the first quartile counts: noise only adds.
        """
        runnable = [one for one in chosen if self.made[one] is not None]
        ratios: dict[Assignment, float] = {}
        with self.contest.narrator.stage(title, len(runnable)) as advance:
            for at in range(0, len(runnable), _IN_TURNS - 1):
                group = runnable[at : at + _IN_TURNS - 1]
                taken = self.time_in_turns([self.int8, *group])
                if self.int8 not in taken:
                    raise ToolError("the quantized model could not be run", fix=f"see {self.contest.logs}")
                quartiles = {one: np.percentile(timing.samples_ms, _QUARTILE) for one, timing in taken.items()}
                ratios |= {one: float(quartiles[one] / quartiles[self.int8]) for one in group if one in taken}
                advance(len(group))
        return ratios

    def time_in_turns(self, chosen: Collection[Assignment]) -> dict[Assignment, Timing]:
        by_label = {one.label: one for one in chosen}
        artifacts = {label: (self.contest.runtime, self.made[one]) for label, one in by_label.items()}
        paths = {label: (runtime, path) for label, (runtime, path) in artifacts.items() if path is not None}
        taken = time_interleaved(paths, threads=self.contest.threads, logs=self.contest.logs, advance=_unheard)
        self.timed |= set(chosen)
        return {by_label[label]: timing for label, timing in taken.items() if isinstance(timing, Timing)}

    def confirm(self, best: Assignment, title: str) -> tuple[float, tuple[float, float]]:
        """Time the best alone against INT8 throughout: the best of many was lucky, too."""
        with self.contest.narrator.stage(title):
            taken = self.time_in_turns([self.int8, best])
        if len(taken) < 2:
            return 1.0, (1.0, 1.0)
        summary = summarize(taken[best].samples_ms, taken[self.int8].samples_ms, rounds=ROUNDS)
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
        return Fastest(chosen, tensors, share, cosine, len(self.timed), ratio, interval, note), path


def _unheard(_runs: int) -> None:
    """Progress is told by the group, not by the inference."""
