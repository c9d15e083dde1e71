"""Checkpoint to float32 ONNX, compared with PyTorch on faces."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.requirements import require_modules, versions

PARITY_FACES = 32
EXPORT_PACKAGES = ("torch", "onnx", "onnx-ir", "onnxruntime", "numpy")
"""Distributions whose versions decide what an ONNX model becomes before it goes to a runtime."""
_MODEL, _FACTS = "model.onnx", "model.json"


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """The checkpoint as float32 ONNX."""

    path: Path
    sha256: str
    name: str
    version: int
    width: float
    stride: int
    activation: str
    embedding_size: int
    parameters: int
    macs: int
    preprocessing: str
    """What the checkpoint declares; the ONNX itself always takes RGB, (x - 127.5) / 128."""
    parity: float
    """Largest absolute difference from PyTorch on real faces."""


@dataclass(frozen=True, slots=True)
class Export:
    """The stage: a checkpoint's ONNX, checked on the first calibration faces."""

    name: ClassVar[str] = "export"
    checkpoint: Path
    calibration: CalibrationSet

    def inputs(self) -> dict[str, object]:
        return {
            "checkpoint": file_sha256(self.checkpoint),
            "faces": self.calibration.sha256,
            "versions": versions(EXPORT_PACKAGES),
        }

    def build(self, folder: Path, context: StageContext) -> None:
        faces = self.calibration.load()[:PARITY_FACES]
        with (
            context.progress.stage("export to ONNX"),
            context.open(Exporter, label="export", limit=context.limits.export) as exporter,
        ):
            model = exporter.export(self.checkpoint, folder / _MODEL, faces, None)
        write_value(folder / _FACTS, model)

    def read(self, folder: Path) -> ExportedModel:
        return replace(read_value(folder / _FACTS, ExportedModel), path=folder / _MODEL)


class Exporter:
    """What runs in the export's own process."""

    def __init__(self) -> None:
        require_modules("torch", "torch")

    def export(self, checkpoint: Path, model: Path, faces: Faces, batch: int | None) -> ExportedModel:
        """Write the ONNX file and say what it is.

        Args:
            checkpoint: of any format.
            model: where to write.
            faces: RGB uint8 (N, S, S, 3), to compare on.
            batch: fixed batch size; None leaves it open.

        Raises:
            InputError: the checkpoint cannot be used.
            ParityError: ONNX and PyTorch differ.
        """
        from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
        from ghostface_edge.pipeline.graph.export import export_onnx
        from ghostface_edge.pipeline.network.checkpoint import network_of
        from ghostface_edge.pipeline.network.ghostfacenet import count_parameters
        from ghostface_edge.targets import onnx_graph

        loaded = load_checkpoint(checkpoint)
        architecture = loaded.architecture
        parity = export_onnx(loaded, model, faces=faces, batch=batch)
        return ExportedModel(
            path=model,
            sha256=file_sha256(model),
            name=architecture.name,
            version=architecture.version,
            width=architecture.width,
            stride=architecture.stride,
            activation=str(architecture.activation),
            embedding_size=architecture.embedding_size,
            parameters=count_parameters(network_of(loaded)),
            macs=sum(onnx_graph.macs_by_precision(onnx_graph.load(model)).values()),
            preprocessing=str(loaded.preprocessing),
            parity=parity,
        )


def export_file(checkpoint: Path, model: Path, faces: Faces, batch: int | None) -> ExportedModel:
    """Export to a file of the user's choice, which appears whole or not at all.

    Args:
        checkpoint: of any format.
        model: where to write.
        faces: RGB uint8 (N, S, S, 3), to compare ONNX and PyTorch on.
        batch: fixed batch size; None leaves it open.

    Raises:
        InputError: the checkpoint cannot be used or the file cannot be written.
        ParityError: ONNX and PyTorch differ.
    """
    with Store().scratch() as folder, LOCAL.open(Exporter, log=folder / "export.log") as exporter:
        exported = exporter.export(checkpoint, folder / _MODEL, faces, batch)
        with replacing(model) as partial:
            shutil.copyfile(exported.path, partial)
    return replace(exported, path=model)
