"""ONNX graph in, TFLite circuit out: each node goes through the rule of its operator.

Layout changes in the rules and nowhere else: activations (N, C, H, W) become (N, H, W, C), constants move with them,
and no TRANSPOSE is left inside. The rules are the same for float32 and for a quantized carrier.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.tflite import convolution, pointwise, shaping
from ghostface_edge.targets.tflite.circuit import Circuit
from ghostface_edge.targets.tflite.context import Lowering
from ghostface_edge.targets.tflite.source import REQUANTIZE, Node, read_source

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
        "PRelu": pointwise.prelu,
        "Relu": pointwise.relu,
        "Resize": shaping.resize,
        "Sigmoid": pointwise.sigmoid,
        REQUANTIZE: shaping.requantize,
    }
)


def lower(model: Path, *, half_weights: bool = False) -> Circuit:
    """Lower a canonical float ONNX graph, or a QDQ carrier of one.

    Args:
        model: opset 18, one NCHW input, BatchNorm folded.
        half_weights: store convolution weights as float16.

    Raises:
        ToolError: an operator without a rule, or a form of it that TFLite cannot express.
    """
    source = read_source(model)
    lowering = Lowering(source, Circuit(source.batch_is_dynamic), half_weights)
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
