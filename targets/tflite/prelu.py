"""PRelu: one PRELU operator, or in int8 the form that has fast kernels.

XNNPACK has no int8 PRELU, and LiteRT's own kernel for it takes 3.6 to 6.2 ns an element and rounds twice. Where no
slope exceeds 1, prelu(x) = max(x, slope * x), and because rounding is monotone the maximum of the two rounded operands
is the rounded PRelu itself: MUL, ADD (of 0, to change the scale) and MAXIMUM take 0.35 ns an element
(docs/decisions/0005-tflite-prelu.md).
"""

from typing import Final

import numpy as np
import onnx_ir as ir

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.qdq import Stored, constant, label, name_of, operand
from ghostface_edge.targets.quant_params import QuantParams
from ghostface_edge.targets.tflite.kernel_set import KernelSet
from ghostface_edge.targets.tflite.lowering_context import LoweringContext
from ghostface_edge.targets.tflite.subgraph import Array

_STEEPEST = 1.0 + 1e-6
_FEW_CHANNELS: Final = 20
"""Below this many, repeated slopes are worth their bytes on any map: the MUL takes half the time."""
_LARGE_MAP, _FEW_ON_LARGE_MAPS = 56, 64
"""On maps this wide they still are below that many."""


def prelu(node: ir.Node, lowering: LoweringContext) -> None:
    """Lower one PRelu with slopes (C, 1, 1)."""
    slopes, written = constant(node, 1), node.outputs[0]
    channels = lowering.shape(written)[-1]
    shape = slopes.values.shape
    if shape[-3:] != (channels, 1, 1) or slopes.values.size != channels:
        raise ToolError(f"{label(node)} has slopes of shape {shape}, not (C, 1, 1)", fix="export the model again")
    wanted = lowering.quantization(written)
    is_fast = lowering.kernels == KernelSet.XNNPACK and float(slopes.real().max()) <= _STEEPEST
    if wanted is not None and is_fast:
        _maximum(node, slopes, wanted, lowering)
        return
    name = name_of(operand(node, 1))
    stored = lowering.subgraph.constant(name, slopes.values.reshape(1, 1, channels), slopes.params)
    lowering.subgraph.operator("PRELU", [lowering.input(node), stored], lowering.output(written))


def _maximum(node: ir.Node, slopes: Stored, wanted: QuantParams, lowering: LoweringContext) -> None:
    subgraph, written = lowering.subgraph, node.outputs[0]
    shape = lowering.shape(written)
    row = subgraph.constant(name_of(operand(node, 1)), _one_row(slopes.values, shape[2]), slopes.params)
    scaled = lowering.activation(f"{written.name}.scaled", shape, wanted)
    subgraph.operator("MUL", [lowering.input(node), row], scaled, "MulOptions")
    kept = lowering.rescaled(operand(node), wanted)
    subgraph.operator("MAXIMUM", [kept, scaled], lowering.output(written), "MaximumMinimumOptions")


def _one_row(slopes: Array, width: int) -> Array:
    """Slopes (1, 1, 1, C), or repeated over a row of pixels, (1, 1, W, C), where a pixel has few channels.

    XNNPACK calls its kernel once for every stretch that the slopes cover, which is slow for short ones.
    """
    few = _FEW_ON_LARGE_MAPS if width >= _LARGE_MAP else _FEW_CHANNELS
    repeats = width if slopes.size < few else 1
    return np.tile(slopes.reshape(1, 1, 1, -1), (1, 1, repeats, 1))
