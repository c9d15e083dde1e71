"""Choose the unit of each intermediate int8 tensor so that convolutions and their biases can share scales.

A bias's scale is its input's times its weights', per channel: 34 kB of floats in V1-0.5-2. Where the input's scale is
1, the two vectors are equal and the file holds them once. What an intermediate tensor is measured in is nobody's
business: multiply the scales of everything that is added to it, joined or compared with it by one factor, divide it out
of the convolutions that read it, and every integer stays what it was. Input and output keep their units.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Final

import numpy as np

from ghostface_edge.targets.tflite.circuit import Circuit, Operator, Quantization

_CONVOLUTIONS: Final = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})
_HOMOGENEOUS: Final = frozenset(
    {"ADD", "AVERAGE_POOL_2D", "CONCATENATION", "MAXIMUM", "MEAN", "MINIMUM", "PAD", "QUANTIZE", "RELU", "RESHAPE"}
    | {"RESIZE_BILINEAR"}
)
"""f(u·x) = u·f(x) when all operands, constants too, are in the same unit."""
_SCALED_BY_FIRST: Final = frozenset({"MUL", "PRELU"})
"""f(u·x, c) = u·f(x, c)."""


def share_scales(circuit: Circuit) -> None:
    """Measure what convolutions read in steps of 1 where that is free; integers and results do not change.

    Args:
        circuit: full integer; changed in place.
    """
    groups = _Groups(len(circuit.tensors))
    for operator in circuit.operators:
        groups.tie(_same_unit(operator, circuit))
    fixed = {groups.of(index) for index in (*circuit.inputs, *circuit.outputs)}
    for operator in circuit.operators:
        if operator.kind not in _CONVOLUTIONS | _HOMOGENEOUS | _SCALED_BY_FIRST:
            fixed |= {groups.of(index) for index in (*operator.inputs, *operator.outputs)}
    references = _references(circuit, groups)
    kernels = {index for op in circuit.operators if op.kind in _CONVOLUTIONS for index in op.inputs[1:]}
    for index, tensor in enumerate(circuit.tensors):
        group = groups.of(index)
        if tensor.quantization and index not in kernels and group in references and group not in fixed:
            circuit.tensors[index] = replace(tensor, quantization=_divided(tensor.quantization, references[group]))
    units = {group: 1 / scale for group, scale in references.items() if group not in fixed}
    for operator in circuit.operators:
        if operator.kind in _CONVOLUTIONS:
            _follow(operator, circuit, groups, units)


class _Groups:
    """Union–find over tensor indices."""

    def __init__(self, size: int) -> None:
        self.parents = list(range(size))

    def of(self, index: int) -> int:
        while self.parents[index] != index:
            self.parents[index] = self.parents[self.parents[index]]
            index = self.parents[index]
        return index

    def tie(self, indices: list[int]) -> None:
        for index in indices[1:]:
            self.parents[self.of(index)] = self.of(indices[0])


def _same_unit(operator: Operator, circuit: Circuit) -> list[int]:
    if operator.kind in _SCALED_BY_FIRST:
        return [operator.inputs[0], operator.outputs[0]]
    if operator.kind in _HOMOGENEOUS:
        scaled = [index for index in operator.inputs if circuit.tensors[index].quantization]
        return [*scaled, operator.outputs[0]]
    return []


def _references(circuit: Circuit, groups: _Groups) -> dict[int, float]:
    """For each group the scale that most output channels of convolutions would share as 1."""
    channels: defaultdict[int, Counter[float]] = defaultdict(Counter)
    for operator in circuit.operators:
        image = circuit.tensors[operator.inputs[0]]
        if operator.kind in _CONVOLUTIONS and image.quantization:
            width = circuit.tensors[operator.outputs[0]].shape[-1]
            channels[groups.of(operator.inputs[0])][image.quantization.scale] += width
    return {group: counted.most_common(1)[0][0] for group, counted in channels.items()}


def _divided(quantization: Quantization, reference: float) -> Quantization:
    return replace(quantization, scales=tuple(scale / reference for scale in quantization.scales))


def _follow(operator: Operator, circuit: Circuit, groups: _Groups, units: dict[int, float]) -> None:
    """Give a convolution's weights and bias the scales that its input's and output's units ask for."""
    image, weights, bias = operator.inputs
    factor = units.get(groups.of(operator.outputs[0]), 1.0) / units.get(groups.of(image), 1.0)
    kernel, entry = circuit.tensors[weights], circuit.tensors[image]
    if kernel.quantization is None or entry.quantization is None:
        return
    scales = tuple(float(np.float32(scale * factor)) for scale in kernel.quantization.scales)
    circuit.tensors[weights] = replace(kernel, quantization=replace(kernel.quantization, scales=scales))
    accumulated = Quantization(tuple(entry.quantization.scale * scale for scale in scales), (0,) * len(scales))
    circuit.tensors[bias] = replace(circuit.tensors[bias], quantization=accumulated)
