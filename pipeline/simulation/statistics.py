"""What calibration faces tell about every channel of every tensor, streamed a batch at a time.

In: a program and uint8 faces. Out: one `ChannelStatistics` per value. Memory does not grow with the number of faces.

Sensitivity is the expected squared change of the *normalised* embedding per squared change of a channel, summed over
its positions: a random direction of the embedding is differentiated (Hutchinson), so labels are not needed and
E[(d e)^2] comes out whatever the error's direction. Tails weigh every value beyond a threshold with its own gradient:
they are read off the moments of values between neighbouring thresholds, and large maps are sampled for these.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ghostface_edge.pipeline.simulation.memory import measure
from ghostface_edge.pipeline.simulation.moments import Array, channel_moments, gains, tails
from ghostface_edge.pipeline.simulation.program import Program, Values
from ghostface_edge.pipeline.simulation.simulate import BATCH, as_input, batches
from ghostface_edge.pipeline.simulation.workers import WORKERS, share_out
from ghostface_edge.targets.protocol import Faces

_POSITIONS = 196
"""Of a face's map that moments are taken of, about; a stem of stride 1 has 12,544, and 256 faces tell enough."""
_MEMORY_BYTES = 800_000_000
"""For the values of all batches that are worked on at one time."""
_FOLD = 16


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

    def observe_batch(batch: Faces) -> dict[str, ChannelRange]:
        seen: dict[str, ChannelRange] = {}

        def watch(name: str, value: torch.Tensor) -> torch.Tensor:
            if value.dim() == 4:
                seen[name] = _range(value)
            return value

        with torch.inference_mode():
            program(as_input(batch), transform=watch)
        return seen

    parts = batches(faces)
    seen, sizes = list(share_out(observe_batch, parts)), [len(part) for part in parts]
    return {
        name: ChannelRange(
            np.min([ranges[name].low for ranges in seen], 0),
            np.max([ranges[name].high for ranges in seen], 0),
            np.average([ranges[name].power for ranges in seen], 0, sizes),
        )
        for name in seen[0]
    }


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
    size = max(1, min(BATCH, _MEMORY_BYTES // (WORKERS * measure(program, faces.shape[1]).total)))
    parts = batches(faces, size)
    sums: dict[str, Array] = {}
    work = [(part, np.random.SeedSequence((seed, index))) for index, part in enumerate(parts)]
    for done, moments in enumerate(share_out(lambda one: _moments(program, ranges, *one), work), 1):
        for name, part in moments.items():
            sums[name] = sums[name] + part if name in sums else part
        if progress is not None:
            progress(done / len(parts))
    return {name: _statistics(ranges[name], moments / len(faces)) for name, moments in sums.items()}


def _statistics(seen: ChannelRange, moments: Array) -> ChannelStatistics:
    return ChannelStatistics(seen, gains(moments), *tails(moments, seen.low, seen.high))


def _moments(
    program: Program, ranges: dict[str, ChannelRange], faces: Faces, seed: np.random.SeedSequence
) -> dict[str, Array]:
    """Of every value with channels, summed over the faces: see `channel_moments`.

    The gradients of a random direction of the embedding are looked at as backpropagation meets them, and not kept.
    """
    samples: Values = {}
    moments: dict[str, Array] = {}
    rectified = {step.output: step.inputs[0] for step in program.steps if step.op == "PRelu"}

    def watch(name: str, value: torch.Tensor) -> torch.Tensor:
        if value.dim() != 4:
            return value
        if not value.requires_grad:
            value.requires_grad_()
        # A copy, because a hook that held the value itself would keep its whole graph alive.
        sample = samples[name] = _sampled(value.detach()).clone()
        # A PReLU shares its input's grid: what was rounded and positive passes without a second rounding.
        counted = samples[rectified[name]] < 0 if name in rectified else None
        share = value.shape[0] * value.shape[2] * value.shape[3] / len(sample)

        def note(gradient: torch.Tensor) -> None:
            seen = _sampled(gradient)
            seen = seen if counted is None else seen * counted
            moments[name] = share * channel_moments(sample, seen, ranges[name].low, ranges[name].high)

        value.register_hook(note)  # type: ignore[no-untyped-call]
        return value

    embedding = program(as_input(faces), transform=watch)
    samples.clear()
    unit = embedding / embedding.norm(dim=1, keepdim=True).clamp_min(1e-12)
    generator = torch.Generator().manual_seed(int(seed.generate_state(1)[0]))
    (unit * torch.randn(unit.shape, generator=generator)).sum().backward()
    return moments


def _range(value: torch.Tensor) -> ChannelRange:
    """Extremes of one batch's channels, and their mean squares."""
    rows = _rows(value)
    # Several positions to a row, because few channels alone fill no vector.
    wide = rows.reshape(len(rows) // (fold := math.gcd(len(rows), _FOLD)), -1)
    low, high, power = wide.amin(0), wide.amax(0), wide.square().sum(0).double()
    low, high, power = (part.reshape(fold, -1) for part in (low, high, power))
    return ChannelRange(low.amin(0).double().numpy(), high.amax(0).double().numpy(), (power.sum(0) / len(rows)).numpy())


def _sampled(value: torch.Tensor) -> torch.Tensor:
    """About `_POSITIONS` of each face's positions, (P, C)."""
    # An odd stride divides no map of even sides: every face is met at other positions.
    return _rows(value)[:: value.shape[2] * value.shape[3] // _POSITIONS | 1]


def _rows(value: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) as (N * H * W, C), in memory order where channels are last in memory."""
    return value.permute(0, 2, 3, 1).reshape(-1, value.shape[1])
