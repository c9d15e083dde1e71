"""How much memory one face takes, so that batches fit whatever the network's size."""

from dataclasses import dataclass

import numpy as np
import torch

from ghostface_edge.pipeline.simulation.program import Program


@dataclass(frozen=True, slots=True)
class FaceBytes:
    """Bytes of one face's float32 values."""

    alive: int
    """The most at one time, if each value is dropped after its last use."""
    total: int
    """Of all values together, as backpropagation keeps them."""


def measure(program: Program, image_size: int) -> FaceBytes:
    """Run one empty face and add up."""
    sizes: dict[str, int] = {}

    def note(name: str, value: torch.Tensor) -> torch.Tensor:
        sizes[name] = value.numel() * value.element_size()
        return value

    with torch.inference_mode():
        program(torch.zeros(1, 3, image_size, image_size), transform=note)
    born = {step.output: index for index, step in enumerate(program.steps)}
    alive = np.zeros(len(program.steps) + 1)
    for name, size in sizes.items():
        alive[born.get(name, 0) : program.last_use[name] + 1] += size
    return FaceBytes(int(alive.max()), sum(sizes.values()))
