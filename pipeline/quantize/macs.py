"""Multiply-accumulates of a quantized network, by precision."""

import numpy as np
import torch

from ghostface_edge.pipeline.simulation.program import Program
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram


def macs_by_convolution(program: Program, image_size: int) -> dict[str, int]:
    """Multiply-accumulates of one face, by convolution."""
    positions: dict[str, int] = {}

    def measure(name: str, value: torch.Tensor) -> torch.Tensor:
        positions[name] = int(np.prod(value.shape[2:]))
        return value

    with torch.inference_mode():
        program(torch.zeros(1, 3, image_size, image_size), transform=measure)
    return {
        step.name: positions[step.output] * program.parameters[f"{step.name}.weight"].numel()
        for step in program.convolutions()
    }


def int8_share(quantized: QuantizedProgram, image_size: int) -> float:
    """Share of the multiply-accumulates whose weights and inputs are both INT8, 0 to 1."""
    macs = macs_by_convolution(quantized.program, image_size)
    whole = [step.name for step in quantized.program.convolutions() if step.inputs[0] in quantized.activations]
    return sum(macs[name] for name in whole if name in quantized.weight_scales) / sum(macs.values())
