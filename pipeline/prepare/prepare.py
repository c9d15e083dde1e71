"""Canonical float32 ONNX to prepared float32 ONNX: the same function, easy to quantize.

In: an ONNX model and calibration faces. Out: an ONNX model whose embeddings differ by at most 1e-4, and what was done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.prepare.channels import find_groups
from ghostface_edge.pipeline.prepare.equalize import equalize, equalize_ranges
from ghostface_edge.pipeline.prepare.fold import fold_batch_norms
from ghostface_edge.pipeline.prepare.slopes import invert_large_slopes
from ghostface_edge.pipeline.simulation.reading import build_program, refuse_bad_weights
from ghostface_edge.reports.errors import InputError, ParityError
from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.protocol import Faces

MAX_ABS_DIFFERENCE = 1e-4
_CHECKED_FACES = 32
_OBSERVED_FACES = 128


@dataclass(frozen=True, slots=True)
class PreparationReport:
    """What preparation did to a graph."""

    inverted_slopes: int
    channel_groups: int
    """Groups of channels that were free to be rescaled."""
    fixed_groups: int
    untouched: tuple[str, ...]
    """`name (Op)` of nodes that preparation does not know; channels there kept their scale."""
    max_abs_difference: float
    """Largest change of any embedding dimension on calibration faces."""


def prepare(
    model: Path, faces: Faces, output: Path, *, seed: int, progress: Callable[[str, float], None]
) -> PreparationReport:
    """Fold, invert large slopes, equalize; write the result.

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
    graph = prepared.graph
    refuse_bad_weights(graph, str(model))
    untouched = fold_batch_norms(graph)
    inverted = invert_large_slopes(graph)
    groups = find_groups(graph)
    # A graph that cannot be simulated is still worth equal ranges.
    try:
        program = build_program(prepared, str(model))
    except InputError:
        equalize_ranges(prepared, faces[:_OBSERVED_FACES])
    else:
        equalize(graph, program, faces[:_OBSERVED_FACES], seed=seed, progress=lambda share: progress("equalize", share))
    with replacing(output) as partial:
        graph_model.save(prepared, partial)
        difference = _difference(model, partial, faces[:_CHECKED_FACES])
        if not difference <= MAX_ABS_DIFFERENCE:
            raise ParityError(
                f"the prepared graph differs from {model} by {difference:.2e} on calibration faces, "
                f"more than {MAX_ABS_DIFFERENCE:.0e}",
                fix="quantize the model unprepared, and report it with the model's `inspect` output",
            )
    progress("equalize", 1.0)
    free = int((~groups.fixed).sum())
    names = tuple(dict.fromkeys((*untouched, *groups.unknown)))
    return PreparationReport(inverted, free, groups.count - free, names, difference)


def _difference(first: Path, second: Path, faces: Faces) -> float:
    import onnxruntime

    inputs = np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2))
    embeddings = []
    for path in (first, second):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        parts = [session.run(None, {name: inputs[at : at + 1]})[0] for at in range(len(inputs))]
        embeddings.append(np.concatenate(parts))
    return float(np.abs(embeddings[0] - embeddings[1]).max())
