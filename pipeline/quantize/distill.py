"""Trains the rounded network to give the float network's embeddings: no labels, calibration faces alone.

In: a float program, a `QuantizedProgram` start, faces. Out: a `QuantizedProgram` network with the same grid groups.

Weights, biases, slopes and the ends of every range are learned at once. Weights are rounded in every step and updated
as if they had not been (straight through). Every parameter moves in units of its own channel, because equalization
leaves channels of one tensor at very different scales. A batch is split over threads, each with its own graph: these
layers are too small to share one between cores. On a GPU a batch stays whole; the ends of the ranges stay on the CPU,
which decides the grids. Of every face a few views are met in turn, so that the teacher sees each only once.
Source: LSQ (arXiv:1902.08153) for ranges; self-distillation as in docs/decisions/0006-int8-by-predicted-error.md.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from ghostface_edge.pipeline.quantize.augment import augment
from ghostface_edge.pipeline.quantize.correct import round_step
from ghostface_edge.pipeline.quantize.options import DistillationOptions
from ghostface_edge.pipeline.simulation.fake_quantize import channel_scales, fake_quantize, round_slope, round_weight
from ghostface_edge.pipeline.simulation.kernels import LearnedFakeQuantize, LearnedGrid, learned_grid
from ghostface_edge.pipeline.simulation.memory import measure
from ghostface_edge.pipeline.simulation.placement import PIXEL_SHIFT, QuantizerPlacement
from ghostface_edge.pipeline.simulation.program import Parameters, Program
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram
from ghostface_edge.pipeline.simulation.simulate import as_input
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.quant_params import QuantParams

_BIAS_UNIT_STEPS = 20
"""A bias moves in units of this many grid steps of its output."""
_WARM_UP = 0.05
_MEMORY_BYTES = 1_500_000_000
"""For what all workers keep for their gradients."""
_VIEWS = 4
"""Of every face."""
_COPIES = 4
"""Of every value, in one worker: before and after rounding, its gradient, room."""


def distill(
    program: Program,
    start: QuantizedProgram,
    placement: QuantizerPlacement,
    faces: Faces,
    options: DistillationOptions,
    *,
    seed: int,
    threads: int,
    device: torch.device,
    progress: Callable[[float], None],
) -> QuantizedProgram:
    """Train from `start`; what comes back is on the CPU.

    Args:
        program: float32, the teacher.
        start: its quantized form, full integer.
        placement: of the program.
        faces: RGB uint8 (N, S, S, 3); views of them are drawn at random.
        options: steps, rates, loss.
        seed: of the views.
        threads: workers that a batch is split over; the result depends on their number, not on their timing.
        device: where to train.
        progress: told the share done.
    """
    student = _Student(program, start, placement, device)
    views = _Views(student.teacher, faces, seed, device)
    optimizer = student.optimizer(options)
    rates = [group["lr"] for group in optimizer.param_groups]
    batches = views.batches(options.batch)
    fitting = max(1, _MEMORY_BYTES // (threads * _COPIES * measure(program, faces.shape[1]).total))
    rounds = math.ceil(min(options.batch, len(faces)) / (threads * fitting))
    with ThreadPoolExecutor(threads) as pool:
        for step in range(options.steps):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * _schedule(step / options.steps)
            student.round()
            # Parts beyond the workers' memory take turns; their order in the sum does not change.
            parts = [part for part in np.array_split(next(batches), rounds * threads) if len(part)]
            gradients = list(pool.map(lambda part: student.gradients(*views(part), options.relative_error), parts))
            student.set_gradients(gradients)
            optimizer.step()
            progress((step + 1) / options.steps)
    return student.result()


class _Student:
    """The learned parameters, and the rounded network they make."""

    def __init__(
        self, program: Program, start: QuantizedProgram, placement: QuantizerPlacement, device: torch.device
    ) -> None:
        self.teacher = replace(program, parameters=_moved(program.parameters, device))
        self.start, self.placement, self.device = start, placement, device
        self.learned: Parameters = {}
        """Parameters over their units."""
        self.units: Parameters = {}
        self.ends: Parameters = {}
        """Logarithms of -low and high, (2,), by group of tensors."""
        self.rounded: Parameters = {}
        self.grids: dict[str, LearnedGrid] = {}
        self.copied = {step.output for step in program.steps if step.op == "Concat"}
        """Values that are on their grid already, because what they are made of is."""
        for step in program.steps:
            name = step.name
            if step.op == "Conv":
                weight = program.parameters[f"{name}.weight"]
                rows = weight.flatten(1).square().mean(1).sqrt()
                self.units[f"{name}.weight"] = rows.clamp_min(1e-3 * float(rows.max())).reshape(-1, 1, 1, 1)
                self.learned[f"{name}.weight"] = weight / self.units[f"{name}.weight"]
                self.units[f"{name}.bias"] = torch.tensor(_BIAS_UNIT_STEPS * self._step_behind(step.output))
                self.learned[f"{name}.bias"] = start.program.parameters[f"{name}.bias"] / self.units[f"{name}.bias"]
            elif step.op == "PRelu":
                self.units[f"{name}.slope"] = torch.ones(1)
                self.learned[f"{name}.slope"] = program.parameters[f"{name}.slope"].clone()
        for group in placement.free:
            params = start.activations[group]
            smallest = params.scale / 2
            ends = [math.log(max(-params.low, smallest)), math.log(max(params.high, smallest))]
            self.ends[group] = torch.tensor(ends, requires_grad=True)
        self.learned, self.units = _moved(self.learned, device), _moved(self.units, device)
        for parameter in self.learned.values():
            parameter.requires_grad_()

    def optimizer(self, options: DistillationOptions) -> torch.optim.Adam:
        groups = [
            {"params": list(self.learned.values()), "lr": options.learning_rate},
            {"params": list(self.ends.values()), "lr": options.learning_rate * options.range_rate},
        ]
        return torch.optim.Adam(groups, betas=(0.9, 0.99), foreach=True)

    @torch.no_grad()
    def round(self) -> None:
        """Round the parameters for one training step; the rounded ones collect the gradients."""
        for name, value in self.real().items():
            role = name.rsplit(".", 1)[1]
            if role == "weight":
                self.rounded[name] = round_weight(value, channel_scales(value)).requires_grad_()
            else:
                self.rounded[name] = (round_slope(value) if role == "slope" else value).requires_grad_()
        self.grids = {group: learned_grid(ends) for group, ends in self.ends.items()}

    def real(self) -> Parameters:
        return {name: (value * self.units[name]).detach() for name, value in self.learned.items()}

    def gradients(self, inputs: torch.Tensor, target: torch.Tensor, relative_error: float) -> list[torch.Tensor]:
        """Gradients of the summed loss of some faces with respect to rounded parameters, then ends.

        Args:
            inputs: float32 (N, 3, S, S).
            target: the teacher's embeddings of them, (N, E).
            relative_error: weight of the relative squared error beside 1 - cosine.
        """
        ends = {name: value.detach().requires_grad_() for name, value in self.ends.items()}

        def transform(name: str, value: torch.Tensor) -> torch.Tensor:
            group = self.placement.group.get(name)
            if group is None or name in self.copied:
                return value
            if group in ends:
                return LearnedFakeQuantize.apply(value, ends[group], self.grids[group])  # type: ignore[no-any-return, no-untyped-call]
            if name == self.teacher.input:
                value = value + PIXEL_SHIFT
            return _round_straight_through(value, self.start.activations[name])

        embedding = replace(self.teacher, parameters=self.rounded)(inputs, transform=transform)
        cosine = torch.nn.functional.cosine_similarity(embedding, target)
        relative = (embedding - target).square().sum(1) / target.square().sum(1)
        loss = (1 - cosine + relative_error * relative).sum()
        return list(torch.autograd.grad(loss, [*self.rounded.values(), *ends.values()]))

    def set_gradients(self, parts: list[list[torch.Tensor]]) -> None:
        """Sum over the parts of a batch, in their order, and hand over to the learned parameters."""
        sums = [torch.stack(gradients).sum(0) for gradients in zip(*parts, strict=True)]
        for (name, parameter), gradient in zip(self.learned.items(), sums, strict=False):
            parameter.grad = gradient * self.units[name]
        for ends, gradient in zip(self.ends.values(), sums[len(self.learned) :], strict=True):
            ends.grad = gradient

    @torch.no_grad()
    def result(self) -> QuantizedProgram:
        activations = dict(self.start.activations)
        for group, ends in self.ends.items():
            learned = learned_grid(ends).params
            stored = replace(learned, scale=float(np.float32(learned.scale)))
            activations |= dict.fromkeys(self.placement.members(group), stored)
        parameters = _moved(self.real(), torch.device("cpu"))
        quantized = QuantizedProgram(replace(self.teacher, parameters=parameters), activations, {}, {})
        for step in self.teacher.steps:
            quantized = round_step(quantized, step, quantized.program.parameters, shifted=True)
        return quantized

    def _step_behind(self, output: str) -> float:
        """The grid step that a convolution's output is rounded with."""
        if output in self.start.activations:
            return self.start.activations[output].scale
        users = self.teacher.consumers(output)
        return (
            self.start.activations[users[0].output].scale
            if users and users[0].output in self.start.activations
            else 1e-2
        )


def _moved(parameters: Parameters, device: torch.device) -> Parameters:
    return {name: value.to(device) for name, value in parameters.items()}


def _round_straight_through(value: torch.Tensor, params: QuantParams) -> torch.Tensor:
    """Round to a fixed grid; the gradient passes inside its range."""
    cut = value.clamp(params.low, params.high)
    return cut + (fake_quantize(params, cut.detach()) - cut.detach())


class _Views:
    """Views of the faces, and what the teacher makes of them, once computed.

    A view is named (turn, face) and drawn by this name alone, whatever else was drawn before.
    """

    def __init__(self, teacher: Program, faces: Faces, seed: int, device: torch.device) -> None:
        self.teacher, self.faces, self.seed, self.device = teacher, faces, seed, device
        self.targets: dict[tuple[int, int], torch.Tensor] = {}

    def batches(self, size: int) -> Iterator[NDArray[np.int64]]:
        """Names of views, (size, 2): all faces in a new order each round, without end."""
        generator, size = np.random.default_rng(self.seed), min(size, len(self.faces))
        for turn in itertools.cycle(range(_VIEWS)):
            order = generator.permutation(len(self.faces))
            names = np.stack([np.full_like(order, turn), order], 1)
            yield from (names[at : at + size] for at in range(0, len(order) - size + 1, size))

    def __call__(self, names: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Views as input, (N, 3, S, S), and the teacher's embeddings of them, (N, E)."""
        keys: list[tuple[int, int]] = [(turn, face) for turn, face in names.tolist()]
        views = [augment(self.faces[face], np.random.default_rng((self.seed, turn, face))) for turn, face in keys]
        inputs = as_input(np.stack(views)).to(self.device)
        if not self.targets.keys() >= set(keys):
            with torch.no_grad():
                self.targets.update(zip(keys, self.teacher(inputs), strict=True))
        return inputs, torch.stack([self.targets[key] for key in keys])


def _schedule(done: float) -> float:
    """Linear warm-up, then half a cosine."""
    return min(1.0, (done + 1e-3) / _WARM_UP) * 0.5 * (1 + math.cos(math.pi * done))
