"""A QDQ model to a variant's INT8 artifact, all in INT8 or with the layers in float that the clock chose."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from ghostface_edge.pipeline.precision_search.search import SearchOutcome
from ghostface_edge.pipeline.quantize.report import QuantizationReport
from ghostface_edge.pipeline.stages.artifacts import Artifact, artifact_path, read_artifact, write_seconds
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.precision_search import search_precisions
from ghostface_edge.pipeline.stages.quantize import QdqModel, Quantize
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import VariantId, load_target


@dataclass(frozen=True, slots=True)
class Lowered:
    """An INT8 artifact and how it came about."""

    artifact: Artifact
    quantization: QuantizationReport
    search: SearchOutcome | None = None
    """Where the clock decided which layers are INT8."""


@dataclass(frozen=True, slots=True)
class Lower:
    """The stage: all in INT8, with the input asked for where the runtime has a choice."""

    name: ClassVar[str] = "lower"
    variant: VariantId
    model: QdqModel
    """In the form that suits the target."""
    input_type: InputType

    def inputs(self) -> dict[str, object]:
        return {
            "variant": str(self.variant),
            "model": self.model.sha256,
            "input": self._input_type,
            "versions": versions(load_target(self.variant.runtime).packages),
        }

    def build(self, folder: Path, context: StageContext) -> None:
        with (
            context.open(
                RuntimeWorker, self.variant.runtime, label=str(self.variant), limit=context.limits.lower
            ) as worker,
            context.progress.stage(f"{self.variant}: lower"),
        ):
            artifact = artifact_path(self.variant.runtime, folder)
            write_seconds(folder, worker.lower_quantized(self.model.path, artifact, self._input_type))

    def read(self, folder: Path) -> Artifact:
        return read_artifact(self.variant.runtime, folder)

    @property
    def _input_type(self) -> InputType:
        known = load_target(self.variant.runtime).input_types
        return self.input_type if self.input_type in known else known[0]


def lower(
    context: StageContext,
    variant: VariantId,
    model: QdqModel,
    quantize: Quantize,
    *,
    input_type: InputType = InputType.INT8,
    threads: int = 1,
) -> Lowered:
    """Make a variant of our own quantization.

    Args:
        context: what stages share.
        variant: what to make, of INT8.
        model: what `quantize` gave.
        quantize: whose recipe says whether the clock decides.
        input_type: what the artifact shall take, where the runtime has a choice and all is INT8.
        threads: to time with.

    Raises:
        ToolError: the runtime failed.
    """
    suited = model.suited_to(load_target(variant.runtime))
    found = search_precisions(context, variant, model, quantize, threads)
    if found is None:
        return Lowered(context.run(Lower(variant, suited, input_type)), suited.report)
    tensors = suited.report.higher_precision + found.outcome.float_tensors
    return Lowered(found.artifact, replace(suited.report, higher_precision=tensors), found.outcome)
