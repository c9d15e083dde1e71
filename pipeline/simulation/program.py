"""A network as a list of PyTorch steps, in the form in which it will be quantized.

Two things differ from the ONNX graph it was read from (`reading`). A hard sigmoid behind a convolution is folded into
it, so that only the clip to [0, 1] is left; and every convolution has a bias. A clip or ReLU that has a convolution to
itself is *saturating*: on integers the convolution's own output range does its work, and no operator is left of it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

import torch
from torch.nn import functional

from ghostface_edge.pipeline.simulation.kernels import Prelu

Parameters: TypeAlias = dict[str, torch.Tensor]
"""Tensors by `<step>.weight`, `<step>.bias`, `<step>.slope`."""
Values: TypeAlias = dict[str, torch.Tensor]
Transform: TypeAlias = Callable[[str, torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Step:
    """One operator: what it reads, what it writes, its constants' settings."""

    op: str
    name: str
    inputs: tuple[str, ...]
    """Computed values only; parameters go by the step's name."""
    output: str
    stride: tuple[int, int] = (1, 1)
    kernel: tuple[int, int] = (1, 1)
    """Height and width; of a resize, those of its output."""
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Top, left, bottom, right."""
    groups: int = 1
    bounds: tuple[float, float] = (0.0, 1.0)
    """Of a clip; alpha and beta of a hard sigmoid."""
    saturating: bool = False
    """A clip or ReLU that vanishes into the range of the convolution before it."""


@dataclass(frozen=True, slots=True)
class Program:
    """A network as steps and parameters."""

    steps: tuple[Step, ...]
    parameters: Parameters
    input: str
    output: str
    last_use: Mapping[str, int] = field(repr=False)
    """Index of the step after which a value is no longer needed."""

    def __call__(self, faces: torch.Tensor, *, transform: Transform | None = None) -> torch.Tensor:
        """Run on float32 (N, 3, S, S); `transform` sees every value, the input included, and may replace it."""
        values = {self.input: faces if transform is None else transform(self.input, faces)}
        return self.resume(values, 0, transform=transform)

    def resume(self, values: Values, start: int, *, transform: Transform | None = None) -> torch.Tensor:
        """Run the steps from index `start` on; `values` hold what these read, and are used up."""
        for index, step in enumerate(self.steps[start:], start):
            value = evaluate(step, [values[name] for name in step.inputs], self.parameters)
            values[step.output] = value if transform is None else transform(step.output, value)
            self.forget(values, index)
        return values[self.output]

    def forget(self, values: Values, index: int) -> None:
        """Drop the values that no step after this one reads."""
        step = self.steps[index]
        for name in {*step.inputs, step.output}:
            if self.last_use[name] == index:
                del values[name]

    def convolutions(self) -> Iterator[Step]:
        """The steps that hold multiply-accumulates."""
        return (step for step in self.steps if step.op == "Conv")

    def consumers(self, value: str) -> tuple[Step, ...]:
        """The steps that read a value."""
        return tuple(step for step in self.steps if value in step.inputs)

    def producer(self, value: str) -> Step | None:
        """The step that writes a value, None for the input."""
        return next((step for step in self.steps if step.output == value), None)


def evaluate(step: Step, inputs: list[torch.Tensor], parameters: Parameters) -> torch.Tensor:
    """One operator on float32 NCHW values."""
    return _OPERATORS[step.op](step, inputs, parameters)


def _convolution(step: Step, inputs: list[torch.Tensor], parameters: Parameters) -> torch.Tensor:
    return convolve(step, inputs[0], parameters[f"{step.name}.weight"], parameters[f"{step.name}.bias"])


def _prelu(step: Step, inputs: list[torch.Tensor], parameters: Parameters) -> torch.Tensor:
    return Prelu.apply(inputs[0], parameters[f"{step.name}.slope"])  # type: ignore[no-any-return, no-untyped-call]


_OPERATORS: Mapping[str, Callable[[Step, list[torch.Tensor], Parameters], torch.Tensor]] = MappingProxyType(
    {
        "Conv": _convolution,
        "PRelu": _prelu,
        "Relu": lambda _step, inputs, _parameters: functional.relu(inputs[0]),
        "Concat": lambda _step, inputs, _parameters: torch.cat(inputs, 1),
        "Add": lambda _step, inputs, _parameters: inputs[0] + inputs[1],
        "Mul": lambda _step, inputs, _parameters: inputs[0] * inputs[1],
        "GlobalAveragePool": lambda _step, inputs, _parameters: inputs[0].mean((2, 3), keepdim=True),
        "AveragePool": lambda step, inputs, _parameters: functional.avg_pool2d(inputs[0], step.kernel, step.stride),
        "Clip": lambda step, inputs, _parameters: inputs[0].clamp(*step.bounds),
        "HardSigmoid": lambda step, inputs, _parameters: (inputs[0] * step.bounds[0] + step.bounds[1]).clamp(0.0, 1.0),
        "Sigmoid": lambda _step, inputs, _parameters: torch.sigmoid(inputs[0]),
        "Resize": lambda step, inputs, _parameters: functional.interpolate(
            inputs[0], step.kernel, mode="bilinear", align_corners=False
        ),
        "Flatten": lambda _step, inputs, _parameters: torch.flatten(inputs[0], 1),
    }
)


def convolve(step: Step, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """The step's convolution with any weights."""
    top, left, bottom, right = step.pads
    if (top, left) != (bottom, right):
        x = functional.pad(x, (left, right, top, bottom))
        top = left = 0
    return functional.conv2d(x, weight, bias, step.stride, (top, left), groups=step.groups)
