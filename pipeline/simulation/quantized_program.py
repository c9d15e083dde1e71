"""The quantized program: a network's steps with rounded parameters, and how its activations are quantized.

Any of its tensors and steps may compute in float beside the others: float fallback.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.pipeline.simulation.program import Parameters, Program
from ghostface_edge.targets.quant_params import QuantParams


@dataclass(frozen=True, slots=True)
class QuantizedProgram:
    """Everything that INT8 inference needs."""

    program: Program
    """Parameters already on their grids where they are quantized."""
    activations: Mapping[str, QuantParams]
    """By value; a value without them stays in float."""
    weight_scales: Mapping[str, NDArray[np.float32]]
    """(O,), by convolution; a convolution without them keeps float weights."""
    slope_scales: Mapping[str, float]
    """By PReLU; a PReLU without one keeps float slopes."""


def with_float_fallback(
    quantized: QuantizedProgram, source: Parameters, *, tensors: Collection[str], steps: Collection[str]
) -> QuantizedProgram:
    """Let some tensors and steps compute in float.

    Args:
        quantized: stays as it is.
        source: float32 parameters, by their names in the program; the steps' own are taken from here as far as
            they are given.
        tensors: values that lose their quantizers.
        steps: names of convolutions and PReLUs that lose the rounding of weights and slopes.
    """
    activations = {value: params for value, params in quantized.activations.items() if value not in tensors}
    own = {name: value for name, value in source.items() if name.rsplit(".", 1)[0] in steps}
    return QuantizedProgram(
        replace(quantized.program, parameters=quantized.program.parameters | own),
        activations,
        {name: scales for name, scales in quantized.weight_scales.items() if name not in steps},
        {name: scale for name, scale in quantized.slope_scales.items() if name not in steps},
    )
