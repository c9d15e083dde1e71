"""The main job: checkpoint in; models, figures, report and verdict out."""

import datetime
import functools
import json
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ghostface_edge.calibration.faces import CalibrationSet, sample, scan_folder
from ghostface_edge.calibration.leaks import LeakReport, find_leaks, refuse_leaks
from ghostface_edge.calibration.lfw_errata import PHOTOGRAPHS_UNDER_TWO_NAMES
from ghostface_edge.calibration.pairs_source import PairsSource, open_pairs
from ghostface_edge.calibration.quality import assess
from ghostface_edge.calibration.sampling import SamplingMethod
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.artifacts import Artifact, Carrier, ExportedModel, artifact_of
from ghostface_edge.pipeline.assemble import Attempt, Inputs, Judge, Reference, assemble
from ghostface_edge.pipeline.build import Workshop
from ghostface_edge.pipeline.decoded import DecodedFaces
from ghostface_edge.pipeline.diagnose import separation_warning
from ghostface_edge.pipeline.progress import Narrator
from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.pipeline.speed.stage import lower_fastest
from ghostface_edge.pipeline.store import Store
from ghostface_edge.reports.errors import ExitCode, InputError, ParityError, RuntimeMissingError, ToolError
from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.reports.gate import EXIT_CODES
from ghostface_edge.reports.metrics import cosine_scores, normalized, verification_accuracy
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.report import Report, Status, Tool
from ghostface_edge.reports.write import write_report, write_text
from ghostface_edge.targets.protocol import Embeddings, InputType, Precision
from ghostface_edge.targets.table import VariantId, load_target, versions

MIN_FP32_COSINE = 0.9999
_POOL = 10_000
_PACKAGES = ("torch", "onnx", "onnxruntime", "openvino", "nncf", "ai-edge-litert", "ai-edge-quantizer", "numpy")


@dataclass(frozen=True, slots=True)
class Job:
    """What a user asks for."""

    checkpoint: Path
    pairs: tuple[PairsSource, ...]
    """The first decides the main figures."""
    calibration: Path
    variants: tuple[VariantId, ...]
    out: Path
    recipe: Recipe
    policy: Policy
    baseline: Report | None = None
    allowed_leaks: tuple[str, ...] = ()
    """Calibration identities that may be in the pairs."""
    strangers: bool = False
    """Whether calibration faces and pairs share nobody by construction, as rendered people do; two of them that look
    alike to the network are no leak then."""
    input_type: InputType = InputType.INT8
    """What INT8 artifacts take where the runtime has a choice."""
    seed: int = 0
    calibration_faces: int = 2000
    sampling: SamplingMethod = SamplingMethod.PER_IDENTITY
    latency_threads: int = 1
    cores: int = 1
    """For embedding and alignment."""


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
    inputs = _read_inputs(job, store, narrator)
    _make_writable(job.out)
    shop = Workshop(store, job.out / "logs", narrator, job.cores)
    model = shop.export(job.checkpoint, inputs.calibration)
    if job.sampling is SamplingMethod.DIVERSE:
        inputs = replace(inputs, calibration=_most_diverse(job, inputs.calibration, model, shop))
    _look_at(inputs.calibration, job.out, shop)
    narrator.say(f"{model.name}: {model.macs / 1e6:.1f} MMACs; ONNX equals PyTorch to {model.parity:.1e}")
    attempts = [Attempt(variant) for variant in job.variants]
    with ExitStack() as stack:
        faces = {pairs.name: stack.enter_context(DecodedFaces.of_pairs(pairs)) for pairs in inputs.sets}
        reference = _reference(model, inputs, faces, shop, strangers=job.strangers)
        refuse_leaks(reference.leaks, job.allowed_leaks)
        carrier = _carrier(job, shop, model, inputs.calibration)
        for attempt in attempts:
            _build(attempt, job, shop, model, carrier, inputs.calibration, faces, reference)
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
        judge = Judge(job.policy, job.baseline, job.allowed_leaks)
        report, curves = assemble(attempts, inputs, reference, tool, job.out, judge)
    write_report(report, curves, job.out)
    store.prune()
    return report, _exit_code(report)


def _read_inputs(job: Job, store: Store, narrator: Narrator) -> Inputs:
    """Read pairs and calibration faces; what a user can get wrong is found here, before any work."""
    if not job.checkpoint.is_file():
        raise InputError(f"{job.checkpoint}: no such checkpoint file", fix="give the path of a trained GhostFaceNet")
    ours = [one for one in job.variants if one.precision is Precision.INT8 and not one.is_stock]
    if job.input_type is not InputType.INT8 and not any(
        job.input_type in load_target(one.runtime).input_types[1:] for one in ours
    ):
        raise InputError(f"no variant has a choice of input, such as {job.input_type}", fix="add tflite-int8")
    sets: list[VerificationSet] = []
    for source in job.pairs:
        with narrator.stage(f"read {source.path}") as advance:
            done = Counter[str]()

            def progress(so_far: int, _total: int, done: Counter[str] = done) -> None:
                advance(so_far - done["photographs"])
                done["photographs"] = so_far

            sets.append(open_pairs(source, store.root / "aligned", job.cores, progress).pairs)
    twice = [name for name, count in Counter(pairs.name for pairs in sets).items() if count > 1]
    if twice:
        raise InputError(f"two sets of pairs are called '{twice[0]}'", fix="rename one of the files")
    return Inputs(job.checkpoint, tuple(sets), _sample(job))


def _sample(job: Job) -> CalibrationSet:
    """The calibration faces, or for diverse sampling the pool that they are chosen from."""
    files, exclude = scan_folder(job.calibration), PHOTOGRAPHS_UNDER_TWO_NAMES
    if job.sampling is SamplingMethod.DIVERSE:
        return sample(files, _POOL, job.seed, exclude=exclude)
    return sample(files, job.calibration_faces, job.seed, method=job.sampling, exclude=exclude)


def _most_diverse(job: Job, pool: CalibrationSet, model: ExportedModel, shop: Workshop) -> CalibrationSet:
    with DecodedFaces.of_calibration(pool) as faces:
        embeddings = shop.embed(artifact_of("onnxruntime", model.path), faces, "reference on the calibration pool")
    method = SamplingMethod.DIVERSE
    return sample(pool.files, job.calibration_faces, job.seed, method=method, embeddings=embeddings)


def _look_at(calibration: CalibrationSet, out: Path, shop: Workshop) -> None:
    """Write down which faces were chosen, and say if many of them are poor."""
    write_text(out / "models" / "calibration.sha256", calibration.listing)
    flags = shop.remember(
        "quality",
        {"calibration": calibration.sha256},
        lambda: Counter(flag for face in calibration.load() for flag in assess(face)),
    )
    if flags:
        counts = ", ".join(f"{count} {flag}" for flag, count in flags.most_common())
        shop.narrator.say(f"calibration faces of low quality: {counts} of {len(calibration.files)}")


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
    checked = tuple(kind for kind in found[0].checked if all(kind in one.checked for one in found))
    return Reference(model, embeddings, LeakReport(checked, tuple(leak for one in found for leak in one.leaks)))


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


def _build(
    attempt: Attempt,
    job: Job,
    shop: Workshop,
    model: ExportedModel,
    carrier: Carrier | ToolError | None,
    calibration: CalibrationSet,
    faces: Mapping[str, DecodedFaces],
    reference: Reference,
) -> None:
    """Convert, and embed every face of the pairs; what goes wrong is this variant's verdict."""
    label = str(attempt.id)
    try:
        load_target(attempt.id.runtime).require()
        if attempt.id.precision is not Precision.INT8 or attempt.id.is_stock:
            attempt.artifact = shop.convert(attempt.id, model.path, calibration)
        elif isinstance(carrier, Carrier):
            attempt.artifact = _lower(attempt, job, shop, model, carrier, calibration)
        else:
            raise carrier or ToolError("there is no quantized model", fix="see the logs")
        attempt.info = shop.inspect(attempt.artifact, label)
        if attempt.id.is_firmware:
            attempt.firmware = shop.firmware(attempt.artifact, model.name, label)
        for name, each in faces.items():
            attempt.embeddings[name] = shop.embed(attempt.artifact, each, label)
            _check_sanity(attempt.embeddings[name])
            if attempt.id.precision is Precision.FP32:
                _check_parity(attempt.embeddings[name], reference.embeddings[name])
    except (ToolError, RuntimeMissingError) as error:
        attempt.fail(error)
        shop.narrator.say(f"{label}: {attempt.status}: {error}")


def _lower(
    attempt: Attempt, job: Job, shop: Workshop, model: ExportedModel, carrier: Carrier, calibration: CalibrationSet
) -> Artifact:
    """Make the INT8 artifact, with layers in float where the recipe lets the clock decide."""
    attempt.quantization = carrier.suited_to(load_target(attempt.id.runtime)).report
    found = None
    if job.recipe.latency is not None:
        chosen, seed, threads = job.recipe.latency, job.seed, job.latency_threads
        found = lower_fastest(shop, attempt.id, carrier, model.path, calibration, chosen, seed=seed, threads=threads)
    if found is None:
        return shop.lower(attempt.id, carrier, job.input_type)
    artifact, attempt.fastest = found
    tensors = attempt.quantization.higher_precision + attempt.fastest.float_tensors
    attempt.quantization = replace(attempt.quantization, higher_precision=tensors)
    return artifact


def _check_sanity(embeddings: Embeddings) -> None:
    useless = np.count_nonzero(~np.isfinite(embeddings).all(axis=1) | ~embeddings.any(axis=1))
    if useless:
        raise ToolError(
            f"{useless} of {len(embeddings)} embeddings are zero or not finite",
            fix="the converted model is broken; compare its operators with `ghostface-edge inspect`",
        )


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
    for attempt, artifact in built:
        attempt.fp32_bytes = artifacts[str(fp32)].size_bytes
        attempt.take_timing(timings[str(attempt.id)], timings[str(fp32)])
        if attempt.status is Status.OK and attempt.id.precision is not Precision.FP16:
            _profile(attempt, artifact, shop, threads)


def _profile(attempt: Attempt, artifact: Artifact, shop: Workshop, threads: int) -> None:
    """Say where the time goes; a profiler that fails costs the variant nothing but this."""
    try:
        rows = shop.profile(artifact, str(attempt.id), threads)
    except ToolError as error:
        shop.narrator.say(f"{attempt.id}: no profile: {error}")
        return
    attempt.profile = tuple(ProfileRow.model_validate(row) for row in rows)


def _exit_code(report: Report) -> ExitCode:
    if any(variant.status is Status.FAILED for variant in report.variants):
        return ExitCode.TOOL_FAILED
    return EXIT_CODES[report.gate.verdict]
