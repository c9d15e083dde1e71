"""ONNX to a variant's artifact, by the runtime's own converter or its own quantizer."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.pipeline.stages.artifacts import Artifact, artifact_path, read_artifact, write_seconds
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.table import VariantId, load_target

STOCK_FACES = 300


@dataclass(frozen=True, slots=True)
class Convert:
    """The stage: FP32 and FP16 by conversion, INT8 by the stock quantizer."""

    name: ClassVar[str] = "convert"
    variant: VariantId
    model: Path
    """Float32 ONNX."""
    calibration: CalibrationSet

    def inputs(self) -> dict[str, object]:
        needs_faces = self.variant.precision is Precision.INT8
        return {
            "variant": str(self.variant),
            "model": file_sha256(self.model),
            "calibration": self.calibration.sha256 if needs_faces else None,
            "versions": versions(load_target(self.variant.runtime).packages),
        }

    def build(self, folder: Path, context: StageContext) -> None:
        artifact = artifact_path(self.variant.runtime, folder)
        with (
            context.open(
                RuntimeWorker, self.variant.runtime, label=str(self.variant), limit=context.limits.convert
            ) as worker,
            context.progress.stage(f"{self.variant}: convert"),
        ):
            if self.variant.precision is Precision.INT8:
                faces = self.calibration.load()[:STOCK_FACES]
                seconds = worker.quantize_stock(self.model, faces, artifact)
            else:
                seconds = worker.convert(self.model, self.variant.precision, artifact)
        write_seconds(folder, seconds)

    def read(self, folder: Path) -> Artifact:
        return read_artifact(self.variant.runtime, folder)
