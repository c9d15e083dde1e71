"""Preparation: canonical float32 ONNX to the same function in a form that is easy to quantize.

In: an ONNX model and calibration faces. Out: an ONNX model whose embeddings differ by at most 1e-4, and what was done.
"""

from collections.abc import Callable
from pathlib import Path

from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.graph.passes import rewrite
from ghostface_edge.pipeline.network.parity import Reference, onnx_input, run_onnx
from ghostface_edge.pipeline.prepare.channels import find_groups
from ghostface_edge.pipeline.prepare.equalize import Equalize
from ghostface_edge.pipeline.prepare.fold import FoldBatchNorms
from ghostface_edge.pipeline.prepare.report import PreparationReport
from ghostface_edge.pipeline.prepare.slopes import InvertLargeSlopes, count_large_slopes
from ghostface_edge.pipeline.prepare.untie import UntieGhosts
from ghostface_edge.pipeline.simulation.reading import refuse_bad_weights
from ghostface_edge.targets.protocol import Faces

_CHECKED_FACES = 32
_OBSERVED_FACES = 128


def prepare(
    model: Path, faces: Faces, output: Path, *, seed: int, progress: Callable[[str, float], None]
) -> PreparationReport:
    """Fold, invert large slopes, untie ghosts, equalize; write the result.

    Args:
        model: float32 ONNX in canonical form.
        faces: RGB uint8 (N, S, S, 3), calibration.
        output: where the prepared model goes.
        seed: of the sensitivity measurement.
        progress: told a stage's name and the share done.

    Raises:
        InputError: NaN or infinite weights, or an unreadable model.
        ParityError: the embeddings changed by more than 1e-4; nothing is written.
    """
    prepared = graph_model.load(model)
    refuse_bad_weights(prepared.graph, str(model))
    passes = (
        FoldBatchNorms(),
        InvertLargeSlopes(),
        UntieGhosts(),
        Equalize(faces[:_OBSERVED_FACES], seed, lambda share: progress("equalize", share)),
    )
    checked, large_slopes = faces[:_CHECKED_FACES], count_large_slopes(prepared.graph)
    reference = Reference(str(model), checked, run_onnx(model, onnx_input(checked), 1)[0], 1)
    fix = "quantize the model unprepared, and report it with the model's `inspect` output"
    difference = rewrite(prepared, passes, output, reference, fix=fix)
    progress("equalize", 1.0)
    groups = find_groups(prepared.graph)
    free = int((~groups.fixed).sum())
    inverted = large_slopes - count_large_slopes(prepared.graph)
    return PreparationReport(inverted, free, groups.count - free, groups.unknown, difference)
