"""The models of a run made again from what it recorded: same checkpoint, faces, options and seed, nothing from a cache.

In: the run's own account of itself, the checkpoint, the calibration faces. Out: the steps that ran, with their files.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from ghostface_edge.calibration.faces import CalibrationFace, CalibrationSet, listing_sha256
from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.pipeline.quantize.report import QuantizationReport
from ghostface_edge.pipeline.release.statement import Request
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.convert import Convert
from ghostface_edge.pipeline.stages.export import Export
from ghostface_edge.pipeline.stages.firmware import make_firmware
from ghostface_edge.pipeline.stages.lower import lower
from ghostface_edge.pipeline.stages.quantize import QdqModel, Quantize
from ghostface_edge.pipeline.support.member_names import problem_of_name
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.record import first_problem
from ghostface_edge.targets.protocol import InputType, Precision
from ghostface_edge.targets.table import VariantId, parse_variants

_FIX = "get the bundle again from where it was made"


@dataclass(frozen=True, slots=True)
class ListedFace:
    """A face that a run has calibrated on."""

    sha256: str
    name: str
    """Path in the folder of faces."""


def listed_faces(listing: bytes) -> tuple[ListedFace, ...]:
    """Read a list of faces, a stranger's, in the format of sha256sum.

    Raises:
        InputError: it is none, or names a file outside the folder.
    """
    try:
        lines = [line.split("  ", 1) for line in listing.decode().splitlines()]
        faces = tuple(ListedFace(sha256, name) for sha256, name in lines)
    except ValueError:
        raise InputError("the bundle's list of calibration faces is damaged", fix=_FIX) from None
    for face in faces:
        if problem := problem_of_name(face.name):
            raise InputError(f"the bundle's list of calibration faces names what it cannot: {problem}", fix=_FIX)
    return faces


def other_face(faces: Sequence[ListedFace], folder: Path) -> str | None:
    """Say which listed face is not in a folder as it was; None if all are."""
    for face in faces:
        path = folder / face.name
        if not path.is_file():
            return f"{face.name} is missing in {folder}"
        if file_sha256(path) != face.sha256:
            return f"{face.name} is another file than it was"
    return None


def calibration_set(faces: Sequence[ListedFace], folder: Path) -> CalibrationSet:
    """The faces of a list, in its order."""
    files = tuple(
        CalibrationFace(folder / face.name, face.name, PurePosixPath(face.name).parts[0], face.sha256) for face in faces
    )
    return CalibrationSet(folder, files, listing_sha256(files))


def rebuild(
    request: Request, variants: Collection[str], checkpoint: Path, calibration: CalibrationSet, context: StageContext
) -> QuantizationReport | None:
    """Make every variant again; what ran stands in `context.ran`. Returns what quantization found, if there was one.

    Args:
        request: what the run was asked for.
        variants: ids of those to make.
        checkpoint: the network.
        calibration: the faces that the run has used.
        context: with a store of its own.

    Raises:
        InputError: the request is none that this release takes.
        RuntimeMissingError: a runtime is not installed.
        ToolError: a step failed.
    """
    try:
        recipe = Recipe.model_validate(request.recipe)
        input_type = InputType(request.input_type)
    except ValidationError as error:
        raise InputError(f"the bundle's recipe cannot be followed: {first_problem(error)}", fix=_FIX) from None
    except ValueError as error:
        raise InputError(f"the bundle's request cannot be followed: {error}", fix=_FIX) from None
    model = context.run(Export(checkpoint, calibration))
    quantize = Quantize(model.path, calibration, recipe, request.seed)
    quantized: QdqModel | None = None
    for variant in parse_variants(one for one in request.variants if one in variants):
        if not _is_ours(variant):
            artifact = context.run(Convert(variant, model.path, calibration))
        else:
            quantized = quantized or context.run(quantize)
            threads = request.latency_threads
            made = lower(context, variant, quantized, quantize, input_type=input_type, threads=threads)
            artifact = made.artifact
        if variant.is_firmware:
            make_firmware(context, artifact, model.name, str(variant))
    return None if quantized is None else quantized.report


def _is_ours(variant: VariantId) -> bool:
    return variant.precision is Precision.INT8 and not variant.is_stock
