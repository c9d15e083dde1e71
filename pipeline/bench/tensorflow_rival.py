"""`tflite-int8` against TensorFlow's converter: `python -m ghostface_edge.pipeline.bench.tensorflow_rival OUT PYTHON`.

    ... OUT PYTHON [CHECKPOINT of V1-0.5-2]

PYTHON has tensorflow-cpu, tf-keras and onnx. It converts what is laid into OUT/<network>; then both sides' files are
timed in turns in LiteRT, one thread. Prints ratios and limits, writes OUT/tensorflow.json. `nox -s tensorflow` calls
this.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from ghostface_edge.pipeline.bench import STANDARD_MODELS, BenchModel
from ghostface_edge.pipeline.bench.contestants import FACES, quantize_quickly
from ghostface_edge.pipeline.bench.limits import BYTES, TENSORFLOW, Comparison, Ratio, judge, table
from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.network.parity import MAX_ABS_DIFFERENCE, onnx_input, run_onnx
from ghostface_edge.pipeline.stages.latency import ROUNDS, RUNS_PER_ROUND, Timing, time_interleaved
from ghostface_edge.pipeline.support.host import describe_host
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.reports.errors import GhostfaceEdgeError, ParityError, ToolError
from ghostface_edge.reports.latency import summarize
from ghostface_edge.targets.face_like import face_like
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Precision

_RUNTIME: Final = "tflite"
_CONVERTER: Final = Path(__file__).with_name("tensorflow_convert.py")
_TENSORFLOW_FP32: Final = "tensorflow-fp32"


@dataclass(frozen=True, slots=True)
class RivalRow:
    """One file of one network."""

    model: str
    weights: str
    """`official` or `seeded`."""
    label: str
    """`fp32` and `int8` are ours."""
    p50_ms: float
    bytes: int


def make(model: BenchModel, folder: Path, python: Path) -> dict[str, Path]:
    """Our `.tflite` files and TensorFlow's of one network, by label.

    Raises:
        ParityError: the Keras network is not the same function.
        ToolError: a converter failed.
    """
    faces, exported = face_like(FACES, model.architecture.image_size), folder / "exported.onnx"
    export_onnx(model.load(), exported, faces=faces[:2])
    np.save(folder / "faces.npy", faces)
    qdq = quantize_quickly(exported, faces, folder)
    made = {label: folder / f"{label}.tflite" for label in ("fp32", "int8", _TENSORFLOW_FP32, TENSORFLOW)}
    with LOCAL.open(RuntimeWorker, _RUNTIME, log=folder / "convert.log") as worker:
        worker.convert(exported, Precision.FP32, made["fp32"])
        worker.lower_quantized(qdq, made["int8"])
    log = folder / "tensorflow.log"
    with log.open("w") as written:
        command: list[str | Path] = [python, "-P", _CONVERTER, folder]
        ended = subprocess.run(command, stdout=written, stderr=subprocess.STDOUT, check=False)
    if ended.returncode:
        raise ToolError(f"TensorFlow's converter ended with {ended.returncode}", fix=f"see {log}")
    expected = run_onnx(exported, onnx_input(faces), len(faces))[0]
    difference = float(np.abs(np.load(folder / "tensorflow.npy") - expected).max())
    if not difference <= MAX_ABS_DIFFERENCE:
        raise ParityError(
            f"the Keras network of {model.name} differs from its ONNX by {difference:.2e}",
            fix="compare their layers; the times would not be of the same network",
        )
    return made


def compare(model: str, timings: Mapping[str, Timing], sizes: Mapping[str, int]) -> dict[Comparison, Ratio]:
    """Every contestant against every other by time, and against our FP32 by size."""
    found = {}
    for (label, timing), (against, other) in product(timings.items(), repeat=2):
        if label != against:
            summary = summarize(timing.samples_ms, other.samples_ms, rounds=ROUNDS)
            ratio = Ratio(summary.versus_fp32, summary.versus_fp32_ci95)
            found[Comparison(model, _RUNTIME, label, against)] = ratio
    for label, size in sizes.items():
        share = size / sizes["fp32"]
        found[Comparison(model, _RUNTIME, label, BYTES)] = Ratio(share, (share, share))
    return found


def run(
    models: Sequence[BenchModel], out: Path, python: Path, progress: Progress
) -> tuple[list[RivalRow], dict[Comparison, Ratio]]:
    """Convert and time every network, in a folder of its own; see `make` for what it raises."""
    rows: list[RivalRow] = []
    measured: dict[Comparison, Ratio] = {}
    for model in models:
        folder = out / model.name
        folder.mkdir(parents=True, exist_ok=True)
        with progress.stage(f"{model.name}: convert"):
            files = make(model, folder, python)
        timings = _time(model.name, files, progress)
        sizes = {label: path.stat().st_size for label, path in files.items()}
        measured |= compare(model.name, timings, sizes)
        weights = "seeded" if model.checkpoint is None else "official"
        for label, timing in timings.items():
            rows.append(RivalRow(model.name, weights, label, float(np.median(timing.samples_ms)), sizes[label]))
    return rows, measured


def main(arguments: list[str]) -> None:
    """Convert, time, print; see the module."""
    out, python, *checkpoint = map(Path, arguments)
    first, second = STANDARD_MODELS[:2]
    if checkpoint:
        first = replace(first, checkpoint=checkpoint[0])
    rows, measured = run((first, second), out, python, Progress())
    verdicts, host = judge(measured), describe_host().model_dump(mode="json")
    content = {
        "host": host,
        "rounds": ROUNDS,
        "threads": 1,
        "rows": [asdict(row) for row in rows],
        "ratios": [asdict(comparison) | asdict(ratio) for comparison, ratio in measured.items()],
        "limits": [asdict(verdict) for verdict in verdicts],
    }
    (out / "tensorflow.json").write_text(json.dumps(content, indent=1))
    others = (TENSORFLOW, "fp32", _TENSORFLOW_FP32)
    drawn = Table("Model", "What", "p50 ms", "Bytes", *(f"× {other}" for other in others))
    for row in rows:
        ratios = (str(measured.get(Comparison(row.model, _RUNTIME, row.label, other), "-")) for other in others)
        drawn.add_row(row.model, row.label, f"{row.p50_ms:.3f}", f"{row.bytes:,}", *ratios)
    console = Console(width=140)
    console.print(drawn)
    console.print(table(verdicts))


def _time(model: str, files: Mapping[str, Path], progress: Progress) -> dict[str, Timing]:
    named = {label: (_RUNTIME, path) for label, path in files.items()}
    with progress.stage(f"{model}: time {len(files)} in turns", ROUNDS * RUNS_PER_ROUND * len(files)) as advance:
        logs = next(iter(files.values())).parent
        taken = time_interleaved(named, threads=1, logs=logs, advance=advance)
    timings = {}
    for label, timing in taken.items():
        if isinstance(timing, ToolError):
            raise timing
        timings[label] = timing
    return timings


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except GhostfaceEdgeError as error:
        sys.exit(f"error: {error}")
