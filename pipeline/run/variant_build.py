"""One variant from the QDQ model or the export to embeddings; what goes wrong is its verdict, and only its."""

from collections.abc import Mapping
from dataclasses import dataclass

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.pipeline.precision_search.search import SearchOutcome
from ghostface_edge.pipeline.quantize.report import QuantizationReport
from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.convert import Convert
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.embed import Embed, require_useful
from ghostface_edge.pipeline.stages.export import ExportedModel
from ghostface_edge.pipeline.stages.firmware import FirmwareSet, make_firmware
from ghostface_edge.pipeline.stages.inspection import Inspect
from ghostface_edge.pipeline.stages.lower import Lowered, lower
from ghostface_edge.pipeline.stages.quantize import QdqModel, Quantize
from ghostface_edge.reports.errors import GhostfaceEdgeError, ParityError, RuntimeMissingError, ToolError
from ghostface_edge.reports.metrics import cosines
from ghostface_edge.reports.variant import Status
from ghostface_edge.targets.protocol import ArtifactInfo, Embeddings, InputType, Precision
from ghostface_edge.targets.table import VariantId, load_target

MIN_FP32_COSINE = 0.9999


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What variants are made of and compared with."""

    model: ExportedModel
    calibration: CalibrationSet
    quantize: Quantize | None
    """The stage, and what it gave or how it failed; None for what the runtime's own tools make."""
    quantized: QdqModel | ToolError | None
    input_type: InputType
    latency_threads: int
    faces: Mapping[str, DecodedFaces]
    """Of the pairs, by name of the verification set."""
    reference: Mapping[str, Embeddings]
    """FP32, by the same names."""


@dataclass(frozen=True, slots=True)
class Built:
    """A variant that embeds every face of the pairs."""

    id: VariantId
    method: str
    """How the artifact came about."""
    artifact: Artifact
    info: ArtifactInfo
    embeddings: Mapping[str, Embeddings]
    """By name of the verification set."""
    quantization: QuantizationReport | None = None
    """Where our own quantization made it."""
    search: SearchOutcome | None = None
    """Where the clock decided which layers are INT8."""
    firmware: FirmwareSet | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A variant that could not be made, run or timed."""

    id: VariantId
    method: str
    status: Status
    """Skipped where its runtime is not installed."""
    error: str


def failure(variant: VariantId, method: str, error: GhostfaceEdgeError) -> Failed:
    """The verdict on a variant that an error ended."""
    status = Status.SKIPPED if isinstance(error, RuntimeMissingError) else Status.FAILED
    return Failed(variant, method, status, str(error))


def build_variant(variant: VariantId, given: Ingredients, context: StageContext) -> Built | Failed:
    """Convert, and embed every face of the pairs."""
    try:
        load_target(variant.runtime).require()
        return _build(variant, given, context)
    except GhostfaceEdgeError as error:
        failed = failure(variant, planned_method(variant, given.quantized), error)
        context.progress.say(f"{variant}: {failed.status}: {error}")
        return failed


def _build(variant: VariantId, given: Ingredients, context: StageContext) -> Built:
    label = str(variant)
    lowered = _lower(variant, given, context)
    artifact = lowered.artifact if lowered else context.run(Convert(variant, given.model.path, given.calibration))
    info = context.run(Inspect(artifact, label))
    firmware = make_firmware(context, artifact, given.model.name, label) if variant.is_firmware else None
    embeddings = {}
    for name, faces in given.faces.items():
        embeddings[name] = context.run(Embed(artifact, faces, context.threads, label))
        require_useful(embeddings[name], len(faces))
        if variant.precision is Precision.FP32:
            _check_parity(embeddings[name], given.reference[name])
    if lowered is None:
        return Built(variant, planned_method(variant, None), artifact, info, embeddings)
    method = "fast" if lowered.search else lowered.quantization.method
    return Built(variant, method, artifact, info, embeddings, lowered.quantization, lowered.search, firmware)


def _lower(variant: VariantId, given: Ingredients, context: StageContext) -> Lowered | None:
    """What our own quantization makes; None for what the runtime's own tools make."""
    if variant.precision is not Precision.INT8 or variant.is_stock:
        return None
    if isinstance(given.quantized, ToolError):
        raise given.quantized
    assert given.quantized
    assert given.quantize
    return lower(
        context,
        variant,
        given.quantized,
        given.quantize,
        input_type=given.input_type,
        threads=given.latency_threads,
    )


def planned_method(variant: VariantId, quantized: QdqModel | ToolError | None) -> str:
    """How a variant comes about, or would have."""
    if variant.precision is not Precision.INT8 or variant.is_stock:
        return variant.suffix or "convert"
    return quantized.report.method if isinstance(quantized, QdqModel) else "quantize"


def _check_parity(embeddings: Embeddings, reference: Embeddings) -> None:
    cosine = cosines(embeddings, reference).min()
    if not cosine >= MIN_FP32_COSINE:
        raise ParityError(
            f"FP32 embeddings differ from the checkpoint's: lowest cosine {cosine:.6f}, expected {MIN_FP32_COSINE}",
            fix="do not ship this model; report it with the checkpoint's `inspect` output",
        )
