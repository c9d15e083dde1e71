"""Lowering of an ONNX graph to a TFLite subgraph: each node goes through the rule of its operator.

Layout changes in the rules and nowhere else: activations (N, C, H, W) become (N, H, W, C), constants move with them,
and no TRANSPOSE is left inside. The rules are the same for float32 and for a QDQ model.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import onnx_ir as ir

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.qdq import label, stored
from ghostface_edge.targets.tflite import convolution, pointwise, prelu, shaping
from ghostface_edge.targets.tflite.annotated_graph import REQUANTIZE, read_annotated
from ghostface_edge.targets.tflite.interface import set_input
from ghostface_edge.targets.tflite.kernel_set import KernelSet
from ghostface_edge.targets.tflite.lowering_context import LoweringContext
from ghostface_edge.targets.tflite.shared_scales import share_scales
from ghostface_edge.targets.tflite.subgraph import Subgraph

RULES: Final[Mapping[str, Callable[[ir.Node, LoweringContext], None]]] = MappingProxyType(
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


def lower(model: Path, *, half_weights: bool = False) -> Subgraph:
    """Lower a canonical float32 ONNX graph.

    Args:
        model: opset 18, one NCHW input, BatchNorm folded.
        half_weights: store convolution weights as float16.

    Raises:
        ToolError: an operator without a rule, or a form of it that TFLite cannot express.
    """
    source = read_annotated(model)
    return _lower(LoweringContext(source, Subgraph(source.batch_is_dynamic), half_weights=half_weights))


def lower_quantized(qdq_model: Path, kernels: KernelSet, input_type: InputType) -> Subgraph:
    """Lower a QDQ model of that graph to integer operators.

    Args:
        qdq_model: int8 QuantizeLinear/DequantizeLinear around every activation.
        kernels: whose kernels the model is written for.
        input_type: what it takes.

    Raises:
        ToolError: as `lower`, or a tensor that the QDQ model leaves in float.
    """
    source = read_annotated(qdq_model)
    batch_is_dynamic = source.batch_is_dynamic and kernels != KernelSet.PORTABLE
    subgraph = _lower(LoweringContext(source, Subgraph(batch_is_dynamic), kernels=kernels))
    for tensor in subgraph.tensors:
        if tensor.dtype == np.float32:
            raise ToolError(
                f"tensor '{tensor.name}' is left in float, so the TFLite model would not be full integer",
                fix="put a QuantizeLinear/DequantizeLinear pair on it in the QDQ model",
            )
    share_scales(subgraph)
    _drop_constant_names(subgraph)
    set_input(subgraph, input_type, source.input_shift)
    return subgraph


def _drop_constant_names(subgraph: Subgraph) -> None:
    """Layers are named by what they write; the names of their constants would be 1 % of a small int8 file."""
    subgraph.tensors = [tensor if tensor.data is None else replace(tensor, name="") for tensor in subgraph.tensors]


def _lower(lowering: LoweringContext) -> Subgraph:
    graph = lowering.source.graph
    (entry,), (end,) = graph.inputs, graph.outputs
    lowering.output(entry)
    for node in graph:
        if node.outputs[0] in lowering.absorbed or stored(node.outputs[0]) is not None:
            continue
        if node.op_type not in RULES:
            raise ToolError(
                f"{label(node)} has no TFLite rule",
                fix=f"rewrite the ONNX graph to the operators known here: {', '.join(sorted(RULES))}",
            )
        RULES[node.op_type](node, lowering)
    lowering.subgraph.inputs, lowering.subgraph.outputs = [lowering.indices[entry]], [lowering.indices[end]]
    return lowering.subgraph
