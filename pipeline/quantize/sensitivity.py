"""Sensitivity: where the accuracy goes, every tensor and every layer rounded alone.

In: a float program, its quantized form, faces. Out: a table, worst first.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ghostface_edge.pipeline.quantize.report import Part, RoundingLoss
from ghostface_edge.pipeline.simulation.placement import QuantizerPlacement
from ghostface_edge.pipeline.simulation.program import Program
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram
from ghostface_edge.pipeline.simulation.simulate import cosines, embed, rounding
from ghostface_edge.targets.protocol import Embeddings, Faces


def rank_sensitivity(
    program: Program,
    quantized: QuantizedProgram,
    placement: QuantizerPlacement,
    faces: Faces,
    progress: Callable[[float], None],
) -> tuple[RoundingLoss, ...]:
    """Round every part alone and measure the embedding, worst first.

    Args:
        program: float32.
        quantized: what it became; grids and rounded parameters are taken from here.
        placement: of the program.
        faces: RGB uint8 (N, S, S, 3).
        progress: told the share done.
    """
    reference = embed(program, faces)
    groups = [name for name in dict.fromkeys(placement.group.values()) if name in quantized.activations]
    layers = [*quantized.weight_scales, *quantized.slope_scales]
    total, rows = len(groups) + len(layers), []
    for name in groups:
        activations = {value: quantized.activations[value] for value in placement.members(name)}
        alone = QuantizedProgram(
            _shifted(program, quantized) if program.input in activations else program, activations, {}, {}
        )
        rows.append(_measure(Part.TENSOR, name, embed(alone.program, faces, rounding(alone)), reference))
        progress(len(rows) / total)
    for name in layers:
        role = "weight" if name in quantized.weight_scales else "slope"
        key = f"{name}.{role}"
        changed = program.parameters | {key: quantized.program.parameters[key]}
        rows.append(_measure(Part.LAYER, name, embed(replace(program, parameters=changed), faces), reference))
        progress(len(rows) / total)
    return tuple(sorted(rows, key=lambda row: -row.cosine_loss))


def sqnr_db(embeddings: Embeddings, reference: Embeddings) -> float:
    """Signal to noise of embeddings against a reference, in decibel."""
    noise = float(np.square(embeddings.astype(np.float64) - reference).sum())
    return float(10 * np.log10(float(np.square(reference.astype(np.float64)).sum()) / max(noise, 1e-30)))


def _measure(part: Part, name: str, embeddings: Embeddings, reference: Embeddings) -> RoundingLoss:
    loss = float(1 - cosines(embeddings, reference).mean())
    return RoundingLoss(part, name, loss, sqnr_db(embeddings, reference))


def _shifted(program: Program, quantized: QuantizedProgram) -> Program:
    """The program whose first convolutions expect shifted pixels."""
    keys = [f"{step.name}.bias" for step in program.consumers(program.input)]
    return replace(program, parameters=program.parameters | {key: quantized.program.parameters[key] for key in keys})
