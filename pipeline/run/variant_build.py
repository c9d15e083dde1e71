"""One variant from carrier or export to embeddings, latency and profile; the first error ends it, and only it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.pipeline.precision_search.search import Fastest
from ghostface_edge.pipeline.quantize.report import QuantizationReport
from ghostface_edge.pipeline.run.job import Job, Reference
from ghostface_edge.pipeline.stages.artifacts import Artifact, Carrier, ExportedModel
from ghostface_edge.pipeline.stages.build import Workshop
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.firmware import FirmwareSet
from ghostface_edge.pipeline.stages.latency import Timing
from ghostface_edge.pipeline.stages.precision_search import lower_fastest
from ghostface_edge.reports.errors import GhostfaceEdgeError, ParityError, RuntimeMissingError, ToolError
from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.reports.metrics import normalized
from ghostface_edge.reports.variant import Status
from ghostface_edge.targets.protocol import ArtifactInfo, Embeddings, Precision
from ghostface_edge.targets.table import VariantId, load_target

MIN_FP32_COSINE = 0.9999


@dataclass(slots=True)
class Attempt:
    """One variant on its way; the first error ends it."""

    id: VariantId
    quantization: QuantizationReport | None = None
    """Where our own quantization made it."""
    fastest: Fastest | None = None
    """Where the clock decided which layers are INT8."""
    artifact: Artifact | None = None
    info: ArtifactInfo | None = None
    embeddings: dict[str, Embeddings] = field(default_factory=dict)
    """By name of the verification set."""
    timing: Timing | None = None
    fp32_bytes: int | None = None
    """Size of the FP32 artifact of the same runtime."""
    baseline: Timing | None = None
    """Of the FP32 of the same runtime, taken in the same turns."""
    profile: tuple[ProfileRow, ...] = ()
    firmware: FirmwareSet | None = None
    status: Status = Status.OK
    error: str | None = None

    @property
    def method(self) -> str:
        """How the artifact came about."""
        if self.fastest is not None:
            return "fast"
        if self.quantization is not None:
            return self.quantization.method
        return self.id.suffix or ("convert" if self.id.precision is not Precision.INT8 else "quantize")

    def fail(self, error: GhostfaceEdgeError) -> None:
        """End the attempt; a runtime that is not installed is skipped, everything else failed."""
        skipped = isinstance(error, RuntimeMissingError)
        self.status = Status.SKIPPED if skipped else Status.FAILED
        self.error = str(error)

    def take_timing(self, timing: Timing | ToolError, baseline: Timing | ToolError) -> None:
        """Keep what the stop-watch said, or fail as it did."""
        if isinstance(timing, ToolError):
            self.fail(timing)
        elif isinstance(baseline, ToolError):
            self.fail(ToolError(f"the FP32 to compare its speed with failed: {baseline}", fix="see the logs"))
        else:
            self.timing, self.baseline = timing, baseline


def build(
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


def time_runtime(
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
