"""QDQ models read through `onnx_ir`: which tensors are quantized and how, and the constants behind DequantizeLinear.

Producers, consumers, shapes and attributes are `onnx_ir`'s own; here is what it does not know. In: ONNX with pairs of
QuantizeLinear and DequantizeLinear (docs/quantization.md), or a float model, which simply has none.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray
from onnx import ModelProto

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.quant_params import ChannelScales, QuantParams, as_int8


@dataclass(frozen=True, slots=True)
class Stored:
    """A constant: float values, or symmetric integers (int8, biases int32) with their scales."""

    values: NDArray[np.generic]
    params: QuantParams | ChannelScales | None = None

    @property
    def scales(self) -> NDArray[np.float32] | None:
        """(1,) or (O,); None for float values."""
        return None if self.params is None else np.array(self.params.scales, np.float32)

    def real(self) -> NDArray[np.float64]:
        """The real values, whatever is stored."""
        if self.params is None:
            return np.asarray(self.values, np.float64)
        shape = [1] * self.values.ndim
        if isinstance(self.params, ChannelScales):
            shape[self.params.axis] = -1
        real: NDArray[np.float64] = np.asarray(self.values, np.float64) * np.array(self.params.scales).reshape(shape)
        return real


def graph_of(model: ModelProto) -> ir.Graph:
    """The graph with the shapes that it has for one face: every batch axis is 1.

    Raises:
        InputError: not one input and one output.
    """
    static = ModelProto()
    static.CopyFrom(model)
    del static.graph.value_info[:]
    stored = {tensor.name for tensor in static.graph.initializer}
    entries = [value for value in static.graph.input if value.name not in stored]
    if len(entries) != 1 or len(static.graph.output) != 1:
        raise InputError(
            f"the model has {len(entries)} inputs and {len(static.graph.output)} outputs, a face network one of each",
            fix="give the ONNX model that `ghostface-edge export` writes",
        )
    entries[0].type.tensor_type.shape.dim[0].dim_value = 1
    static.graph.output[0].type.tensor_type.ClearField("shape")
    return ir.from_proto(onnx.shape_inference.infer_shapes(static, data_prop=True)).graph


def sizes(value: ir.Value) -> tuple[int, ...]:
    """Shape of a tensor.

    Raises:
        ToolError: it cannot be told from the model.
    """
    if value.shape is None or not value.shape.is_static():
        raise ToolError(f"the shape of '{value.name}' is unknown", fix="export the model again, with fixed sizes")
    return value.shape.numpy()


def operand(node: ir.Node, position: int = 0) -> ir.Value:
    """An input of a node.

    Raises:
        ToolError: it is left out.
    """
    value = node.inputs[position] if position < len(node.inputs) else None
    if value is None:
        raise ToolError(f"{label(node)} lacks its input {position}", fix="export the model again")
    return value


def name_of(value: ir.Value | None) -> str:
    """ONNX's name of a tensor; empty for an input that is left out."""
    return "" if value is None else value.name or ""


def attributes_of(node: ir.Node) -> dict[str, Any]:
    """A node's attributes as `onnx.helper.make_node` takes them."""
    return {name: attribute.value for name, attribute in node.attributes.items()}


def label(node: ir.Node) -> str:
    """A node in a message."""
    return f"{node.op_type} '{node.name or node.outputs[0].name}'"


def stored(value: ir.Value | None) -> Stored | None:
    """The constant behind a value, also through DequantizeLinear; None for anything computed.

    Raises:
        InputError: integers that are asymmetric.
    """
    values = _values(value)
    if value is None or values is not None:
        return None if values is None else Stored(values)
    node = value.producer()
    integers = _values(node.inputs[0]) if node is not None and node.op_type == "DequantizeLinear" else None
    return None if node is None or integers is None else Stored(as_int8(integers), _constant_params(node))


def _values(value: ir.Value | None) -> NDArray[np.generic] | None:
    """What is stored under this very value."""
    if value is None:
        return None
    if value.const_value is not None:
        return value.const_value.numpy()
    node = value.producer()
    if node is None or node.op_type != "Constant" or "value" not in node.attributes:
        return None
    return node.attributes["value"].as_tensor().numpy()


def constant(node: ir.Node, position: int) -> Stored:
    """The constant at an input of a node.

    Raises:
        ToolError: it is computed.
    """
    found = stored(operand(node, position))
    if found is None:
        raise ToolError(
            f"{label(node)} computes its input '{name_of(operand(node, position))}', which it needs as a constant",
            fix="export the model again, with its weights as initializers",
        )
    return found


def is_quantizer(node: ir.Node) -> bool:
    """Whether a node quantizes or dequantizes a computed tensor."""
    return node.op_type in {"QuantizeLinear", "DequantizeLinear"} and stored(node.inputs[0]) is None


def params(quantizer: ir.Node) -> QuantParams:
    """What a QuantizeLinear or DequantizeLinear of an activation says."""
    scale, zero_point = _ends(quantizer)
    return QuantParams.from_onnx(scale, zero_point)


def params_of(value: ir.Value) -> QuantParams | None:
    """How a computed tensor is quantized, where a DequantizeLinear writes it."""
    node = value.producer()
    return params(node) if node is not None and is_quantizer(node) else None


def quantizer_behind(node: ir.Node) -> ir.Node | None:
    """The QuantizeLinear that is all that reads a node."""
    readers = node.outputs[0].consumers()
    return readers[0] if len(readers) == 1 and readers[0].op_type == "QuantizeLinear" else None


def dequantized_readers(quantizer: ir.Node) -> list[ir.Node]:
    """The nodes that read what a QuantizeLinear writes, past DequantizeLinear."""
    return [reader for dequantizer in quantizer.outputs[0].consumers() for reader in dequantizer.outputs[0].consumers()]


def is_depthwise(node: ir.Node) -> bool:
    """Whether a Conv has one filter per channel."""
    weight = stored(operand(node, 1))
    groups = node.attributes.get_int("group", 1)
    return weight is not None and groups == weight.values.shape[0] > 1 and weight.values.shape[1] == 1


def _constant_params(dequantizer: ir.Node) -> QuantParams | ChannelScales:
    scales, zero_points = _ends(dequantizer)
    if as_int8(zero_points).any():
        raise InputError(
            f"{label(dequantizer)} has asymmetric weights, integer kernels take symmetric ones",
            fix="quantize weights with zero point 0",
        )
    if scales.size == 1:
        return QuantParams(float(scales.item()), 0)
    return ChannelScales(tuple(map(float, scales)), dequantizer.attributes.get_int("axis", 1))


def _ends(quantizer: ir.Node) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Scale and zero point as stored; one that is left out is the integers' own 0, of uint8 unless they are stored."""
    scale, integers = _values(operand(quantizer, 1)), _values(quantizer.inputs[0])
    if scale is None:
        raise ToolError(f"{label(quantizer)} computes its scale", fix="quantize the model statically")
    zero_point = _values(quantizer.inputs[2]) if len(quantizer.inputs) > 2 else None
    if zero_point is None:
        return scale, np.zeros(1, np.uint8 if integers is None else integers.dtype)
    return scale, zero_point
