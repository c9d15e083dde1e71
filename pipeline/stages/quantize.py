"""Float32 ONNX to a QDQ model, prepared and quantized once for all targets."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.pipeline.prepare.report import PreparationReport
from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.pipeline.quantize.report import FULL_INTEGER, QuantizationReport
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.export import EXPORT_PACKAGES
from ghostface_edge.pipeline.support.host import describe_host
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.targets.places.far_side import tell
from ghostface_edge.targets.protocol import Faces, Target
from ghostface_edge.targets.requirements import require_modules, versions

_PREPARED, _MODEL, _REPORT = "prepared.onnx", "model.qdq.onnx", "report.json"


@dataclass(frozen=True, slots=True)
class QuantizationEvidence:
    """What preparing and quantizing did."""

    preparation: PreparationReport
    quantization: QuantizationReport


@dataclass(frozen=True, slots=True)
class QdqModel:
    """A quantized ONNX model that every target lowers, and how it came about."""

    path: Path
    sha256: str
    report: QuantizationReport
    preparation: PreparationReport

    @property
    def prepared(self) -> Path:
        """The float32 ONNX that was quantized."""
        return self.path.with_name(_PREPARED)

    def suited_to(self, target: Target) -> "QdqModel":
        """The full-integer form, if that is all a target takes and this one keeps tensors in higher precision."""
        if target.float_fallback is not None or self.report.full_integer is None:
            return self
        path = self.path.with_name(FULL_INTEGER)
        return QdqModel(path, file_sha256(path), self.report.full_integer, self.preparation)


@dataclass(frozen=True, slots=True)
class Quantize:
    """The stage."""

    name: ClassVar[str] = "quantize"
    model: Path
    """Float32 ONNX."""
    calibration: CalibrationSet
    recipe: Recipe
    seed: int

    def inputs(self) -> dict[str, object]:
        return {
            "model": file_sha256(self.model),
            "calibration": self.calibration.sha256,
            "recipe": self.recipe.of_the_model,
            "seed": self.seed,
            "device": _training_device() if self.recipe.distillation is not None else None,
            "versions": versions(EXPORT_PACKAGES),
        }

    def build(self, folder: Path, context: StageContext) -> None:
        with (
            context.progress.steps(f"quantize ({self.recipe.name})") as steps,
            context.open(Quantizer, label="quantize", limit=context.limits.quantize, on_told=steps) as quantizer,
        ):
            evidence = quantizer.quantize(self.model, self.calibration.load(), self.recipe, self.seed, folder)
        write_value(folder / _REPORT, evidence)

    def read(self, folder: Path) -> QdqModel:
        evidence = read_value(folder / _REPORT, QuantizationEvidence)
        path, report = folder / _MODEL, _named(evidence.quantization, self.recipe.name)
        return QdqModel(path, file_sha256(path), report, evidence.preparation)


class Quantizer:
    """What runs in the quantization's own process."""

    def __init__(self) -> None:
        require_modules("torch", "torch")

    def quantize(self, model: Path, faces: Faces, recipe: Recipe, seed: int, folder: Path) -> QuantizationEvidence:
        """Write `prepared.onnx` and the QDQ model.

        Args:
            model: float32 ONNX.
            faces: RGB uint8 (N, S, S, 3), calibration.
            recipe: how.
            seed: of everything that chance decides.
            folder: where to write.

        Raises:
            InputError: the model or the faces cannot be used.
        """
        from ghostface_edge.pipeline.prepare.prepare import prepare
        from ghostface_edge.pipeline.quantize.recipe import quantize

        prepared = folder / _PREPARED
        preparation = prepare(model, faces, prepared, seed=seed, progress=tell)
        report = quantize(prepared, faces, recipe, folder / _MODEL, seed=seed, progress=tell)
        return QuantizationEvidence(preparation, report)


def _named(report: QuantizationReport, recipe: str) -> QuantizationReport:
    """By the recipe that asks, which may be another of the same effect than the one that was run."""
    whole = report.full_integer
    return replace(report, recipe=recipe, full_integer=None if whole is None else replace(whole, recipe=recipe))


def _training_device() -> str:
    """The name of the GPU that distillation will find, else of the CPU: their sums differ in the last bits."""
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else describe_host().cpu
