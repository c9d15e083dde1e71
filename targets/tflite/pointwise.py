"""Elementwise operators: Add, Mul, Max, Min, Clip, Relu, Sigmoid, HardSigmoid."""

import numpy as np

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.tflite.circuit import Quantization
from ghostface_edge.targets.tflite.context import Lowering, quantized
from ghostface_edge.targets.tflite.source import Node


def add(node: Node, lowering: Lowering) -> None:
    """ADD, with a Relu behind it fused."""
    _arithmetic(node, lowering, "ADD", "AddOptions")


def multiply(node: Node, lowering: Lowering) -> None:
    """MUL; a gate (N, 1, 1, C) broadcasts."""
    _arithmetic(node, lowering, "MUL", "MulOptions")


def maximum(node: Node, lowering: Lowering) -> None:
    """MAXIMUM of two."""
    _extremum(node, lowering, "MAXIMUM")


def minimum(node: Node, lowering: Lowering) -> None:
    """MINIMUM of two."""
    _extremum(node, lowering, "MINIMUM")


def relu(node: Node, lowering: Lowering) -> None:
    """RELU."""
    lowering.circuit.operator("RELU", [lowering.indices[node.inputs[0]]], lowering.output(node.output))


def sigmoid(node: Node, lowering: Lowering) -> None:
    """LOGISTIC."""
    lowering.circuit.operator("LOGISTIC", [lowering.indices[node.inputs[0]]], lowering.output(node.output))


def hard_sigmoid(node: Node, lowering: Lowering) -> None:
    """clip(a·x + b, 0, 1) that does not follow a convolution: relu6(6a·x + 6b) / 6."""
    if lowering.quantization(node.output) is not None:
        raise ToolError(
            f"{node} does not follow a convolution of its own, so it cannot become a clamp of it in int8",
            fix="leave the convolution before a hard sigmoid in place",
        )
    slope, offset = node.number("alpha", 0.2), node.number("beta", 0.5)
    shape, circuit = lowering.shape(node.output), lowering.circuit

    def scalar(name: str, value: float) -> int:
        return circuit.constant(f"{node.output}.{name}", np.full(1, value, np.float32))

    scaled = lowering.activation(f"{node.output}.scaled", shape, None)
    circuit.operator("MUL", [lowering.indices[node.inputs[0]], scalar("slope", 6 * slope)], scaled, "MulOptions")
    clamped = lowering.activation(f"{node.output}.clamped", shape, None)
    shifted = [scaled, scalar("offset", 6 * offset)]
    circuit.operator("ADD", shifted, clamped, "AddOptions", fusedActivationFunction="RELU6")
    circuit.operator("MUL", [clamped, scalar("sixth", 1 / 6)], lowering.output(node.output), "MulOptions")


def clip(node: Node, lowering: Lowering) -> None:
    """RELU6 for [0, 6], else MAXIMUM and MINIMUM with constants."""
    low, high = (
        float(lowering.source.constant(node, position).data)
        if len(node.inputs) > position and node.inputs[position]
        else default
        for position, default in ((1, -np.inf), (2, np.inf))
    )
    current = lowering.rescaled(node.inputs[0], lowering.quantization(node.output))
    if (low, high) == (0, 6):
        lowering.circuit.operator("RELU6", [current], lowering.output(node.output))
        return
    if np.isfinite(low):
        current = _bounded(node, "MAXIMUM", current, low, lowering, last=not np.isfinite(high))
    if np.isfinite(high):
        current = _bounded(node, "MINIMUM", current, high, lowering, last=True)
    lowering.indices[node.output] = current


def _bounded(node: Node, kind: str, current: int, bound: float, lowering: Lowering, *, last: bool) -> int:
    quantization = lowering.quantization(node.output)
    name = f"{node.output}.{kind.lower()}"
    written = (
        lowering.output(node.output) if last else lowering.activation(name, lowering.shape(node.output), quantization)
    )
    constant = _scalar(f"{name}.bound", bound, quantization, lowering)
    lowering.circuit.operator(kind, [current, constant], written, "MaximumMinimumOptions")
    return written


def _scalar(name: str, value: float, quantization: Quantization | None, lowering: Lowering) -> int:
    values = np.full(1, value, np.float32)
    if quantization is None:
        return lowering.circuit.constant(name, values)
    return lowering.circuit.constant(name, quantized(values, quantization), quantization)


def _arithmetic(node: Node, lowering: Lowering, kind: str, options: str) -> None:
    operands = [lowering.operand(node, 0), lowering.operand(node, 1)]
    output, activation = lowering.absorb_relu(node)
    lowering.circuit.operator(kind, operands, lowering.output(output), options, fusedActivationFunction=activation)


def _extremum(node: Node, lowering: Lowering, kind: str) -> None:
    """Kernels of both want every operand at the output's scale."""
    if len(node.inputs) != 2:
        raise ToolError(f"{node} has {len(node.inputs)} operands, TFLite takes 2", fix="split it into pairs")
    wanted = lowering.quantization(node.output)
    operands = [
        lowering.rescaled(name, wanted) if name in lowering.indices else _constant_at(node, position, wanted, lowering)
        for position, name in enumerate(node.inputs)
    ]
    lowering.circuit.operator(kind, operands, lowering.output(node.output), "MaximumMinimumOptions")


def _constant_at(node: Node, position: int, wanted: Quantization | None, lowering: Lowering) -> int:
    index = lowering.operand(node, position)
    if wanted is None:
        return index
    real = lowering.source.constant(node, position).real()
    layout = lowering.circuit.tensors[index].shape
    moved = real.reshape(1) if real.size == 1 else real.reshape(layout)
    return lowering.circuit.constant(f"{node.inputs[position]}.at_output", quantized(moved, wanted), wanted)
