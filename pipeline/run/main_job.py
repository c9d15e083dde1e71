"""The main job: checkpoint in; models, figures, report and verdict out."""

import datetime
import functools
import json
import shutil
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.leaks import find_leaks, merged, refuse_leaks
from ghostface_edge.calibration.sampling import SamplingMethod
from ghostface_edge.pipeline.run.assemble import assemble
from ghostface_edge.pipeline.run.inputs import look_at, most_diverse, read_inputs
from ghostface_edge.pipeline.run.job import Inputs, Job, Judge, Reference
from ghostface_edge.pipeline.run.variant_build import Attempt, build, time_runtime
from ghostface_edge.pipeline.stages.artifacts import Carrier, ExportedModel, artifact_of
from ghostface_edge.pipeline.stages.build import Workshop
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.support.progress import Narrator
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.pipeline.tools.diagnose import separation_warning
from ghostface_edge.reports.errors import ExitCode, InputError, ToolError
from ghostface_edge.reports.gate import EXIT_CODES
from ghostface_edge.reports.metrics import cosine_scores, verification_accuracy
from ghostface_edge.reports.report import Report, Status, Tool
from ghostface_edge.reports.report_files import write_report
from ghostface_edge.reports.write import write_text
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.requirements import versions

_PACKAGES = (
    "torch",
    "onnx",
    "onnxruntime",
    "openvino",
    "nncf",
    "ai-edge-litert",
    "ai-edge-quantizer",
    "tflite-micro",
    "ethos-u-vela",
    "numpy",
)


def run(job: Job, narrator: Narrator) -> tuple[Report, ExitCode]:
    """Convert, check, time and report every variant of a job.

    Raises:
        InputError: an input or the output folder cannot be used; nothing is left behind.
        ToolError: the export failed, without which there is nothing to deploy.
    """
    was_there = job.out.exists()
    try:
        return _run(job, narrator)
    except InputError:
        if not was_there:
            shutil.rmtree(job.out, ignore_errors=True)
        raise


def _run(job: Job, narrator: Narrator) -> tuple[Report, ExitCode]:
    started = time.monotonic()
    moment = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    store = Store()
    inputs = read_inputs(job, store, narrator)
    _make_writable(job.out)
    shop = Workshop(store, job.out / "logs", narrator, job.cores)
    model = shop.export(job.checkpoint, inputs.calibration)
    if job.sampling is SamplingMethod.DIVERSE:
        inputs = replace(inputs, calibration=most_diverse(job, inputs.calibration, model, shop))
    look_at(inputs.calibration, job.out, shop)
    narrator.say(f"{model.name}: {model.macs / 1e6:.1f} MMACs; ONNX equals PyTorch to {model.parity:.1e}")
    attempts = [Attempt(variant) for variant in job.variants]
    with ExitStack() as stack:
        faces = {pairs.name: stack.enter_context(DecodedFaces.of_pairs(pairs)) for pairs in inputs.sets}
        reference = _reference(model, inputs, faces, shop, strangers=job.strangers)
        refuse_leaks(reference.leaks, job.allowed_leaks)
        carrier = _carrier(job, shop, model, inputs.calibration)
        for attempt in attempts:
            build(attempt, job, shop, model, carrier, inputs.calibration, faces, reference)
    for runtime in dict.fromkeys(variant.runtime for variant in job.variants):
        time_runtime(runtime, attempts, shop, model, inputs.calibration, job.latency_threads)
    with narrator.stage("statistics"):
        tool = Tool(
            version=version("ghostface-edge"),
            packages=versions(_PACKAGES),
            seed=job.seed,
            started=moment,
            seconds=round(time.monotonic() - started, 1),
        )
        judge = Judge(job.policy, job.baseline, job.allowed_leaks)
        report, curves = assemble(attempts, inputs, reference, tool, job.out, judge)
    write_report(report, curves, job.out)
    store.prune()
    return report, _exit_code(report)


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


def _reference(
    model: ExportedModel, inputs: Inputs, faces: Mapping[str, DecodedFaces], shop: Workshop, *, strangers: bool
) -> Reference:
    """Embed everything in FP32, and look for calibration faces among the pairs."""
    artifact = artifact_of("onnxruntime", model.path)
    embeddings = {name: shop.embed(artifact, each, f"reference on {name}") for name, each in faces.items()}
    main = inputs.sets[0]
    scores = cosine_scores(embeddings[main.name], main.index)
    warning = separation_warning(verification_accuracy(scores, main.same, main.folds).mean)
    if warning is not None:
        shop.narrator.say(f"warning: {warning}")
    with DecodedFaces.of_calibration(inputs.calibration) as calibration:
        own = shop.embed(artifact, calibration, "reference on calibration faces")
    found = []
    for pairs in inputs.sets:
        both = None if strangers else (own, embeddings[pairs.name])
        known: dict[str, object] = {
            "calibration": inputs.calibration.sha256,
            "pairs": faces[pairs.name].sha256,
            "names": sorted(pairs.people),
            "model": None if strangers else model.sha256,
        }
        found.append(shop.remember("leaks", known, functools.partial(find_leaks, inputs.calibration, pairs, both)))
    return Reference(model, embeddings, merged(found))


def _carrier(job: Job, shop: Workshop, model: ExportedModel, calibration: CalibrationSet) -> Carrier | ToolError | None:
    """Quantize once for all INT8 variants, if there are any; a failure is theirs, not the run's."""
    if not any(variant.precision is Precision.INT8 and not variant.is_stock for variant in job.variants):
        return None
    try:
        carrier = shop.quantize(model.path, calibration, job.recipe, job.seed)
    except ToolError as error:
        return error
    for warning in carrier.report.warnings:
        shop.narrator.say(f"warning: {warning}")
    for point in carrier.report.curve:
        shop.narrator.say(f"  after {point.step}: cosine to FP32 {point.cosine_mean:.4f} on held-out faces")
    evidence = {"preparation": asdict(carrier.preparation), "quantization": asdict(carrier.report)}
    write_text(job.out / "quantization.json", json.dumps(evidence, indent=2) + "\n")
    return carrier


def _exit_code(report: Report) -> ExitCode:
    if any(variant.status is Status.FAILED for variant in report.variants):
        return ExitCode.TOOL_FAILED
    return EXIT_CODES[report.gate.verdict]
