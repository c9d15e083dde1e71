"""Prints what each step of the way to INT8 gives on held-out calibration faces: the tables of the decision record.

    python -m ghostface_edge.pipeline.bench.quantization_steps MODEL.onnx CALIBRATION_FOLDER

MODEL is the canonical float32 model as exported, not prepared. About three minutes on one core for V1-0.5-2.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.prepare.equalize import EqualizeRanges
from ghostface_edge.pipeline.prepare.prepare import prepare
from ghostface_edge.pipeline.quantize.correct import correct_biases, round_parameters
from ghostface_edge.pipeline.quantize.faces import SplitFaces, split_faces
from ghostface_edge.pipeline.quantize.options import RangeMethod
from ghostface_edge.pipeline.quantize.ranges import activation_params, find_ranges
from ghostface_edge.pipeline.quantize.sensitivity import sqnr_db
from ghostface_edge.pipeline.simulation.determinism import deterministic
from ghostface_edge.pipeline.simulation.placement import place_quantizers
from ghostface_edge.pipeline.simulation.program import Program
from ghostface_edge.pipeline.simulation.reading import load_program
from ghostface_edge.pipeline.simulation.simulate import cosines, embed, simulate
from ghostface_edge.targets.protocol import Faces

_PERCENTILE = 99.99
_FACES = 256


def main(arguments: list[str]) -> int:
    """Print one row per graph, range method and correction."""
    model, folder = (Path(argument) for argument in arguments)
    faces = sample(scan_folder(folder), 10**9, 0).load()
    sys.stdout.write("| graph | ranges | cosine | with bias correction | SQNR dB |\n| --- | --- | --- | --- | --- |\n")
    with tempfile.TemporaryDirectory() as scratch, deterministic(threads=1):
        for name, path in _graphs(model, faces, Path(scratch)):
            program = load_program(path)
            split = split_faces(program, faces, seed=0)
            for method in RangeMethod:
                sys.stdout.write(_row(name, program, split, method))
                sys.stdout.flush()
    return 0


def _graphs(model: Path, faces: Faces, folder: Path) -> Iterator[tuple[str, Path]]:
    yield "as exported", model
    equal = graph_model.load(model)
    EqualizeRanges(faces[:_FACES])(equal)
    graph_model.save(equal, folder / "equal.onnx")
    yield "equal ranges", folder / "equal.onnx"
    prepare(model, faces, folder / "prepared.onnx", seed=0, progress=lambda _name, _share: None)
    yield "prepared", folder / "prepared.onnx"


def _row(name: str, program: Program, split: SplitFaces, method: RangeMethod) -> str:
    placement, faces, held_out = place_quantizers(program), split.calibration[:_FACES], split.held_out
    reference = embed(program, held_out)
    ranges = find_ranges(
        program, placement, faces, method, percentile=_PERCENTILE, seed=0, progress=lambda _share: None
    )
    activations = activation_params(placement, ranges)
    plain = simulate(round_parameters(program, activations), held_out)
    corrected = simulate(correct_biases(program, activations, faces, lambda _share: None), held_out)
    before, after = (float(cosines(embeddings, reference).mean()) for embeddings in (plain, corrected))
    return f"| {name} | {method.value} | {before:.4f} | {after:.4f} | {sqnr_db(corrected, reference):.1f} |\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
