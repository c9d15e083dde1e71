"""Segments: a network cut where only one tensor is alive, so that each of them can compute in INT8 or in float."""

from collections.abc import Collection
from dataclasses import dataclass

from ghostface_edge.pipeline.quantize.macs import macs_by_convolution
from ghostface_edge.pipeline.simulation.program import Program, Step
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram, with_float_fallback

_ACTIVATIONS = {"PRelu", "Relu", "Clip", "Flatten"}
"""What belongs to the convolution in front of it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive steps between two tensors that everything passes through."""

    name: str
    """The first step's, which belongs to no other segment."""
    steps: frozenset[str]
    macs: int
    """Of one face."""


def find_segments(program: Program, image_size: int) -> tuple[Segment, ...]:
    """Cut a program wherever a single tensor is alive, but never between a convolution and its activation."""
    macs = macs_by_convolution(program, image_size)
    segments: list[Segment] = []
    alive: set[str] = set()
    begun: list[str] = []
    for index, step in enumerate(program.steps):
        begun.append(step.name)
        alive = {value for value in alive | {*step.inputs, step.output} if program.last_use[value] > index}
        is_last = index == len(program.steps) - 1
        if is_last or (alive == {step.output} and not _is_activated(program, step)):
            segments.append(Segment(begun[0], frozenset(begun), sum(macs.get(name, 0) for name in begun)))
            begun = []
    return tuple(segments)


def fall_back(quantized: QuantizedProgram, program: Program, segments: Collection[Segment]) -> QuantizedProgram:
    """Let some segments compute in float, as before quantization; a tensor between two precisions stays quantized.

    Args:
        quantized: stays as it is.
        program: what it was before quantization, float32.
        segments: of the program.
    """
    steps: set[str] = set().union(*(segment.steps for segment in segments))
    tensors = [value for value in quantized.activations if _touches_only(program, value, steps)]
    return with_float_fallback(quantized, program.parameters, tensors=tensors, steps=steps)


def _is_activated(program: Program, step: Step) -> bool:
    return any(user.op in _ACTIVATIONS for user in program.consumers(step.output))


def _touches_only(program: Program, value: str, steps: Collection[str]) -> bool:
    """Whether all that writes and reads a value is among some steps."""
    producer = program.producer(value)
    return (producer is None or producer.name in steps) and all(user.name in steps for user in program.consumers(value))
