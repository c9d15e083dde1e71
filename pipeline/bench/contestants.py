"""The artifacts that are timed against each other, for one network and one runtime.

In: a `BenchModel`. Out: files. Quantization is the quickest there is, smallest and largest value of a few random
faces: time does not depend on the numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ghostface_edge.pipeline.bench.floors import Floor, write_floor
from ghostface_edge.pipeline.bench.models import BenchModel
from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.graph.export import export_onnx
from ghostface_edge.pipeline.prepare.slopes import InvertLargeSlopes
from ghostface_edge.pipeline.quantize.options import CorrectionOptions, RangeMethod, RangeOptions, Recipe
from ghostface_edge.pipeline.quantize.recipe import quantize
from ghostface_edge.targets.face_like import face_like
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Faces, Precision
from ghostface_edge.targets.table import load_target

FACES = 40
_RECIPE = Recipe(
    name="bench",
    ranges=RangeOptions(method=RangeMethod.MIN_MAX, faces=16),
    correction=CorrectionOptions(biases=False),
    sensitivity_faces=0,
)


@dataclass(frozen=True, slots=True)
class Sources:
    """ONNX files of one network."""

    exported: Path
    """The stock export: PRelu as it is, no rewrite."""
    qdq: Path
    floors: Mapping[Floor, tuple[Path, Path]]
    """Float and QDQ model of each."""
    faces: Faces
    """What they were calibrated on."""


def write_sources(model: BenchModel, folder: Path) -> Sources:
    """Export a network, and quantize it and its floors."""
    faces = face_like(FACES, model.architecture.image_size)
    exported = folder / "exported.onnx"
    export_onnx(model.load(), exported, faces=faces[:2])
    floors = {}
    for floor in Floor:
        cheaper = folder / f"{floor}.onnx"
        write_floor(exported, floor, cheaper)
        floors[floor] = cheaper, quantize_quickly(cheaper, faces, folder)
    return Sources(exported, quantize_quickly(exported, faces, folder), floors, faces)


def quantize_quickly(model: Path, faces: Faces, folder: Path) -> Path:
    """Quantize an exported network as fast as it goes; returns the QDQ model, which lies in `folder`."""
    prepared, qdq = folder / f"{model.stem}.prepared.onnx", folder / f"{model.stem}.model.qdq.onnx"
    network = graph_model.load(model)
    InvertLargeSlopes()(network)
    graph_model.save(network, prepared)
    quantize(prepared, faces, _RECIPE, qdq, seed=0, progress=lambda _step, _share: None)
    return qdq


def write_contestants(sources: Sources, runtime: str, folder: Path) -> dict[str, Path]:
    """Artifacts of one runtime by label: stock and ours, float and INT8, and ours of the floors.

    Raises:
        ToolError: the runtime failed; RuntimeMissingError: it is not installed.
    """
    target = load_target(runtime)
    target.require()
    made: dict[str, Path] = {}

    def path(label: str) -> Path:
        made[label] = folder / f"{runtime}-{label}{target.extension}"
        return made[label]

    with LOCAL.open(RuntimeWorker, runtime, log=folder / f"{runtime}.log") as worker:
        worker.convert(sources.exported, Precision.FP32, path("fp32"))
        worker.lower_quantized(sources.qdq, path("int8"))
        worker.quantize_stock(sources.exported, sources.faces, path("int8-stock"))
        for floor, (real, qdq) in sources.floors.items():
            worker.convert(real, Precision.FP32, path(f"fp32-{floor}"))
            worker.lower_quantized(qdq, path(f"int8-{floor}"))
    return made
