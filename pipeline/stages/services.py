"""What runs in the places that export and quantize; `targets.places.worker` is the same for runtimes."""

from pathlib import Path
from typing import Any

from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
from ghostface_edge.pipeline.prepare.prepare import PreparationReport
from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.pipeline.quantize.report import QuantizationReport
from ghostface_edge.targets.places.far_side import tell
from ghostface_edge.targets.protocol import Faces


class Exporter:
    """Far side of the export's child process."""

    def export(self, checkpoint: Path, model: Path, faces: Faces, batch: int | None) -> dict[str, Any]:
        """Write the ONNX file and say what it is: the fields of `ExportedModel` but for the file's own."""
        from ghostface_edge.pipeline.graph.export import export_onnx
        from ghostface_edge.pipeline.network.checkpoint import network_of
        from ghostface_edge.pipeline.network.ghostfacenet import count_parameters
        from ghostface_edge.targets import onnx_graph

        loaded = load_checkpoint(checkpoint)
        plan = loaded.architecture
        parity = export_onnx(loaded, model, faces=faces, batch=batch)
        return {
            "name": plan.name,
            "version": plan.version,
            "width": plan.width,
            "stride": plan.stride,
            "activation": str(plan.activation),
            "embedding_size": plan.embedding_size,
            "parameters": count_parameters(network_of(loaded)),
            "macs": sum(onnx_graph.macs_by_precision(onnx_graph.load(model)).values()),
            "preprocessing": str(loaded.preprocessing),
            "parity": parity,
        }


class Quantizer:
    """Far side of the quantization's child process."""

    def quantize(
        self, model: Path, faces: Faces, recipe: Recipe, seed: int, folder: Path
    ) -> tuple[PreparationReport, QuantizationReport]:
        """Write `prepared.onnx` and `carrier.onnx`."""
        from ghostface_edge.pipeline.prepare.prepare import prepare
        from ghostface_edge.pipeline.quantize.recipe import quantize

        prepared, carrier = folder / "prepared.onnx", folder / "carrier.onnx"
        preparation = prepare(model, faces, prepared, seed=seed, progress=tell)
        return preparation, quantize(prepared, faces, recipe, carrier, seed=seed, progress=tell)
