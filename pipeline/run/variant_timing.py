"""Latency and profile of built variants, each runtime's in turns with the FP32 that it is compared with."""

from collections.abc import Sequence
from dataclasses import dataclass

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.pipeline.run.variant_build import Built, Failed, failure
from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.convert import Convert
from ghostface_edge.pipeline.stages.export import ExportedModel
from ghostface_edge.pipeline.stages.latency import TimeInTurns, Timing
from ghostface_edge.pipeline.stages.profile import Profile
from ghostface_edge.reports.errors import GhostfaceEdgeError, ToolError
from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.table import VariantId, fp32_of


@dataclass(frozen=True, slots=True)
class Measured:
    """A variant with all its figures."""

    built: Built
    timing: Timing
    baseline: Timing
    """Of the FP32 of the same runtime (TFLite's where it has none), taken in the same turns."""
    fp32_bytes: int
    """Size of that FP32's artifact."""
    profile: tuple[ProfileRow, ...]


def time_variants(
    variants: Sequence[Built | Failed],
    model: ExportedModel,
    calibration: CalibrationSet,
    threads: int,
    context: StageContext,
) -> list[Measured | Failed]:
    """Time every built variant, runtime by runtime, in turns with its FP32, which is made if nobody asked for it.

    Args:
        variants: in the order of the report, which the result keeps.
        model: float32 ONNX.
        calibration: that the variants were made with.
        threads: of one inference.
        context: what stages share.
    """
    measured: dict[VariantId, Measured | Failed] = {}
    for runtime in dict.fromkeys(variant.id.runtime for variant in variants):
        built = [one for one in variants if isinstance(one, Built) and one.id.runtime == runtime]
        if built:
            fp32 = Convert(fp32_of(runtime), model.path, calibration)
            measured |= _time_runtime(built, fp32, threads, context)
    return [measured[one.id] if isinstance(one, Built) else one for one in variants]


def _time_runtime(
    variants: Sequence[Built], convert: Convert, threads: int, context: StageContext
) -> dict[VariantId, Measured | Failed]:
    name = str(convert.variant)
    try:
        fp32 = context.run(convert)
        artifacts = {name: fp32} | {str(one.id): one.artifact for one in variants}
        timings = context.run(TimeInTurns(artifacts, threads, context.beside_other_work))
    except GhostfaceEdgeError as error:
        return {one.id: failure(one.id, one.method, error) for one in variants}
    return {one.id: _measure(one, timings[str(one.id)], timings[name], fp32, threads, context) for one in variants}


def _measure(
    variant: Built,
    timing: Timing | ToolError,
    baseline: Timing | ToolError,
    fp32: Artifact,
    threads: int,
    context: StageContext,
) -> Measured | Failed:
    if isinstance(timing, ToolError):
        return failure(variant.id, variant.method, timing)
    if isinstance(baseline, ToolError):
        error = ToolError(f"the FP32 to compare its speed with failed: {baseline}", fix="see the logs")
        return failure(variant.id, variant.method, error)
    profile = () if variant.id.precision is Precision.FP16 else _profile(variant, threads, context)
    return Measured(variant, timing, baseline, fp32.size_bytes, profile)


def _profile(variant: Built, threads: int, context: StageContext) -> tuple[ProfileRow, ...]:
    """Where the time goes; a profiler that fails costs the variant nothing but this."""
    try:
        return context.run(Profile(variant.artifact, threads, str(variant.id)))
    except GhostfaceEdgeError as error:
        context.progress.say(f"{variant.id}: no profile: {error}")
        return ()
