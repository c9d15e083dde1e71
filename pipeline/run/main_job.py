"""The main job: checkpoint in; models, figures, report and verdict out."""

import datetime
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from ghostface_edge.calibration.pair_sample import PairSample, sample_pairs
from ghostface_edge.pipeline.release.provenance import provenance
from ghostface_edge.pipeline.release.statement import PROVENANCE_FILE, Request
from ghostface_edge.pipeline.run.assemble import assemble
from ghostface_edge.pipeline.run.failed_run import failed_run
from ghostface_edge.pipeline.run.inputs import check_input_type, describe_calibration
from ghostface_edge.pipeline.run.job import GateInputs, Inputs, Job
from ghostface_edge.pipeline.run.on_devices import DeviceRun, reach, run_on_device
from ghostface_edge.pipeline.run.runners import ship_runners
from ghostface_edge.pipeline.run.steps import Bench, Opened, OpenFaces, context_of, steps_of
from ghostface_edge.pipeline.run.variant_build import Built
from ghostface_edge.pipeline.run.variant_timing import Measured, time_variants
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.convert import Convert
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.export import ExportedModel
from ghostface_edge.pipeline.stages.quantize import QdqModel
from ghostface_edge.pipeline.support.host import describe_host, int8_saturates
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.shared_store import SharedStore
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import ExitCode, InputError, RuntimeMissingError, ToolError
from ghostface_edge.reports.gate import exit_code
from ghostface_edge.reports.history.folder import keep
from ghostface_edge.reports.history.kept_run import KeptRun
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
    "this CPU has no VNNI: INT8 kernels of ONNX Runtime and OpenVINO saturate here, so their figures hold for "
    "such CPUs only (docs/quantization.md)"
)


def run(
    job: Job,
    progress: Progress,
    shared: SharedStore | None = None,
    store: Store | None = None,
    opened: Mapping[OpenFaces, Opened] | None = None,
) -> tuple[Report, ExitCode]:
    """Convert, check, time and report every variant of a job.

    Args:
        job: what the user asks for.
        progress: told what is done.
        shared: the store behind the user's own.
        store: by default the user's own.
        opened: faces that the caller keeps open, for several jobs.

    Raises:
        InputError: an input or the output folder cannot be used; nothing is left behind.
        RuntimeMissingError: PyTorch is not installed; nothing is left behind.
        ToolError: the disk failed, or a checkpoint that could not be exported cannot even be read. Any other failure
            of a tool is in the report.
    """
    was_there = job.out.exists()
    try:
        check_input_type(job)
        with Bench(context_of(job, store or Store(), progress, shared), opened) as bench:
            report, code = _run(job, bench)
    except (InputError, RuntimeMissingError):
        if not was_there:
            shutil.rmtree(job.out, ignore_errors=True)
        raise
    if job.history is not None:
        keep(KeptRun.of(report, code, job.release), job.history)
    return report, code


def _run(job: Job, bench: Bench) -> tuple[Report, ExitCode]:
    started = time.monotonic()
    moment = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    steps, context = steps_of(job), bench.context
    opened = bench.take(steps.faces)
    inputs, model = opened.inputs, None
    _make_writable(job.out)
    sample = sample_pairs(inputs.sets[0], job.device_faces, job.seed)
    reached = {device: reach(device, context) for device in job.devices}
    try:
        model = bench.take(steps.export)
        inputs = bench.take(steps.chosen)
        _say_facts(job, model, context.progress)
        reference = bench.take(steps.reference)
    except ToolError as error:
        report = failed_run(job, inputs, model, error, _tool(job, moment, started), context)
        write_report(report, None, job.out)
        return report, exit_code(report)
    inputs = bench.take(steps.kept)
    describe_calibration(inputs.calibration, job.out, context)
    if steps.quantize is not None:
        _write_evidence(bench.take(steps.quantize), job.out)
    built = [bench.take(variant) for variant in steps.variants]
    measured = time_variants(built, model, inputs.calibration, job.latency_threads, context)
    ran = [one.built for one in measured if isinstance(one, Measured)]
    there = _run_on_devices(reached, sample, ran, opened.faces[inputs.sets[0].name], model, inputs, context)
    with context.progress.stage("statistics"):
        gate = GateInputs(job.policy, job.baseline, job.allowed_leaks)
        tool = _tool(job, moment, started)
        report, curves = assemble(measured, there, job.checkpoint, inputs, reference, tool, job.out, gate, job.cores)
    report = ship_runners(ran, report, job.out, context)
    write_text(job.out / PROVENANCE_FILE, provenance(report, _request(job), context.ran).to_json())
    write_report(report, curves, job.out)
    context.store.prune()
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


def _say_facts(job: Job, model: ExportedModel, progress: Progress) -> None:
    progress.say(f"{model.name}: {model.macs / 1e6:.1f} MMACs; ONNX equals PyTorch to {model.parity:.1e}")
    if int8_saturates(describe_host()) and any(variant.precision is Precision.INT8 for variant in job.variants):
        progress.warn(_SATURATES)


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


def _write_evidence(quantized: QdqModel | ToolError, out: Path) -> None:
    """What quantizing did, where it went well."""
    if isinstance(quantized, QdqModel):
        evidence = {"preparation": asdict(quantized.preparation), "quantization": asdict(quantized.report)}
        write_text(out / "quantization.json", json.dumps(evidence, indent=2) + "\n")
