"""PRelu: one PRELU operator, or in int8 the form that has fast kernels.

XNNPACK has no int8 PRELU, and LiteRT's own kernel for it takes 3.6 to 6.2 ns an element and rounds twice. Where no
slope exceeds 1, prelu(x) = max(x, slope * x), and because rounding is monotone the maximum of the two rounded operands
is the rounded PRelu itself: MUL, ADD (of 0, to change the scale) and MAXIMUM take 0.35 ns an element
(docs/decisions/0005-tflite-prelu.md).
"""

from typing import Final

import numpy as np

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.tflite.circuit import Array, Quantization
from ghostface_edge.targets.tflite.context import Lowering
from ghostface_edge.targets.tflite.forms import Kernels
from ghostface_edge.targets.tflite.source import Constant, Node

_STEEPEST = 1.0 + 1e-6
_FEW_CHANNELS: Final = 20
"""Below this many, repeated slopes are worth their bytes on any map: the MUL takes half the time."""
_LARGE_MAP, _FEW_ON_LARGE_MAPS = 56, 64
"""On maps this wide they still are below that many."""


def prelu(node: Node, lowering: Lowering) -> None:
    """Lower one PRelu with slopes (C, 1, 1)."""
    slopes = lowering.source.constant(node, 1)
    channels = lowering.shape(node.output)[-1]
    if slopes.data.shape[-3:] != (channels, 1, 1) or slopes.data.size != channels:
        raise ToolError(f"{node} has slopes of shape {slopes.data.shape}, not (C, 1, 1)", fix="export the model again")
    wanted = lowering.quantization(node.output)
    is_fast = lowering.kernels == Kernels.XNNPACK and float(slopes.real().max()) <= _STEEPEST
    if wanted is not None and is_fast:
        _maximum(node, slopes, wanted, lowering)
        return
    constant = lowering.circuit.constant(node.inputs[1], slopes.data.reshape(1, 1, channels), slopes.quantization)
    lowering.circuit.operator("PRELU", [lowering.indices[node.inputs[0]], constant], lowering.output(node.output))


def _maximum(node: Node, slopes: Constant, wanted: Quantization, lowering: Lowering) -> None:
    circuit, shape = lowering.circuit, lowering.shape(node.output)
    row = circuit.constant(node.inputs[1], _one_row(slopes.data, shape[2]), slopes.quantization)
    scaled = lowering.activation(f"{node.output}.scaled", shape, wanted)
    circuit.operator("MUL", [lowering.indices[node.inputs[0]], row], scaled, "MulOptions")
    kept = lowering.rescaled(node.inputs[0], wanted)
    circuit.operator("MAXIMUM", [kept, scaled], lowering.output(node.output), "MaximumMinimumOptions")


def _one_row(slopes: Array, width: int) -> Array:
    """Slopes (1, 1, 1, C), or repeated over a row of pixels, (1, 1, W, C), where a pixel has few channels.

    XNNPACK calls its kernel once for every stretch that the slopes cover, which is slow for short ones.
    """
    few = _FEW_ON_LARGE_MAPS if width >= _LARGE_MAP else _FEW_CHANNELS
    repeats = width if slopes.size < few else 1
    return np.tile(slopes.reshape(1, 1, 1, -1), (1, 1, repeats, 1))
