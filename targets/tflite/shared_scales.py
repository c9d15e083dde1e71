"""Shared scales: the unit of each intermediate int8 tensor chosen so that convolutions and their biases share theirs.

A bias's scale is its input's times its weights', per channel: 34 kB of floats in V1-0.5-2. Where the input's scale is
1, the two vectors are equal and the file holds them once. What an intermediate tensor is measured in is nobody's
business: multiply the scales of everything that is added to it, joined or compared with it by one factor, divide it out
of the convolutions that read it, and every integer stays what it was. Input and output keep their units.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Final

import numpy as np

from ghostface_edge.targets.disjoint_sets import DisjointSets
from ghostface_edge.targets.quant_params import ChannelScales, QuantParams
from ghostface_edge.targets.tflite.subgraph import Operator, Subgraph

_CONVOLUTIONS: Final = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})
_HOMOGENEOUS: Final = frozenset(
    {"ADD", "AVERAGE_POOL_2D", "CONCATENATION", "MAXIMUM", "MEAN", "MINIMUM", "PAD", "QUANTIZE", "RELU", "RESHAPE"}
    | {"RESIZE_BILINEAR"}
)
"""f(u·x) = u·f(x) when all operands, constants too, are in the same unit."""
_SCALED_BY_FIRST: Final = frozenset({"MUL", "PRELU"})
"""f(u·x, c) = u·f(x, c)."""


def share_scales(subgraph: Subgraph) -> None:
    """Measure what convolutions read in steps of 1 where that is free; integers and results do not change.

    Args:
        subgraph: full integer; changed in place.
    """
    groups: DisjointSets[int] = DisjointSets()
    for operator in subgraph.operators:
        groups.tie(_same_unit(operator, subgraph))
    fixed = {groups.root(index) for index in (*subgraph.inputs, *subgraph.outputs)}
    for operator in subgraph.operators:
        if operator.kind not in _CONVOLUTIONS | _HOMOGENEOUS | _SCALED_BY_FIRST:
            fixed |= {groups.root(index) for index in (*operator.inputs, *operator.outputs)}
    references = _references(subgraph, groups)
    kernels = {index for op in subgraph.operators if op.kind in _CONVOLUTIONS for index in op.inputs[1:]}
    for index, tensor in enumerate(subgraph.tensors):
        group = groups.root(index)
        params = tensor.quantization
        if isinstance(params, QuantParams) and index not in kernels and group in references and group not in fixed:
            divided = replace(params, scale=params.scale / references[group])
            subgraph.tensors[index] = replace(tensor, quantization=divided)
    units = {group: 1 / scale for group, scale in references.items() if group not in fixed}
    for operator in subgraph.operators:
        if operator.kind in _CONVOLUTIONS:
            _follow(operator, subgraph, groups, units)


def _same_unit(operator: Operator, subgraph: Subgraph) -> list[int]:
    if operator.kind in _SCALED_BY_FIRST:
        return [operator.inputs[0], operator.outputs[0]]
    if operator.kind in _HOMOGENEOUS:
        scaled = [index for index in operator.inputs if subgraph.tensors[index].quantization]
        return [*scaled, operator.outputs[0]]
    return list(operator.outputs[:1])


def _references(subgraph: Subgraph, groups: DisjointSets[int]) -> dict[int, float]:
    """For each group the scale that most output channels of convolutions would share as 1."""
    channels: defaultdict[int, Counter[float]] = defaultdict(Counter)
    for operator in subgraph.operators:
        image = subgraph.tensors[operator.inputs[0]]
        if operator.kind in _CONVOLUTIONS and isinstance(image.quantization, QuantParams):
            width = subgraph.tensors[operator.outputs[0]].shape[-1]
            channels[groups.root(operator.inputs[0])][image.quantization.scale] += width
    return {group: counted.most_common(1)[0][0] for group, counted in channels.items()}


def _follow(operator: Operator, subgraph: Subgraph, groups: DisjointSets[int], units: dict[int, float]) -> None:
    """Give a convolution's weights and bias the scales that its input's and output's units ask for."""
    image, weights, bias = operator.inputs
    factor = units.get(groups.root(operator.outputs[0]), 1.0) / units.get(groups.root(image), 1.0)
    kernel, entry = subgraph.tensors[weights], subgraph.tensors[image]
    if not isinstance(kernel.quantization, ChannelScales) or not isinstance(entry.quantization, QuantParams):
        return
    scales = tuple(float(np.float32(scale * factor)) for scale in kernel.quantization.scales)
    subgraph.tensors[weights] = replace(kernel, quantization=replace(kernel.quantization, scales=scales))
    accumulated = ChannelScales(tuple(entry.quantization.scale * scale for scale in scales))
    subgraph.tensors[bias] = replace(subgraph.tensors[bias], quantization=accumulated)
