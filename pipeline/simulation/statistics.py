"""What calibration faces tell about every channel of every tensor, streamed a batch at a time.

In: a program and uint8 faces. Out: one `ChannelStatistics` per value. Memory does not grow with the number of faces.

Sensitivity is the expected squared change of the *normalised* embedding per squared change of a channel, summed over
its positions: a random direction of the embedding is differentiated (Hutchinson), so labels are not needed and
E[(d e)^2] comes out whatever the error's direction. Tails weigh every value beyond a threshold with its own gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ghostface_edge.pipeline.simulation.memory import measure
from ghostface_edge.pipeline.simulation.program import Program, Values
from ghostface_edge.pipeline.simulation.simulate import BATCH, as_input, embed
from ghostface_edge.targets.protocol import Faces

Array = NDArray[np.float64]

THRESHOLDS: Array = 2.0 ** (-np.arange(10) / 2)
"""Where tails are tabulated, as parts of the channel's extreme value: 1 down to 1/22.6."""

_MEMORY_BYTES = 800_000_000
"""For the values and gradients of one batch."""


@dataclass(frozen=True, slots=True)
class ChannelRange:
    """Extremes and mean square of one value's channels, each (C,)."""

    low: Array
    high: Array
    power: Array


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """One value's channels, seen from the embedding."""

    extremes: ChannelRange
    gain: Array
    """(C,): squared embedding change per squared change of the channel, summed over positions."""
    tail_low: Array
    tail_high: Array
    """(C, len(THRESHOLDS)): squared embedding change if the channel were cut at threshold * extreme."""


def observe_ranges(program: Program, faces: Faces) -> dict[str, ChannelRange]:
    """Extremes and mean squares of every value that has channels."""
    low: Values = {}
    high: Values = {}
    power: Values = {}

    def watch(name: str, value: torch.Tensor) -> torch.Tensor:
        if value.dim() == 4:
            least, most = value.amin((0, 2, 3)).double(), value.amax((0, 2, 3)).double()
            squares = value.square().mean((2, 3)).sum(0).double()
            low[name] = torch.minimum(low[name], least) if name in low else least
            high[name] = torch.maximum(high[name], most) if name in high else most
            power[name] = power[name] + squares if name in power else squares
        return value

    embed(program, faces, watch)
    return {name: ChannelRange(low[name].numpy(), high[name].numpy(), power[name].numpy() / len(faces)) for name in low}


def observe(
    program: Program, faces: Faces, *, seed: int, progress: Callable[[float], None] | None = None
) -> dict[str, ChannelStatistics]:
    """Ranges, sensitivities and tails of every value that has channels.

    Args:
        program: float32 network.
        faces: RGB uint8 (N, S, S, 3).
        seed: of the random directions.
        progress: told the share done.
    """
    ranges = observe_ranges(program, faces)
    generator = torch.Generator().manual_seed(seed)
    gain: Values = {}
    tails: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    batch = max(1, min(BATCH, _MEMORY_BYTES // (2 * measure(program, faces.shape[1]).total)))
    for at in range(0, len(faces), batch):
        for name, (value, gradient) in _gradients(program, faces[at : at + batch], generator).items():
            squared = gradient.square().sum((0, 2, 3)).double()
            seen = ranges[name]
            cut = _tail(-value, gradient, -seen.low), _tail(value, gradient, seen.high)
            gain[name] = gain[name] + squared if name in gain else squared
            old = tails.get(name)
            tails[name] = cut if old is None else (old[0] + cut[0], old[1] + cut[1])
        if progress is not None:
            progress(min(1.0, (at + batch) / len(faces)))
    count = len(faces)
    return {
        name: ChannelStatistics(
            ranges[name], gain[name].numpy() / count, tails[name][0].numpy() / count, tails[name][1].numpy() / count
        )
        for name in gain
    }


def _gradients(
    program: Program, faces: Faces, generator: torch.Generator
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Every value with channels, and the gradient of a random direction of the embedding with respect to it."""
    kept: Values = {}

    def keep(name: str, value: torch.Tensor) -> torch.Tensor:
        if value.dim() == 4:
            if not value.requires_grad:
                value = value.requires_grad_()
            value.retain_grad()
            kept[name] = value
        return value

    embedding = program(as_input(faces), transform=keep)
    unit = embedding / embedding.norm(dim=1, keepdim=True).clamp_min(1e-12)
    direction = torch.randn(unit.shape, generator=generator)
    (unit * direction).sum().backward()
    seen = {name: (value.detach(), value.grad) for name, value in kept.items() if value.grad is not None}
    for step in program.steps:
        # A PReLU shares its input's grid: what was rounded and positive passes without a second rounding.
        if step.op == "PRelu" and step.output in seen:
            value, gradient = seen[step.output]
            seen[step.output] = value, gradient * (seen[step.inputs[0]][0] < 0)
    return seen


def _tail(value: torch.Tensor, gradient: torch.Tensor, extreme: Array) -> torch.Tensor:
    """(C, thresholds): what the part of `value` beyond each threshold does to the embedding."""
    end = torch.from_numpy(np.maximum(extreme, 0.0)).float().reshape(1, -1, 1, 1)
    columns = []
    for threshold in THRESHOLDS.tolist():
        excess = (value - end * threshold).clamp_(min=0.0).mul_(gradient)
        columns.append(excess.square_().sum((0, 2, 3)).double())
    return torch.stack(columns, 1)
