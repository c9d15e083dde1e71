"""Sensitivity: where the accuracy goes, every tensor and every layer rounded alone.

In: a float program, its quantized form, faces. Out: a table, worst first.

The float network runs once; where a part's rounding begins, the rest of the network is run with it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from ghostface_edge.pipeline.quantize.report import Part, RoundingLoss
from ghostface_edge.pipeline.simulation.placement import QuantizerPlacement
from ghostface_edge.pipeline.simulation.program import Program, Transform, Values, evaluate
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram
from ghostface_edge.pipeline.simulation.simulate import as_input, batches, cosines, embed, rounding
from ghostface_edge.pipeline.simulation.workers import share_out
from ghostface_edge.targets.protocol import Embeddings, Faces


@dataclass(frozen=True, slots=True)
class _Alone:
    """One part, and the network in which it alone is rounded."""

    part: Part
    name: str
    program: Program
    start: int
    """Index of the first step that differs from the float network's."""
    transform: Transform | None = None

    def embed(self, values: Values) -> Embeddings:
        """Embeddings from the float values that the first step finds."""
        with torch.inference_mode():
            if self.start == 0:
                result = self.program(values[self.program.input], transform=self.transform)
            else:
                result = self.program.resume(values, self.start, transform=self.transform)
            embeddings: Embeddings = result.numpy()
        return embeddings


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
    alone = [*_tensors(program, quantized, placement), *_layers(program, quantized)]
    parts = batches(faces)
    found: list[list[Embeddings]] = [[] for _ in alone]
    for at, batch in enumerate(parts):
        for done, (index, embeddings) in enumerate(share_out(_run, _runs(program, alone, batch)), 1):
            found[index].append(embeddings)
            progress((at + done / len(alone)) / len(parts))
    rows = [
        _measure(one.part, one.name, np.concatenate(seen), reference) for one, seen in zip(alone, found, strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: -row.cosine_loss))


def _runs(program: Program, alone: list[_Alone], faces: Faces) -> Iterator[tuple[int, _Alone, Values]]:
    """Every part and its index, in the order of the steps, with the float values that are alive there."""
    by_start = defaultdict(list)
    for index, one in enumerate(alone):
        by_start[one.start].append((index, one))
    values = {program.input: as_input(faces)}
    for at, step in enumerate(program.steps):
        yield from ((index, one, dict(values)) for index, one in by_start[at])
        with torch.inference_mode():
            values[step.output] = evaluate(step, [values[name] for name in step.inputs], program.parameters)
        program.forget(values, at)


def _run(one: tuple[int, _Alone, Values]) -> tuple[int, Embeddings]:
    index, alone, values = one
    return index, alone.embed(values)


def _tensors(program: Program, quantized: QuantizedProgram, placement: QuantizerPlacement) -> Iterator[_Alone]:
    """Every group of activations."""
    starts = {step.output: at for at, step in enumerate(program.steps)} | {program.input: 0}
    shifted = _shifted(program, quantized)
    for name in dict.fromkeys(placement.group.values()):
        if name not in quantized.activations:
            continue
        activations = {value: quantized.activations[value] for value in placement.members(name)}
        rounded = QuantizedProgram(shifted if program.input in activations else program, activations, {}, {})
        start = min(starts[value] for value in activations)
        yield _Alone(Part.TENSOR, name, rounded.program, start, rounding(rounded))


def _layers(program: Program, quantized: QuantizedProgram) -> Iterator[_Alone]:
    """Every convolution's weights and every PReLU's slopes."""
    starts = {step.name: at for at, step in enumerate(program.steps)}
    for name in (*quantized.weight_scales, *quantized.slope_scales):
        key = f"{name}.{'weight' if name in quantized.weight_scales else 'slope'}"
        changed = program.parameters | {key: quantized.program.parameters[key]}
        yield _Alone(Part.LAYER, name, replace(program, parameters=changed), starts[name])


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
