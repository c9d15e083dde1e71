"""Single artifacts, measured: accuracy on pairs, latency in turns."""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ghostface_edge.calibration.verification import load_pairs
from ghostface_edge.pipeline.artifacts import artifact_of
from ghostface_edge.pipeline.build import Workshop
from ghostface_edge.pipeline.decoded import DecodedFaces
from ghostface_edge.pipeline.host import usable_cores
from ghostface_edge.pipeline.inspection import runtime_of
from ghostface_edge.pipeline.latency import ROUNDS, RUNS_PER_ROUND, Timing, time_interleaved
from ghostface_edge.pipeline.progress import Narrator
from ghostface_edge.pipeline.store import Store
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.latency import summarize
from ghostface_edge.reports.metrics import cosine_scores, verification_accuracy
from ghostface_edge.reports.paired import compare, link_identities


def evaluate(
    artifact: Path, pairs_path: Path, reference: Path | None, narrator: Narrator
) -> dict[str, dict[str, object]]:
    """Verification accuracy of an artifact, and `versus_reference` where a reference is given.

    Raises:
        InputError: an artifact or the pairs cannot be used.
        ToolError: the runtime failed.
    """
    runtimes = {path: runtime_of(path) for path in (artifact, reference) if path is not None}
    pairs = load_pairs(pairs_path)
    with tempfile.TemporaryDirectory() as logs, DecodedFaces.of_pairs(pairs) as faces:
        shop = Workshop(Store(), Path(logs), narrator, usable_cores())
        embeddings = {
            path: shop.embed(artifact_of(runtime, path), faces, path.name) for path, runtime in runtimes.items()
        }
    scores = {path: cosine_scores(found, pairs.index) for path, found in embeddings.items()}
    facts: dict[str, dict[str, object]] = {
        "accuracy": asdict(verification_accuracy(scores[artifact], pairs.same, pairs.folds))
    }
    if reference is not None:
        comparison = compare(
            scores[artifact],
            scores[reference],
            pairs.same,
            embeddings[artifact],
            embeddings[reference],
            identities=link_identities(pairs.index, pairs.same),
            folds=pairs.folds,
        )
        facts["versus_reference"] = {"reference": str(reference), **asdict(comparison)}
    return facts


def benchmark(artifacts: Sequence[Path], threads: int, narrator: Narrator) -> list[dict[str, object]]:
    """Latency of every artifact and its ratio to the first one's.

    Raises:
        InputError: an artifact is missing, unknown, or named twice.
        ToolError: a runtime failed.
    """
    if len(set(artifacts)) < len(artifacts):
        raise InputError("an artifact is named twice", fix="name each once")
    runtimes = {str(path): (runtime_of(path), path) for path in artifacts}
    total = ROUNDS * RUNS_PER_ROUND * len(artifacts)
    with (
        tempfile.TemporaryDirectory() as logs,
        narrator.stage(f"time {len(artifacts)} models in turns", total) as advance,
    ):
        taken = time_interleaved(runtimes, threads=threads, logs=Path(logs), advance=advance)
    timings: dict[str, Timing] = {}
    for label, timing in taken.items():
        if not isinstance(timing, Timing):
            raise timing
        timings[label] = timing
    first = timings[str(artifacts[0])]
    rows: list[dict[str, object]] = []
    for label, timing in timings.items():
        summary = asdict(summarize(timing.samples_ms, first.samples_ms, rounds=ROUNDS))
        ratio, interval = summary.pop("versus_fp32"), summary.pop("versus_fp32_ci95")
        costs = {"load_ms": timing.load_ms, "peak_rss_mb": timing.peak_rss_mb, "threads": threads}
        rows.append({"artifact": label, **summary, "versus_first": ratio, "ci95": interval, **costs})
    return rows
