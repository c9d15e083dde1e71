"""Artifacts at batch 1: latency in turns, and where the time goes."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ghostface_edge.pipeline.stages.artifacts import artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.latency import ROUNDS, RUNS_PER_ROUND, Timing, time_interleaved
from ghostface_edge.pipeline.stages.profile import Profile
from ghostface_edge.pipeline.support.host import usable_cores
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.pipeline.tools.inspection import runtime_of
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.latency import summarize


def benchmark(artifacts: Sequence[Path], threads: int, progress: Progress) -> list[dict[str, object]]:
    """Latency of every artifact and its ratio to the first one's.

    Raises:
        InputError: an artifact is missing, unknown, or named twice.
        ToolError: a runtime failed.
    """
    # The labels name the children's logs, so nothing of the user's paths may be in them.
    places = {str(place): path for place, path in enumerate(labelled(artifacts).values())}
    runtimes = {place: (runtime_of(path), path) for place, path in places.items()}
    total = ROUNDS * RUNS_PER_ROUND * len(artifacts)
    with (
        Store().scratch() as logs,
        progress.stage(f"time {len(artifacts)} models in turns", total) as advance,
    ):
        taken = time_interleaved(runtimes, threads=threads, logs=logs, advance=advance)
    timings: list[Timing] = []
    for timing in taken.values():
        if not isinstance(timing, Timing):
            raise timing
        timings.append(timing)
    rows: list[dict[str, object]] = []
    for label, timing in zip(labelled(artifacts), timings, strict=True):
        summary = asdict(summarize(timing.samples_ms, timings[0].samples_ms, rounds=ROUNDS))
        ratio, interval = summary.pop("versus_fp32"), summary.pop("versus_fp32_ci95")
        costs = {"load_ms": timing.load_ms, "peak_rss_mb": timing.peak_rss_mb, "threads": threads}
        rows.append({"artifact": label, **summary, "versus_first": ratio, "ci95": interval, **costs})
    return rows


def profile(artifacts: Sequence[Path], threads: int, progress: Progress) -> dict[str, list[dict[str, Any]]]:
    """Where the time of each artifact goes, by kind of operator and what it is spent on.

    Raises:
        InputError: an artifact is missing, unknown, or named twice.
        ToolError: a runtime failed.
    """
    named = labelled(artifacts)
    store = Store()
    with store.scratch() as logs:
        context = StageContext(store, logs, progress, usable_cores())
        stages = {
            label: Profile(artifact_of(runtime_of(path), path), threads, path.name) for label, path in named.items()
        }
        return {label: [row.model_dump(mode="json") for row in context.run(stage)] for label, stage in stages.items()}


def labelled(artifacts: Sequence[Path]) -> dict[str, Path]:
    """Artifacts by file name, by the path as given where several have that name.

    Raises:
        InputError: one is named twice.
    """
    if len({os.path.realpath(path) for path in artifacts}) < len(artifacts):
        raise InputError("an artifact is named twice", fix="name each once")
    names = Counter(path.name for path in artifacts)
    return {path.name if names[path.name] == 1 else str(path): path for path in artifacts}
