"""What a lowering rule works with: the ONNX source it reads, the TFLite circuit it writes, and the map between them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ghostface_edge.targets.tflite.circuit import Array, Circuit, Quantization, per_tensor
from ghostface_edge.targets.tflite.forms import Kernels
from ghostface_edge.targets.tflite.source import Node, Source

_INT8_MAX = 127
_HUNDREDTH_STEP = 0.01


def nhwc(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(N, C, H, W) to (N, H, W, C); (N, E) stays."""
    if len(shape) != 4:
        return shape
    batch, channels, height, width = shape
    return (batch, height, width, channels)


@dataclass(slots=True)
class Lowering:
    """One lowering under way; rules read `source` and append to `circuit`."""

    source: Source
    circuit: Circuit
    half_weights: bool = False
    """Store convolution weights as float16 behind a DEQUANTIZE."""
    kernels: Kernels = Kernels.XNNPACK
    indices: dict[str, int] = field(default_factory=dict)
    absorbed: set[str] = field(default_factory=set)
    """Outputs of nodes that the rule of the node before them took along."""

    def shape(self, tensor: str) -> tuple[int, ...]:
        """Shape of an ONNX activation in TFLite's layout, batch 1."""
        return nhwc(self.source.shapes[tensor])

    def quantization(self, tensor: str) -> Quantization | None:
        """How the carrier quantizes an activation; None in a float graph."""
        return self.source.quantization.get(tensor)

    def output(self, name: str) -> int:
        """Declare the activation that an ONNX tensor becomes."""
        index = self.activation(name, self.shape(name), self.quantization(name))
        self.indices[name] = index
        return index

    def activation(self, name: str, shape: tuple[int, ...], quantization: Quantization | None) -> int:
        """Declare an activation, int8 if it has a quantization."""
        dtype: DTypeLike = np.float32 if quantization is None else np.int8
        return self.circuit.activation(name, shape, dtype, quantization)

    def weight(self, name: str, data: Array, quantization: Quantization | None) -> int:
        """Add a convolution's weights, in the precision asked for."""
        if quantization is not None or not self.half_weights:
            return self.circuit.constant(name, data, quantization)
        stored = self.circuit.constant(f"{name}.float16", data.astype(np.float16))
        restored = self.circuit.restored(name, data.shape)
        self.circuit.operator("DEQUANTIZE", [stored], restored, "DequantizeOptions")
        return restored

    def operand(self, node: Node, position: int) -> int:
        """An input of an elementwise node: an activation, or a constant moved to TFLite's layout."""
        name = node.inputs[position]
        if name in self.indices:
            return self.indices[name]
        constant = self.source.constant(node, position)
        values = constant.real().astype(np.float32)
        rank = len(self.source.shapes[node.output])
        if values.size == 1:
            values = values.reshape(1)
        elif rank == 4:
            values = values.reshape((1,) * (rank - values.ndim) + values.shape).transpose(0, 2, 3, 1)
        if self.quantization(node.output) is None:
            return self.circuit.constant(name, values)
        quantization = constant.quantization
        if quantization is None or len(quantization.scales) != 1:
            quantization = per_tensor(max(float(np.abs(values).max()), 1e-8) / _INT8_MAX, 0)
        return self.circuit.constant(name, quantized(values, quantization), quantization)

    def rescaled(self, tensor: str, wanted: Quantization | None) -> int:
        """Index of an activation at a wanted scale, through an operator of its own where it has another.

        XNNPACK's QUANTIZE multiplies by a factor of 8 bits, which is up to 0.15 of a step off. Its ADD of a constant 0
        rounds rightly at 0.11 instead of 0.03 ns an element, so it stands in where the factor is not a multiple of
        1/256.
        """
        index, present = self.indices[tensor], self.quantization(tensor)
        if present == wanted:
            return index
        name = f"{tensor}.rescaled.{len(self.circuit.tensors)}"
        rescaled = self.activation(name, self.shape(tensor), wanted)
        if self.kernels == Kernels.XNNPACK and present and wanted and not _has_8_bits(present.scale / wanted.scale):
            zero = self.circuit.constant(f"{name}.zero", np.zeros(1, np.int8), per_tensor(present.scale, 0))
            self.circuit.operator("ADD", [index, zero], rescaled, "AddOptions")
        else:
            self.circuit.operator("QUANTIZE", [index], rescaled, "QuantizeOptions")
        return rescaled

    def reshaped(self, index: int, name: str, shape: tuple[int, ...]) -> int:
        """Another view of an activation, named `name`."""
        circuit = self.circuit
        view = self.activation(name, shape, circuit.tensors[index].quantization)
        sizes = circuit.constant(f"{name}.shape", np.array([-1, *shape[1:]], np.int32))
        circuit.operator("RESHAPE", [index, sizes], view)
        return view

    def sole_consumer(self, tensor: str, op: str) -> Node | None:
        """The only node that reads `tensor`, if it is an `op`."""
        consumers = self.source.consumers(tensor)
        if len(consumers) == 1 and consumers[0].op == op and tensor != self.source.output_name:
            return consumers[0]
        return None

    def absorb_relu(self, node: Node) -> tuple[str, str]:
        """The tensor `node` writes and its fused activation: a Relu right behind it is taken along.

        In a carrier that quantizes the tensor between the two, the Relu stays an operator of its own: what was
        simulated is what runs.
        """
        relu = self.sole_consumer(node.output, "Relu")
        if relu is None or self.quantization(node.output) is not None:
            return node.output, "NONE"
        self.absorbed.add(relu.output)
        return relu.output, "RELU"


def _has_8_bits(factor: float) -> bool:
    """Does XNNPACK's QUANTIZE hold this ratio of scales to a hundredth of a step over all int8 values?"""
    return abs(round(factor * 256) / 256 - factor) * 256 < _HUNDREDTH_STEP


def quantized(values: NDArray[np.floating[Any]], quantization: Quantization) -> NDArray[np.int8]:
    """Real values to int8 by a per-tensor quantization, ties to even."""
    steps: NDArray[np.float64] = np.rint(values.astype(np.float64) / quantization.scale) + quantization.zero_point
    return steps.clip(-128, 127).astype(np.int8)
