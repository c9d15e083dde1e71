"""The main job: checkpoint in; models, figures, report and verdict out."""

import datetime
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ghostface_edge.calibration.faces import CalibrationSet, sample, scan_folder
from ghostface_edge.calibration.overlap import find_overlap
from ghostface_edge.calibration.verification import load_pairs
from ghostface_edge.pipeline import evidence
from ghostface_edge.pipeline.build import Artifact, DecodedFaces, ExportedModel, Workshop, artifact_of
from ghostface_edge.pipeline.evidence import Attempt, Inputs
from ghostface_edge.pipeline.host import usable_cores
from ghostface_edge.pipeline.progress import Narrator
from ghostface_edge.pipeline.store import Store
from ghostface_edge.reports.errors import ExitCode, InputError, ParityError, RuntimeMissingError, ToolError
from ghostface_edge.reports.metrics import normalized
from ghostface_edge.reports.report import Report, Status, Tool, Verdict
from ghostface_edge.reports.write import write_report
from ghostface_edge.targets.protocol import Embeddings, Precision
from ghostface_edge.targets.table import VariantId, load_target, versions

MIN_FP32_COSINE = 0.9999
_PACKAGES = ("torch", "onnx", "onnxruntime", "openvino", "nncf", "ai-edge-litert", "ai-edge-quantizer", "numpy")


@dataclass(frozen=True, slots=True)
class Job:
    """What a user asks for."""

    checkpoint: Path
    pairs: Path
    calibration: Path
    variants: tuple[VariantId, ...]
    out: Path
    seed: int = 0
    calibration_faces: int = 300
    latency_threads: int = 1


def run(job: Job, narrator: Narrator) -> tuple[Report, ExitCode]:
    """Convert, check, time and report every variant of a job.

    Raises:
        InputError: an input or the output folder cannot be used; nothing is left behind.
        ToolError: the export failed, without which there is nothing to deploy.
    """
    started = time.monotonic()
    moment = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    inputs = _read_inputs(job)
    store = Store()
    _make_writable(job.out)
    shop = Workshop(store, job.out / "logs", narrator, usable_cores())
    model = shop.export(job.checkpoint, inputs.calibration)
    narrator.say(f"{model.name}: {model.macs / 1e6:.1f} MMACs; ONNX equals PyTorch to {model.parity:.1e}")
    attempts = [Attempt(variant) for variant in job.variants]
    with closing(DecodedFaces(inputs.pairs)) as faces:
        reference = shop.embed(artifact_of("onnxruntime", model.path), faces, "reference")
        for attempt in attempts:
            _build(attempt, shop, model, inputs.calibration, faces, reference)
    for runtime in dict.fromkeys(variant.runtime for variant in job.variants):
        _time(runtime, attempts, shop, model, inputs.calibration, job.latency_threads)
    with narrator.stage("statistics"):
        tool = Tool(
            version=version("ghostface-edge"),
            packages=versions(_PACKAGES),
            seed=job.seed,
            started=moment,
            seconds=round(time.monotonic() - started, 1),
        )
        report, curves = evidence.assemble(attempts, inputs, reference, model, tool, job.out)
    write_report(report, curves, job.out)
    store.prune()
    return report, _exit_code(report)


def _read_inputs(job: Job) -> Inputs:
    """Read pairs and calibration faces; what a user can get wrong is found here, before any work."""
    if not job.checkpoint.is_file():
        raise InputError(f"{job.checkpoint}: no such checkpoint file", fix="give the path of a trained GhostFaceNet")
    pairs = load_pairs(job.pairs)
    calibration = sample(scan_folder(job.calibration), job.calibration_faces, job.seed)
    return Inputs(job.checkpoint, pairs, calibration, len(find_overlap(calibration, pairs).identities))


def _make_writable(out: Path) -> None:
    try:
        (out / "models").mkdir(parents=True, exist_ok=True)
        probe = out / "models" / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{out}: cannot be written ({error.strerror})", fix="give a folder that you may write with --out"
        ) from error


def _build(
    attempt: Attempt,
    shop: Workshop,
    model: ExportedModel,
    calibration: CalibrationSet,
    faces: DecodedFaces,
    reference: Embeddings,
) -> None:
    """Convert, and embed every face of the pairs; what goes wrong is this variant's verdict."""
    label = str(attempt.id)
    try:
        load_target(attempt.id.runtime).require()
        attempt.artifact = shop.convert(attempt.id, model.path, calibration)
        attempt.info = shop.inspect(attempt.artifact, label)
        attempt.embeddings = shop.embed(attempt.artifact, faces, label)
        if attempt.id.precision is Precision.FP32:
            _check_parity(attempt.embeddings, reference)
    except (ToolError, RuntimeMissingError) as error:
        attempt.fail(error)
        shop.narrator.say(f"{label}: {attempt.status}: {error}")


def _check_parity(embeddings: Embeddings, reference: Embeddings) -> None:
    cosine = np.einsum("ie,ie->i", normalized(embeddings), normalized(reference)).min()
    if not cosine >= MIN_FP32_COSINE:
        raise ParityError(
            f"FP32 embeddings differ from the checkpoint's: lowest cosine {cosine:.6f}, expected {MIN_FP32_COSINE}",
            fix="do not ship this model; report it with the checkpoint's `inspect` output",
        )


def _time(
    runtime: str,
    attempts: Sequence[Attempt],
    shop: Workshop,
    model: ExportedModel,
    calibration: CalibrationSet,
    threads: int,
) -> None:
    """Time a runtime's variants in turns with its FP32, which is made for this if nobody asked for it."""
    built: list[tuple[Attempt, Artifact]] = [
        (attempt, attempt.artifact)
        for attempt in attempts
        if attempt.id.runtime == runtime and attempt.status is Status.OK and attempt.artifact is not None
    ]
    if not built:
        return
    fp32 = VariantId(runtime, Precision.FP32)
    try:
        artifacts = {str(fp32): shop.convert(fp32, model.path, calibration)}
        artifacts |= {str(attempt.id): artifact for attempt, artifact in built}
        timings = shop.time(artifacts, threads)
    except ToolError as error:
        for attempt, _ in built:
            attempt.fail(error)
        return
    for attempt, _ in built:
        attempt.take_timing(timings[str(attempt.id)], timings[str(fp32)])


def _exit_code(report: Report) -> ExitCode:
    if any(variant.status is Status.FAILED for variant in report.variants):
        return ExitCode.TOOL_FAILED
    return {
        Verdict.PASS: ExitCode.PASS,
        Verdict.FAIL: ExitCode.GATE_FAILED,
        Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    }[report.gate.verdict]
