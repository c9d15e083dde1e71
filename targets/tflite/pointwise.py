"""Elementwise operators: Add, Mul, Max, Min, Clip, Relu, Sigmoid, HardSigmoid."""

import numpy as np
import onnx_ir as ir

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.qdq import constant, label, operand, stored
from ghostface_edge.targets.quant_params import QuantParams
from ghostface_edge.targets.tflite.lowering_context import LoweringContext


def add(node: ir.Node, lowering: LoweringContext) -> None:
    """ADD, with a Relu behind it fused."""
    _arithmetic(node, lowering, "ADD", "AddOptions")


def multiply(node: ir.Node, lowering: LoweringContext) -> None:
    """MUL; a gate (N, 1, 1, C) broadcasts."""
    _arithmetic(node, lowering, "MUL", "MulOptions")


def maximum(node: ir.Node, lowering: LoweringContext) -> None:
    """MAXIMUM of two."""
    _extremum(node, lowering, "MAXIMUM")


def minimum(node: ir.Node, lowering: LoweringContext) -> None:
    """MINIMUM of two."""
    _extremum(node, lowering, "MINIMUM")


def relu(node: ir.Node, lowering: LoweringContext) -> None:
    """RELU."""
    lowering.subgraph.operator("RELU", [lowering.input(node)], lowering.output(node.outputs[0]))


def sigmoid(node: ir.Node, lowering: LoweringContext) -> None:
    """LOGISTIC."""
    lowering.subgraph.operator("LOGISTIC", [lowering.input(node)], lowering.output(node.outputs[0]))


def hard_sigmoid(node: ir.Node, lowering: LoweringContext) -> None:
    """clip(a·x + b, 0, 1) that does not follow a convolution: relu6(6a·x + 6b) / 6."""
    if lowering.quantization(node.outputs[0]) is not None:
        raise ToolError(
            f"{label(node)} does not follow a convolution of its own, so it cannot become a clamp of it in int8",
            fix="leave the convolution before a hard sigmoid in place",
        )
    slope, offset = node.attributes.get_float("alpha", 0.2), node.attributes.get_float("beta", 0.5)
    shape, subgraph = lowering.shape(node.outputs[0]), lowering.subgraph

    def scalar(name: str, value: float) -> int:
        return subgraph.constant(f"{node.outputs[0].name}.{name}", np.full(1, value, np.float32))

    scaled = lowering.activation(f"{node.outputs[0].name}.scaled", shape, None)
    subgraph.operator("MUL", [lowering.input(node), scalar("slope", 6 * slope)], scaled, "MulOptions")
    clamped = lowering.activation(f"{node.outputs[0].name}.clamped", shape, None)
    shifted = [scaled, scalar("offset", 6 * offset)]
    subgraph.operator("ADD", shifted, clamped, "AddOptions", fusedActivationFunction="RELU6")
    subgraph.operator("MUL", [clamped, scalar("sixth", 1 / 6)], lowering.output(node.outputs[0]), "MulOptions")


def clip(node: ir.Node, lowering: LoweringContext) -> None:
    """RELU6 for [0, 6], else MAXIMUM and MINIMUM with constants."""
    bounds = [stored(value) for value in (*node.inputs[1:3], None, None)]
    low, high = (
        default if bound is None else bound.values.item()
        for bound, default in zip(bounds, (-np.inf, np.inf), strict=False)
    )
    current = lowering.rescaled(operand(node), lowering.quantization(node.outputs[0]))
    if (low, high) == (0, 6):
        lowering.subgraph.operator("RELU6", [current], lowering.output(node.outputs[0]))
        return
    if np.isfinite(low):
        current = _bounded(node, "MAXIMUM", current, low, lowering, last=not np.isfinite(high))
    if np.isfinite(high):
        current = _bounded(node, "MINIMUM", current, high, lowering, last=True)
    lowering.indices[node.outputs[0]] = current


def _bounded(node: ir.Node, kind: str, current: int, bound: float, lowering: LoweringContext, *, last: bool) -> int:
    quantization = lowering.quantization(node.outputs[0])
    name = f"{node.outputs[0].name}.{kind.lower()}"
    written = (
        lowering.output(node.outputs[0])
        if last
        else lowering.activation(name, lowering.shape(node.outputs[0]), quantization)
    )
    constant = _scalar(f"{name}.bound", bound, quantization, lowering)
    lowering.subgraph.operator(kind, [current, constant], written, "MaximumMinimumOptions")
    return written


def _scalar(name: str, value: float, quantization: QuantParams | None, lowering: LoweringContext) -> int:
    values = np.full(1, value, np.float32)
    if quantization is None:
        return lowering.subgraph.constant(name, values)
    return lowering.subgraph.constant(name, quantization.quantize(values), quantization)


def _arithmetic(node: ir.Node, lowering: LoweringContext, kind: str, options: str) -> None:
    operands = [lowering.operand(node, 0), lowering.operand(node, 1)]
    output, activation = lowering.absorb_relu(node)
    lowering.subgraph.operator(kind, operands, lowering.output(output), options, fusedActivationFunction=activation)


def _extremum(node: ir.Node, lowering: LoweringContext, kind: str) -> None:
    """Kernels of both want every operand at the output's scale."""
    if len(node.inputs) != 2:
        raise ToolError(f"{label(node)} has {len(node.inputs)} operands, TFLite takes 2", fix="split it into pairs")
    wanted = lowering.quantization(node.outputs[0])
    operands = [
        lowering.rescaled(value, wanted)
        if value in lowering.indices
        else _constant_at(node, position, wanted, lowering)
        for position, value in enumerate(operand(node, position) for position in range(2))
    ]
    lowering.subgraph.operator(kind, operands, lowering.output(node.outputs[0]), "MaximumMinimumOptions")


def _constant_at(node: ir.Node, position: int, wanted: QuantParams | None, lowering: LoweringContext) -> int:
    index = lowering.operand(node, position)
    if wanted is None:
        return index
    real = constant(node, position).real()
    layout = lowering.subgraph.tensors[index].shape
    moved = real.reshape(1) if real.size == 1 else real.reshape(layout)
    name = f"{operand(node, position).name}.at_output"
    return lowering.subgraph.constant(name, wanted.quantize(moved), wanted)
