"""ONNX graph in, TFLite circuit out: each node goes through the rule of its operator.

Layout changes in the rules and nowhere else: activations (N, C, H, W) become (N, H, W, C), constants move with them,
and no TRANSPOSE is left inside. The rules are the same for float32 and for a quantized carrier.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.tflite import convolution, pointwise, prelu, shaping
from ghostface_edge.targets.tflite.circuit import Circuit
from ghostface_edge.targets.tflite.context import Lowering
from ghostface_edge.targets.tflite.forms import Kernels
from ghostface_edge.targets.tflite.interface import set_input
from ghostface_edge.targets.tflite.source import REQUANTIZE, Node, read_source
from ghostface_edge.targets.tflite.units import share_scales

RULES: Final[Mapping[str, Callable[[Node, Lowering], None]]] = MappingProxyType(
    {
        "Add": pointwise.add,
        "AveragePool": shaping.average_pool,
        "Clip": pointwise.clip,
        "Concat": shaping.concatenate,
        "Conv": convolution.convolve,
        "Flatten": shaping.flatten,
        "GlobalAveragePool": shaping.global_average_pool,
        "HardSigmoid": pointwise.hard_sigmoid,
        "Max": pointwise.maximum,
        "Min": pointwise.minimum,
        "Mul": pointwise.multiply,
        "PRelu": prelu.prelu,
        "Relu": pointwise.relu,
        "Resize": shaping.resize,
        "Sigmoid": pointwise.sigmoid,
        REQUANTIZE: shaping.requantize,
    }
)


def lower(model: Path, *, half_weights: bool = False) -> Circuit:
    """Lower a canonical float32 ONNX graph.

    Args:
        model: opset 18, one NCHW input, BatchNorm folded.
        half_weights: store convolution weights as float16.

    Raises:
        ToolError: an operator without a rule, or a form of it that TFLite cannot express.
    """
    source = read_source(model)
    return _lower(Lowering(source, Circuit(source.batch_is_dynamic), half_weights=half_weights))


def lower_carrier(carrier: Path, kernels: Kernels, input_type: InputType) -> Circuit:
    """Lower a QDQ carrier of that graph to integer operators.

    Args:
        carrier: int8 QuantizeLinear/DequantizeLinear around every activation.
        kernels: whose kernels the circuit is written for.
        input_type: what it takes.

    Raises:
        ToolError: as `lower`, or a tensor that the carrier leaves in float.
    """
    source = read_source(carrier)
    batch_is_dynamic = source.batch_is_dynamic and kernels != Kernels.PORTABLE
    circuit = _lower(Lowering(source, Circuit(batch_is_dynamic), kernels=kernels))
    for tensor in circuit.tensors:
        if tensor.dtype == np.float32:
            raise ToolError(
                f"tensor '{tensor.name}' is left in float, so the TFLite model would not be full integer",
                fix="put a QuantizeLinear/DequantizeLinear pair on it in the carrier",
            )
    share_scales(circuit)
    _drop_constant_names(circuit)
    set_input(circuit, input_type, source.input_shift)
    return circuit


def _drop_constant_names(circuit: Circuit) -> None:
    """Layers are named by what they write; the names of their constants would be 1 % of a small int8 file."""
    circuit.tensors = [tensor if tensor.data is None else replace(tensor, name="") for tensor in circuit.tensors]


def _lower(lowering: Lowering) -> Circuit:
    source = lowering.source
    lowering.output(source.input_name)
    for node in source.nodes:
        if node.output in lowering.absorbed:
            continue
        if node.op not in RULES:
            raise ToolError(
                f"{node} has no TFLite rule",
                fix=f"rewrite the ONNX graph to the operators known here: {', '.join(sorted(RULES))}",
            )
        RULES[node.op](node, lowering)
    lowering.circuit.inputs = [lowering.indices[source.input_name]]
    lowering.circuit.outputs = [lowering.indices[source.output_name]]
    return lowering.circuit
