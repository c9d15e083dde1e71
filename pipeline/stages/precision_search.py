"""The search for the fastest precisions, kept for this host, these versions and these inputs."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.pipeline.precision_search.search import Search, SearchOutcome
from ghostface_edge.pipeline.precision_search.setup import SearchSetup
from ghostface_edge.pipeline.quantize.held_out import hold_out
from ghostface_edge.pipeline.quantize.options import LatencyOptions
from ghostface_edge.pipeline.stages.artifacts import Artifact, artifact_path, read_artifact, write_seconds
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.convert import Convert
from ghostface_edge.pipeline.stages.quantize import QdqModel, Quantize
from ghostface_edge.pipeline.support.host import describe_host
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import VariantId, load_target

_FOUND = "outcome.json"


@dataclass(frozen=True, slots=True)
class Found:
    """The fastest artifact and how it was found."""

    artifact: Artifact
    outcome: SearchOutcome


@dataclass(frozen=True, slots=True)
class PrecisionSearch:
    """The stage."""

    name: ClassVar[str] = "precision-search"
    model: QdqModel
    fp32: Artifact
    """Of the runtime to search for."""
    calibration: CalibrationSet
    """Faces that the model was quantized with."""
    options: LatencyOptions
    seed: int
    """That the model was quantized with; it decides which faces were held out."""
    threads: int
    """To time with."""
    beside_other_work: bool
    """See `StageContext`."""

    def inputs(self) -> dict[str, object]:
        return {
            "runtime": self.fp32.runtime,
            "model": self.model.sha256,
            "prepared": file_sha256(self.model.prepared),
            "fp32": self.fp32.sha256,
            "calibration": self.calibration.sha256,
            "options": self.options.model_dump(mode="json"),
            "seed": self.seed,
            "threads": self.threads,
            "beside_other_work": self.beside_other_work,
            "host": describe_host().model_dump(mode="json"),
            "versions": versions([*load_target(self.fp32.runtime).packages, "numpy"]),
        }

    def build(self, folder: Path, context: StageContext) -> None:
        started = time.monotonic()
        with context.store.scratch() as candidates:
            setup = SearchSetup(
                runtime=self.fp32.runtime,
                prepared=self.model.prepared,
                model=self.model.path,
                fp32=self.fp32.path,
                fp32_bytes=self.fp32.size_bytes,
                faces=hold_out(self.calibration.load(), seed=self.seed)[1],
                options=self.options,
                threads=self.threads,
                folder=candidates,
                logs=context.logs,
                progress=context.progress,
                limit=context.limits.precision_search,
            )
            outcome, artifact = Search(setup).run()
            for file in load_target(self.fp32.runtime).files(artifact):
                shutil.copyfile(file, artifact_path(self.fp32.runtime, folder).with_suffix(file.suffix))
        write_value(folder / _FOUND, outcome)
        write_seconds(folder, time.monotonic() - started)

    def read(self, folder: Path) -> Found:
        return Found(read_artifact(self.fp32.runtime, folder), read_value(folder / _FOUND, SearchOutcome))


def search_precisions(
    context: StageContext, variant: VariantId, model: QdqModel, quantize: Quantize, threads: int
) -> Found | None:
    """Let the clock decide which layers compute in float, if the recipe asks for that.

    Returns:
        None where it does not, for a target that computes in integers only, and where the search failed; the latter
        two with a line to the user.
    """
    options, title = quantize.recipe.latency, str(variant)
    if options is None:
        return None
    if load_target(variant.runtime).float_fallback is None:
        context.progress.say(f"{title}: integers only, nothing to choose")
        return None
    fp32 = context.run(Convert(VariantId(variant.runtime, Precision.FP32), quantize.model, quantize.calibration))
    try:
        found = context.run(
            PrecisionSearch(
                model, fp32, quantize.calibration, options, quantize.seed, threads, context.beside_other_work
            )
        )
    except ToolError as error:
        context.progress.say(f"{title}: no search for the fastest precisions, INT8 throughout: {error}")
        return None
    context.progress.say(f"{title}: {found.outcome.note}")
    return found
