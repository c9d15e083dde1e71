"""Context of one lowering: the ONNX graph it reads, the TFLite subgraph it writes, and the map between them."""

from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir
from numpy.typing import DTypeLike

from ghostface_edge.targets.qdq import constant, name_of, operand, sizes
from ghostface_edge.targets.quant_params import INT8_MAX, ChannelScales, QuantParams
from ghostface_edge.targets.tflite.annotated_graph import AnnotatedGraph
from ghostface_edge.targets.tflite.kernel_set import KernelSet
from ghostface_edge.targets.tflite.subgraph import Array, Subgraph

_HUNDREDTH_STEP = 0.01


def nhwc(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(N, C, H, W) to (N, H, W, C); (N, E) stays."""
    if len(shape) != 4:
        return shape
    batch, channels, height, width = shape
    return (batch, height, width, channels)


@dataclass(slots=True)
class LoweringContext:
    """One lowering under way; rules read `source` and append to `subgraph`."""

    source: AnnotatedGraph
    subgraph: Subgraph
    half_weights: bool = False
    """Store convolution weights as float16 behind a DEQUANTIZE."""
    kernels: KernelSet = KernelSet.XNNPACK
    indices: dict[ir.Value, int] = field(default_factory=dict)
    absorbed: set[ir.Value] = field(default_factory=set)
    """Outputs of nodes that the rule of the node before them took along."""

    def shape(self, tensor: ir.Value) -> tuple[int, ...]:
        """Shape of an ONNX activation in TFLite's layout, batch 1."""
        return nhwc(sizes(tensor))

    def quantization(self, tensor: ir.Value) -> QuantParams | None:
        """How the QDQ model quantizes an activation; None in a float graph."""
        return self.source.params.get(tensor)

    def input(self, node: ir.Node) -> int:
        """Index of what a node reads first."""
        return self.indices[operand(node)]

    def output(self, tensor: ir.Value) -> int:
        """Declare the activation that an ONNX tensor becomes."""
        index = self.activation(name_of(tensor), self.shape(tensor), self.quantization(tensor))
        self.indices[tensor] = index
        return index

    def activation(self, name: str, shape: tuple[int, ...], quantization: QuantParams | None) -> int:
        """Declare an activation, int8 if it has a quantization."""
        dtype: DTypeLike = np.float32 if quantization is None else np.int8
        return self.subgraph.activation(name, shape, dtype, quantization)

    def weight(self, name: str, data: Array, quantization: ChannelScales | None) -> int:
        """Add a convolution's weights, in the precision asked for."""
        if quantization is not None or not self.half_weights:
            return self.subgraph.constant(name, data, quantization)
        stored = self.subgraph.constant(f"{name}.float16", data.astype(np.float16))
        restored = self.subgraph.restored(name, data.shape)
        self.subgraph.operator("DEQUANTIZE", [stored], restored, "DequantizeOptions")
        return restored

    def operand(self, node: ir.Node, position: int) -> int:
        """An input of an elementwise node: an activation, or a constant moved to TFLite's layout."""
        tensor = operand(node, position)
        if tensor in self.indices:
            return self.indices[tensor]
        stored, name = constant(node, position), name_of(tensor)
        values = stored.real().astype(np.float32)
        rank = len(sizes(node.outputs[0]))
        if values.size == 1:
            values = values.reshape(1)
        elif rank == 4:
            values = values.reshape((1,) * (rank - values.ndim) + values.shape).transpose(0, 2, 3, 1)
        if self.quantization(node.outputs[0]) is None:
            return self.subgraph.constant(name, values)
        params = stored.params
        if not isinstance(params, QuantParams):
            params = QuantParams(max(float(np.abs(values).max()), 1e-8) / INT8_MAX, 0)
        return self.subgraph.constant(name, params.quantize(values), params)

    def rescaled(self, tensor: ir.Value, wanted: QuantParams | None) -> int:
        """Index of an activation at a wanted scale, through an operator of its own where it has another.

        XNNPACK's QUANTIZE multiplies by a factor of 8 bits, which is up to 0.15 of a step off. Its ADD of a constant 0
        rounds rightly at 0.11 instead of 0.03 ns an element, so it stands in where the factor is not a multiple of
        1/256.
        """
        index, present = self.indices[tensor], self.quantization(tensor)
        if present == wanted:
            return index
        name = f"{name_of(tensor)}.rescaled.{len(self.subgraph.tensors)}"
        rescaled = self.activation(name, self.shape(tensor), wanted)
        if self.kernels == KernelSet.XNNPACK and present and wanted and not _has_8_bits(present.scale / wanted.scale):
            zero = self.subgraph.constant(f"{name}.zero", np.zeros(1, np.int8), QuantParams(present.scale, 0))
            self.subgraph.operator("ADD", [index, zero], rescaled, "AddOptions")
        else:
            self.subgraph.operator("QUANTIZE", [index], rescaled, "QuantizeOptions")
        return rescaled

    def reshaped(self, index: int, name: str, shape: tuple[int, ...]) -> int:
        """Another view of an activation, named `name`."""
        source = self.subgraph.tensors[index]
        view = self.subgraph.activation(name, shape, source.dtype, source.quantization)
        lengths = self.subgraph.constant(f"{name}.shape", np.array([-1, *shape[1:]], np.int32))
        self.subgraph.operator("RESHAPE", [index, lengths], view)
        return view

    def sole_consumer(self, tensor: ir.Value, op: str) -> ir.Node | None:
        """The only node that reads `tensor`, if it is an `op`."""
        consumers = tensor.consumers()
        if len(consumers) == 1 and consumers[0].op_type == op and not tensor.is_graph_output():
            return consumers[0]
        return None

    def absorb_relu(self, node: ir.Node) -> tuple[ir.Value, str]:
        """The tensor `node` writes and its fused activation: a Relu right behind it is taken along.

        In a QDQ model that quantizes the tensor between the two, the Relu stays an operator of its own: what was
        simulated is what runs.
        """
        written = node.outputs[0]
        relu = self.sole_consumer(written, "Relu")
        if relu is None or self.quantization(written) is not None:
            return written, "NONE"
        self.absorbed.add(relu.outputs[0])
        return relu.outputs[0], "RELU"


def _has_8_bits(factor: float) -> bool:
    """Does XNNPACK's QUANTIZE hold this ratio of scales to a hundredth of a step over all int8 values?"""
    return abs(round(factor * 256) / 256 - factor) * 256 < _HUNDREDTH_STEP
