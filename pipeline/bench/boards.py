"""Do old boards give the same embeddings? `python -m ghostface_edge.pipeline.bench.boards OUT`.

    ... OUT [CHECKPOINT PAIRS.bin CALIBRATION]

tflite-runtime 2.14 runs in the environment that `ghostface-edge targets install tflite-runtime` makes. Every form of
`.tflite` that this project writes runs there and in LiteRT, in integers once with both runtimes' reference kernels,
which must give the same bytes, and once with both runtimes' fast ones, which round differently. The INT8 file also
embeds all faces of the pairs. Without a checkpoint: the embedded network on rendered people. Prints tables, writes
OUT/boards.json, exits with 1 where a file does not load or embeddings disagree. `nox -s boards` calls this.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.calibration.pairs_source import PairsSource
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.pipeline.default import default_checkpoint
from ghostface_edge.pipeline.quantize.options import Recipe
from ghostface_edge.pipeline.stages.artifacts import artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.embed import Embed
from ghostface_edge.pipeline.stages.export import Export
from ghostface_edge.pipeline.stages.face_reader import read_pairs
from ghostface_edge.pipeline.stages.quantize import Quantize
from ghostface_edge.pipeline.stages.render import RenderFaces
from ghostface_edge.pipeline.support.host import usable_cores
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.pipeline.tools.quantize_file import CALIBRATION_FACES
from ghostface_edge.reports.errors import GhostfaceEdgeError
from ghostface_edge.reports.metrics import cosine_scores, cosines
from ghostface_edge.reports.paired import compare
from ghostface_edge.reports.people import link_identities
from ghostface_edge.targets.places.board import Board
from ghostface_edge.targets.places.inside import place_inside
from ghostface_edge.targets.places.place import LOCAL, Place
from ghostface_edge.targets.protocol import Embeddings, InputType, Precision
from ghostface_edge.targets.tflite import TfliteTarget
from ghostface_edge.targets.tflite.kernel_set import KernelSet
from ghostface_edge.targets.tflite.old_runtime import TFLITE_RUNTIME

_FACES: Final = 256
FLOAT: Final = "ONNX Runtime FP32"
REFERENCE: Final = "LiteRT, both with reference kernels"
XNNPACK: Final = "LiteRT, XNNPACK"

FORMS: Final[Mapping[str, tuple[KernelSet, InputType]]] = MappingProxyType(
    {
        "int8": (KernelSet.XNNPACK, InputType.INT8),
        "int8-portable": (KernelSet.PORTABLE, InputType.INT8),
        "int8-portable-uint8": (KernelSet.PORTABLE, InputType.UINT8),
        "int8-portable-float32": (KernelSet.PORTABLE, InputType.FLOAT32),
    }
)
"""The full-integer files by label."""

LIMITS: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "fp32": {FLOAT: 0.999999, XNNPACK: 0.999999},
        "fp16": {FLOAT: 0.9999, XNNPACK: 0.999999},
        **{label: {REFERENCE: 1.0, XNNPACK: 0.97} for label in FORMS},
    }
)
"""Smallest mean cosine of a file's embeddings on the board to others'; 1 asks for the same bytes.

The fast integer kernels of 2.14 round twice, so they agree to 0.98 only (docs/decisions/0015-second-environments.md).
"""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One file on the board against the same file, or its float network, elsewhere."""

    label: str
    against: str
    cosine_mean: float
    cosine_min: float
    max_abs: float
    limit: float

    @property
    def holds(self) -> bool:
        """Is it within its limit?"""
        return self.max_abs == 0 or self.cosine_mean >= self.limit


def agreement(label: str, against: str, ours: Embeddings, others: Embeddings) -> Agreement:
    """Compare embeddings (N, E) of the same faces."""
    alike = cosines(ours, others)
    distance = float(np.abs(ours - others).max())
    return Agreement(label, against, float(alike.mean()), float(alike.min()), distance, LIMITS[label][against])


def embed(place: Place, model: Path, faces: Path, count: int, *, log: Path, reference: bool = False) -> Embeddings:
    """Embeddings (count, E) of the first faces of a `.npy`, one by one, by a `.tflite` in a place.

    Raises:
        ToolError: the file does not load or run there.
    """
    with place.open(Board, "tflite", reference, log=log) as board:
        board.load(model, 1, 1)
        return board.embed_file(faces, 0, count)


def write_models(
    checkpoint: Path, calibration: Path, folder: Path, context: StageContext
) -> tuple[Path, dict[str, Path]]:
    """The exported ONNX, and every form of `.tflite` by label."""
    faces = sample(scan_folder(calibration), CALIBRATION_FACES, 0)
    exported = context.run(Export(checkpoint, faces))
    quantized = context.run(Quantize(exported.path, faces, Recipe(), 0))
    target = TfliteTarget()
    made = {label: folder / f"{label}.tflite" for label in LIMITS}
    target.convert(exported.path, Precision.FP32, made["fp32"])
    target.convert(exported.path, Precision.FP16, made["fp16"])
    for label, (kernels, input_type) in FORMS.items():
        target.lower_quantized(quantized.path, made[label], kernels=kernels, input_type=input_type)
    return exported.path, made


def main(arguments: list[str]) -> int:
    """Write, run, compare, print; returns the exit code."""
    out, *given = map(Path, arguments)
    TFLITE_RUNTIME.require()
    progress, store, console = Progress(), Store(), Console(width=140)
    context = StageContext(store, out / "logs", progress, usable_cores())
    checkpoint, source, calibration = given or (default_checkpoint(), *context.run(RenderFaces(0)))
    context.logs.mkdir(parents=True, exist_ok=True)
    exported, models = write_models(checkpoint, calibration, out, context)
    pairs = read_pairs(PairsSource(source), store, usable_cores(), progress)
    with DecodedFaces.of_pairs(store, pairs) as faces:
        float_embeddings = context.run(Embed(artifact_of("onnxruntime", exported), faces, context.threads, FLOAT))
        place, log = place_inside(TFLITE_RUNTIME), out / "logs" / "board.log"
        found = _agreements(place, models, faces.path, float_embeddings[:_FACES], progress, log)
        with progress.stage(f"int8: embed {len(faces)} faces on the board"):
            board = embed(place, models["int8"], faces.path, len(faces), log=log)
        litert = context.run(Embed(artifact_of("tflite", models["int8"]), faces, context.threads, "int8 in LiteRT"))
    drops = {"board": _drop(board, float_embeddings, pairs), XNNPACK: _drop(litert, float_embeddings, pairs)}
    content = {"agreements": [asdict(each) for each in found], "int8_versus_fp32": drops}
    (out / "boards.json").write_text(json.dumps(content, indent=1))
    console.print(table(found))
    for where, drop in drops.items():
        console.print(f"int8, {where}: {json.dumps(drop)}", markup=False)
    return 0 if all(each.holds for each in found) else 1


def table(found: list[Agreement]) -> Table:
    """The agreements for a console."""
    drawn = Table("File", "Against", "Cosine", "Lowest", "Max abs", "Limit", "")
    for each in found:
        figures = (f"{each.cosine_mean:.6f}", f"{each.cosine_min:.6f}", f"{each.max_abs:.2e}", f"{each.limit}")
        drawn.add_row(each.label, each.against, *figures, "" if each.holds else "DISAGREES")
    return drawn


def _agreements(
    place: Place, models: Mapping[str, Path], faces: Path, expected: Embeddings, progress: Progress, log: Path
) -> list[Agreement]:
    found = []
    for label, model in models.items():
        with progress.stage(f"{label}: embed {_FACES} faces on the board and here"):
            fast = embed(place, model, faces, _FACES, log=log)
            for against in LIMITS[label]:
                exact = against == REFERENCE
                own = embed(place, model, faces, _FACES, log=log, reference=True) if exact else fast
                here = embed(LOCAL, model, faces, _FACES, log=log, reference=exact) if against != FLOAT else expected
                found.append(agreement(label, against, own, here))
    return found


def _drop(embeddings: Embeddings, reference: Embeddings, pairs: VerificationSet) -> dict[str, object]:
    scores = cosine_scores(embeddings, pairs.index), cosine_scores(reference, pairs.index)
    identities = link_identities(pairs.index, pairs.same)
    found = compare(*scores, pairs.same, embeddings, reference, identities=identities, folds=pairs.folds)
    return {"drop_pp": found.drop_pp, "ci95_pp": found.ci95_pp, "cosine_mean": found.cosine_mean}


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except GhostfaceEdgeError as error:
        sys.exit(f"error: {error}")
