"""Predicts what INT8 costs the embedding, and finds the ranges, and the channel scales, that cost least.

In: channel statistics. Out: the range of every group of tensors, and the log-scale of every group of channels.

A tensor with range [-l, h] has the step (l + h) / 255. Rounding adds step^2 / 12 to every channel, worth
gain * scale^2 in the embedding once the channel's own scale is undone; cutting at the range's ends costs the channel's
tails; and a dense convolution's weights, rounded per output channel, cost more the more its input scales differ. The
sum is the expected squared error of the normalised embedding, twice (1 - cosine). In the logarithms of scales and
ranges the rounding terms are convex; everything is differentiable, and 300 steps of Adam settle it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ghostface_edge.pipeline.simulation.determinism import deterministic
from ghostface_edge.pipeline.simulation.fake_quantize import WEIGHT_LIMIT
from ghostface_edge.pipeline.simulation.moments import THRESHOLDS
from ghostface_edge.pipeline.simulation.placement import QuantizerPlacement
from ghostface_edge.pipeline.simulation.program import Program
from ghostface_edge.pipeline.simulation.statistics import ChannelStatistics
from ghostface_edge.targets.quant_params import INT8_MAX, INT8_MIN

_STEPS = 300
_RATE = 0.1
_SMALL = 1e-12
_GAIN_FLOOR = 1e-3
"""A channel counts at least this part of its tensor's mean: faces of the field may use what calibration did not."""
_RANGE_FLOOR = 1e-3
"""And its extremes at least this part of its tensor's largest."""
_SHARPNESS = 16.0
"""Exponent of the p-norm that stands for the largest weight of a row."""


@dataclass(frozen=True, slots=True)
class ChannelTies:
    """Channels whose scales may be chosen."""

    group: Mapping[str, NDArray[np.int64]]
    """Per value, (C,): group of each channel."""
    free: NDArray[np.bool_]
    """(groups,): whether the group's scale may change."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The cheapest ranges and scales."""

    ranges: Mapping[str, tuple[float, float]]
    """Low and high by group of tensors, after the channels were divided by their scales."""
    log_scales: NDArray[np.float64]
    """(groups of channels,): logarithm of what to divide each channel by."""
    cost: Mapping[str, float]
    """Expected squared error of the normalised embedding, by group of tensors."""
    weight_cost: float
    """The same for all rounded dense weights together."""


@dataclass(frozen=True, slots=True)
class _Entries:
    """All channels of all free tensors, flat: one row per (tensor, channel)."""

    tensor: torch.Tensor
    channel: torch.Tensor
    gain: torch.Tensor
    log_low: torch.Tensor
    log_high: torch.Tensor
    root_tail_low: torch.Tensor
    root_tail_high: torch.Tensor


def settle(
    program: Program,
    placement: QuantizerPlacement,
    statistics: Mapping[str, ChannelStatistics],
    ties: ChannelTies | None = None,
) -> Settled:
    """Minimise the predicted error over ranges, and over channel scales where `ties` says which may change."""
    with deterministic(threads=1):
        return _settle(program, placement, statistics, ties)


def _settle(
    program: Program,
    placement: QuantizerPlacement,
    statistics: Mapping[str, ChannelStatistics],
    ties: ChannelTies | None,
) -> Settled:
    names = placement.free
    entries = _entries(placement, names, statistics, ties)
    count = 1 if ties is None else len(ties.free)
    scales = torch.zeros(count, dtype=torch.float64)
    if ties is not None:
        extent = torch.maximum(entries.log_low, entries.log_high)
        start = torch.full((count,), -np.inf, dtype=torch.float64).scatter_reduce(0, entries.channel, extent, "amax")
        scales = torch.where(torch.from_numpy(ties.free) & start.isfinite(), start, 0.0)
    shift = scales[entries.channel]
    ends = [_largest(end - shift, entries.tensor, len(names)) for end in (entries.log_low, entries.log_high)]
    dense = None if ties is None else _dense_weights(program, statistics, ties)
    variables = [*ends, scales] if ties is not None else ends
    for variable in variables:
        variable.requires_grad_()
    optimizer = torch.optim.Adam(variables, lr=_RATE, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    frozen = None if ties is None else ~torch.from_numpy(ties.free)
    for _ in range(_STEPS):
        optimizer.zero_grad()
        total = _activation_cost(entries, ends, scales).sum() + _weight_cost(dense, scales)
        total.log().backward()  # type: ignore[no-untyped-call]
        if frozen is not None and scales.grad is not None:
            scales.grad[frozen] = 0.0
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        cost, weights = _activation_cost(entries, ends, scales), _weight_cost(dense, scales)
        low, high = (end.exp().tolist() for end in ends)
    return Settled(
        {name: (-low[index], high[index]) for index, name in enumerate(names)},
        scales.detach().numpy(),
        dict(zip(names, cost.tolist(), strict=True)),
        float(weights),
    )


def _entries(
    placement: QuantizerPlacement,
    names: tuple[str, ...],
    statistics: Mapping[str, ChannelStatistics],
    ties: ChannelTies | None,
) -> _Entries:
    columns: list[list[NDArray[np.float64] | NDArray[np.int64]]] = [[] for _ in range(7)]
    for index, name in enumerate(names):
        for value in placement.members(name):
            known = statistics[value]
            size = len(known.gain)
            extent = max(float(known.extremes.high.max()), float(-known.extremes.low.min()), _SMALL)
            floor = _RANGE_FLOOR * extent
            row = (
                np.full(size, index),
                np.zeros(size, np.int64) if ties is None else ties.group[value],
                np.maximum(known.gain, _GAIN_FLOOR * known.gain.mean() + _SMALL**2),
                np.log(np.maximum(-known.extremes.low, floor)),
                np.log(np.maximum(known.extremes.high, floor)),
                np.sqrt(known.tail_low),
                np.sqrt(known.tail_high),
            )
            for column, array in zip(columns, row, strict=True):
                column.append(array)
    return _Entries(*(torch.from_numpy(np.concatenate(column)) for column in columns))


def _largest(values: torch.Tensor, tensor: torch.Tensor, count: int) -> torch.Tensor:
    return torch.full((count,), -np.inf, dtype=torch.float64).scatter_reduce(0, tensor, values, "amax")


def _activation_cost(entries: _Entries, ends: list[torch.Tensor], scales: torch.Tensor) -> torch.Tensor:
    """Rounding and cutting, by tensor group."""
    low, high = ends
    shift = scales[entries.channel]
    zeros = torch.zeros_like(low)
    weight = zeros.index_add(0, entries.tensor, entries.gain * torch.exp(2 * shift))
    step = (low.exp() + high.exp()) / (INT8_MAX - INT8_MIN)
    cut = _cut(entries.root_tail_low, torch.exp(low[entries.tensor] + shift - entries.log_low))
    cut = cut + _cut(entries.root_tail_high, torch.exp(high[entries.tensor] + shift - entries.log_high))
    return step**2 / 12 * weight + zeros.index_add(0, entries.tensor, cut)


def _cut(root_tail: torch.Tensor, ratio: torch.Tensor) -> torch.Tensor:
    """Cost of cutting at `ratio` of the extreme: the root is linear between thresholds, zero from 1 on."""
    thresholds = torch.from_numpy(THRESHOLDS)
    last = len(THRESHOLDS) - 2
    knot = (-2 * torch.log2(ratio.detach().clamp(_SMALL, 1.0))).floor().long().clamp(0, last)
    near, far = thresholds[knot], thresholds[knot + 1]
    at_near = root_tail.gather(1, knot[:, None])[:, 0]
    at_far = root_tail.gather(1, knot[:, None] + 1)[:, 0]
    root = at_near + (at_far - at_near) * (ratio - near) / (far - near)
    return torch.where(ratio < 1, root, torch.zeros_like(root)).clamp_min(0.0) ** 2


@dataclass(frozen=True, slots=True)
class _DenseWeights:
    """All dense convolutions, flat. A row's largest weight is a p-norm, so that a matrix product gives all rows."""

    convolution: torch.Tensor
    """(inputs,): index of the convolution that each input channel belongs to."""
    channel: torch.Tensor
    """(inputs,): group of each input channel."""
    power: torch.Tensor
    """(inputs,): mean square of the input."""
    powers: tuple[torch.Tensor, ...]
    """(O, I), by convolution: absolute weights over their row's largest, to the power p."""
    row_convolution: torch.Tensor
    """(rows,): index of the convolution of each row."""
    gain: torch.Tensor
    """(rows,): of the output, times the square of the row's largest weight."""


def _dense_weights(
    program: Program, statistics: Mapping[str, ChannelStatistics], ties: ChannelTies
) -> _DenseWeights | None:
    columns: list[list[torch.Tensor]] = [[] for _ in range(6)]
    dense = (
        step
        for step in program.convolutions()
        if step.groups == 1 and step.inputs[0] in statistics and step.output in statistics
    )
    for index, step in enumerate(dense):
        source, sink = step.inputs[0], step.output
        largest = program.parameters[f"{step.name}.weight"].double().abs().amax((2, 3))
        peak = largest.amax(1, keepdim=True).clamp_min(_SMALL)
        rows, inputs = largest.shape
        found = (
            torch.full((inputs,), index),
            torch.from_numpy(ties.group[source]),
            torch.from_numpy(statistics[source].extremes.power),
            (largest / peak) ** _SHARPNESS,
            torch.full((rows,), index),
            torch.from_numpy(statistics[sink].gain) * peak[:, 0] ** 2,
        )
        for column, tensor in zip(columns, found, strict=True):
            column.append(tensor)
    if not columns[0]:
        return None
    convolution, channel, power, powers, row_convolution, gain = columns
    return _DenseWeights(
        torch.cat(convolution),
        torch.cat(channel),
        torch.cat(power),
        tuple(powers),
        torch.cat(row_convolution),
        torch.cat(gain),
    )


def _weight_cost(weights: _DenseWeights | None, scales: torch.Tensor) -> torch.Tensor:
    """Rounding of all dense weights: a row's step squared over 12, times what it multiplies."""
    if weights is None:
        return torch.zeros((), dtype=torch.float64)
    shift, zeros = scales[weights.channel], torch.zeros(len(weights.powers), dtype=torch.float64)
    top = _largest(shift.detach(), weights.convolution, len(zeros))
    over_top = torch.exp(_SHARPNESS * (shift - top[weights.convolution]))
    inputs = over_top.split([powers.shape[1] for powers in weights.powers])  # type: ignore[no-untyped-call]
    norms = torch.cat([powers @ part for powers, part in zip(weights.powers, inputs, strict=True)]) + _SMALL**4
    largest = norms ** (1 / _SHARPNESS) * top.exp()[weights.row_convolution]
    noise = zeros.index_add(0, weights.row_convolution, weights.gain * largest**2) / WEIGHT_LIMIT**2 / 12
    return (noise * zeros.index_add(0, weights.convolution, weights.power * torch.exp(-2 * shift))).sum()
