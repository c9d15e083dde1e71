"""Times every contestant of every network, in turns, and says how they compare."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ghostface_edge.pipeline.bench.contestants import Sources, write_contestants, write_sources
from ghostface_edge.pipeline.bench.limits import BYTES, Comparison, Ratio, Verdict, judge
from ghostface_edge.pipeline.bench.models import BenchModel
from ghostface_edge.pipeline.stages.latency import ROUNDS, RUNS_PER_ROUND, Timing, time_interleaved
from ghostface_edge.pipeline.support.host import describe_host
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.reports.latency import summarize
from ghostface_edge.targets.table import load_target
from ghostface_edge.targets.table import runtimes as all_runtimes

STOCK = "stock"
_OURS = "fp32"


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One contestant on one network."""

    model: str
    weights: str
    """`official` or `seeded`."""
    runtime: str
    label: str
    """`stock` is the plain export in float; `fp32` and `int8` are ours; `-relu` and `-bare` are floors."""
    threads: int
    bytes: int
    p50_ms: float | None
    """None where it failed; `error` says why."""
    versus_stock: Ratio | None
    versus_fp32: Ratio | None
    error: str | None


def run_bench(
    models: Sequence[BenchModel],
    threads: Sequence[int],
    out: Path,
    progress: Progress,
    *,
    runtimes: Sequence[str] | None = None,
) -> list[BenchRow]:
    """Time stock and ours of every network on every installed runtime; write `bench.json` to `out`.

    Args:
        models: the networks.
        threads: each number of threads is a run of its own.
        out: a folder, made if it is not there.
        progress: told what is going on.
        runtimes: names of the table; those whose time here says something unless asked.

    Raises:
        ToolError: a runtime failed to make an artifact.
    """
    rows: list[BenchRow] = []
    runtimes = runtimes or [name for name in all_runtimes() if load_target(name).is_timed]
    out.mkdir(parents=True, exist_ok=True)
    for model in models:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            with progress.stage(f"{model.name}: export and quantize"):
                sources = write_sources(model, folder)
            for runtime in runtimes:
                rows += _time_runtime(model, runtime, sources, threads, folder, progress)
        _save(rows, out / "bench.json")
    return rows


def judge_rows(rows: Sequence[BenchRow]) -> list[Verdict]:
    """Hold the rows of one thread, and the sizes, against the limits."""
    measured: dict[Comparison, Ratio] = {}
    fp32_bytes = {(row.model, row.runtime): row.bytes for row in rows if row.label == _OURS}
    for row in rows:
        if row.threads == 1:
            share = row.bytes / fp32_bytes[row.model, row.runtime]
            found = {STOCK: row.versus_stock, _OURS: row.versus_fp32, BYTES: Ratio(share, (share, share))}
            for against, ratio in found.items():
                if ratio is not None:
                    measured[Comparison(row.model, row.runtime, row.label, against)] = ratio
    return judge(measured)


def _save(rows: Sequence[BenchRow], path: Path) -> None:
    host = describe_host().model_dump(mode="json")
    limits = [asdict(verdict) for verdict in judge_rows(rows)]
    content = {"host": host, "rounds": ROUNDS, "rows": [asdict(row) for row in rows], "limits": limits}
    path.write_text(json.dumps(content, indent=1))


def _time_runtime(
    model: BenchModel, runtime: str, sources: Sources, threads: Sequence[int], folder: Path, progress: Progress
) -> list[BenchRow]:
    try:
        with progress.stage(f"{model.name}, {runtime}: convert"):
            artifacts = write_contestants(sources, runtime, folder)
    except RuntimeMissingError as missing:
        progress.say(f"{runtime} is left out: {missing}")
        return []
    if load_target(runtime).reads_onnx:  # for the others our float artifact is the stock
        artifacts = {STOCK: sources.exported, **artifacts}
    rows = []
    for count in threads:
        total = ROUNDS * RUNS_PER_ROUND * len(artifacts)
        title = f"{model.name}, {runtime}, {count} thread{'s' if count > 1 else ''}: time {len(artifacts)} in turns"
        with progress.stage(title, total) as advance:
            named = {label: (runtime, path) for label, path in artifacts.items()}
            taken = time_interleaved(named, threads=count, logs=folder, advance=advance)
        timings = {label: timing for label, timing in taken.items() if isinstance(timing, Timing)}
        for label, outcome in taken.items():
            path = artifacts[label]
            files = (path,) if label == STOCK else load_target(runtime).files(path)
            rows.append(
                BenchRow(
                    model=model.name,
                    weights="official" if model.checkpoint is not None else "seeded",
                    runtime=runtime,
                    label=label,
                    threads=count,
                    bytes=sum(file.stat().st_size for file in files),
                    p50_ms=float(np.median(outcome.samples_ms)) if isinstance(outcome, Timing) else None,
                    versus_stock=_compare(label, STOCK if STOCK in taken else _OURS, timings),
                    versus_fp32=_compare(label, _OURS, timings),
                    error=None if isinstance(outcome, Timing) else outcome.message,
                )
            )
    return rows


def _compare(label: str, reference: str, timings: Mapping[str, Timing]) -> Ratio | None:
    if label not in timings or reference not in timings:
        return None
    summary = summarize(timings[label].samples_ms, timings[reference].samples_ms, rounds=ROUNDS)
    return Ratio(summary.versus_fp32, summary.versus_fp32_ci95)
