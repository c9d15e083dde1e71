"""The main job: checkpoint in; models, figures, report and verdict out."""

import datetime
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

from ghostface_edge.calibration.pair_sample import PairSample, sample_pairs
from ghostface_edge.calibration.sampling import SamplingMethod
from ghostface_edge.pipeline.release.provenance import provenance
from ghostface_edge.pipeline.release.statement import PROVENANCE_FILE, Request
from ghostface_edge.pipeline.run.assemble import assemble
from ghostface_edge.pipeline.run.failed_run import failed_run
from ghostface_edge.pipeline.run.inputs import describe_calibration, most_diverse, read_inputs, without_leaks
from ghostface_edge.pipeline.run.job import GateInputs, Inputs, Job
from ghostface_edge.pipeline.run.on_devices import DeviceRun, reach, run_on_device
from ghostface_edge.pipeline.run.reference import embed_reference
from ghostface_edge.pipeline.run.runners import ship_runners
from ghostface_edge.pipeline.run.variant_build import Built, Ingredients, build_variant
from ghostface_edge.pipeline.run.variant_timing import Measured, time_variants
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.convert import Convert
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.export import Export, ExportedModel
from ghostface_edge.pipeline.stages.quantize import QdqModel, Quantize
from ghostface_edge.pipeline.support.host import describe_host, int8_saturates
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import ExitCode, InputError, RuntimeMissingError, ToolError
from ghostface_edge.reports.gate import exit_code
from ghostface_edge.reports.renderings.report_files import write_report
from ghostface_edge.reports.report import Report, Tool
from ghostface_edge.reports.write import write_text
from ghostface_edge.targets.devices.device import Device
from ghostface_edge.targets.devices.facts import DeviceFacts
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import fp32_of, load_target

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
_SATURATES = (
    "warning: this CPU has no VNNI: INT8 kernels of ONNX Runtime and OpenVINO saturate here, so their figures hold for "
    "such CPUs only (docs/quantization.md)"
)


def run(job: Job, progress: Progress) -> tuple[Report, ExitCode]:
    """Convert, check, time and report every variant of a job.

    Raises:
        InputError: an input or the output folder cannot be used; nothing is left behind.
        RuntimeMissingError: PyTorch is not installed; nothing is left behind.
        ToolError: the disk failed, or a checkpoint that could not be exported cannot even be read. Any other failure
            of a tool is in the report.
    """
    was_there = job.out.exists()
    try:
        return _run(job, progress)
    except (InputError, RuntimeMissingError):
        if not was_there:
            shutil.rmtree(job.out, ignore_errors=True)
        raise


def _run(job: Job, progress: Progress) -> tuple[Report, ExitCode]:
    started = time.monotonic()
    moment = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    store = Store()
    inputs = read_inputs(job, store, progress)
    _make_writable(job.out)
    context = StageContext(store, job.out / "logs", progress, job.cores, limits=job.recipe.limits)
    sample = sample_pairs(inputs.sets[0], job.device_faces, job.seed)
    reached = {device: reach(device, context) for device in job.devices}
    model = None
    with ExitStack() as stack:
        faces = {pairs.name: stack.enter_context(DecodedFaces.of_pairs(store, pairs)) for pairs in inputs.sets}
        if inputs.gallery is not None:
            faces[inputs.gallery.name] = stack.enter_context(DecodedFaces.of_gallery(store, inputs.gallery))
        try:
            model = context.run(Export(job.checkpoint, inputs.calibration))
            inputs = _with_chosen_faces(job, inputs, model, context)
            _say_facts(job, model, progress)
            reference = embed_reference(model, inputs, faces, context, nobody_shared=job.nobody_shared)
        except ToolError as error:
            report = failed_run(job, inputs, model, error, _tool(job, moment, started), context)
            write_report(report, None, job.out)
            return report, exit_code(report)
        inputs = without_leaks(job, inputs, reference.leaks, progress)
        describe_calibration(inputs.calibration, job.out, context)
        quantize = Quantize(model.path, inputs.calibration, job.recipe, job.seed)
        given = Ingredients(
            model=model,
            quantize=quantize,
            quantized=_quantized(job, quantize, context),
            input_type=job.input_type,
            latency_threads=job.latency_threads,
            faces=faces,
            reference=reference.embeddings,
        )
        built = [build_variant(variant, given, context) for variant in job.variants]
        measured = time_variants(built, model, inputs.calibration, job.latency_threads, context)
        ran = [one.built for one in measured if isinstance(one, Measured)]
        there = _run_on_devices(reached, sample, ran, given.faces[inputs.sets[0].name], model, inputs, context)
    with progress.stage("statistics"):
        gate = GateInputs(job.policy, job.baseline, job.allowed_leaks)
        report, curves = assemble(
            measured, there, inputs, reference, _tool(job, moment, started), job.out, gate, job.cores
        )
    report = ship_runners(ran, report, job.out, context)
    write_text(job.out / PROVENANCE_FILE, provenance(report, _request(job), context.ran).to_json())
    write_report(report, curves, job.out)
    store.prune()
    return report, exit_code(report)


def _run_on_devices(
    reached: Mapping[Device, DeviceFacts],
    sample: PairSample,
    variants: Sequence[Built],
    faces: DecodedFaces,
    model: ExportedModel,
    inputs: Inputs,
    context: StageContext,
) -> list[DeviceRun]:
    """Every measured variant on every device of the job."""
    fp32 = {
        runtime: Convert(fp32_of(runtime), model.path, inputs.calibration)
        for runtime in {one.id.runtime for one in variants}
    }
    return [run_on_device(device, facts, variants, sample, faces, fp32, context) for device, facts in reached.items()]


def _with_chosen_faces(job: Job, inputs: Inputs, model: ExportedModel, context: StageContext) -> Inputs:
    if job.sampling is not SamplingMethod.DIVERSE:
        return inputs
    return replace(inputs, calibration=most_diverse(job, inputs.calibration, model, context))


def _say_facts(job: Job, model: ExportedModel, progress: Progress) -> None:
    progress.say(f"{model.name}: {model.macs / 1e6:.1f} MMACs; ONNX equals PyTorch to {model.parity:.1e}")
    if int8_saturates(describe_host()) and any(variant.precision is Precision.INT8 for variant in job.variants):
        progress.say(_SATURATES)


def _tool(job: Job, moment: str, started: float) -> Tool:
    of_runtimes = (name for variant in job.variants for name in load_target(variant.runtime).packages)
    return Tool(
        version=version("ghostface-edge"),
        packages=versions(dict.fromkeys([*_PACKAGES, *of_runtimes])),
        command=job.command,
        seed=job.seed,
        started=moment,
        seconds=round(time.monotonic() - started, 1),
    )


def _request(job: Job) -> Request:
    """What decides the files, and by what they are judged."""
    return Request.model_validate(
        {
            "recipe": job.recipe.decisive,
            "variants": tuple(map(str, job.variants)),
            "input_type": job.input_type,
            "seed": job.seed,
            "calibration_faces": job.calibration_faces,
            "sampling": job.sampling,
            "latency_threads": job.latency_threads,
            "policy": job.policy,
        }
    )


def _make_writable(out: Path) -> None:
    try:
        (out / "models").mkdir(parents=True, exist_ok=True)
        probe = out / "models" / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{out}: cannot be written ({error.strerror})", fix="give a folder that you may write to with --out"
        ) from error


def _quantized(job: Job, quantize: Quantize, context: StageContext) -> QdqModel | ToolError | None:
    """The QDQ model of all INT8 variants, if there are any; a failure is theirs, not the run's."""
    if not any(variant.precision is Precision.INT8 and not variant.is_stock for variant in job.variants):
        return None
    try:
        model = context.run(quantize)
    except ToolError as error:
        return error
    for warning in model.report.warnings:
        context.progress.say(f"warning: {warning}")
    for point in model.report.curve:
        context.progress.say(f"  after {point.step}: cosine to FP32 {point.cosine_mean:.4f} on held-out faces")
    evidence = {"preparation": asdict(model.preparation), "quantization": asdict(model.report)}
    write_text(job.out / "quantization.json", json.dumps(evidence, indent=2) + "\n")
    return model
