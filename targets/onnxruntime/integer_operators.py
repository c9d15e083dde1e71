"""Integer operators of ONNX Runtime for a node and the quantizer behind it: QLinearConv, QLinearAdd and the like.

Tensors are uint8 (N, H, W, C), weights int8, biases int32; the numbers stay the QDQ model's.

PReLU with slopes a at x, both of one scale and zero point: x + relu((a - 1) x). The second term is a 1x1 depthwise
convolution whose zero point is the smallest integer, so that saturation is the ReLU; since x is an integer, rounding it
is rounding the PReLU, and where it exceeds the range the sum saturates anyway. Two kernels, no table, the QDQ model's
very numbers. Channels with a > 1 take a second pair, whose zero point is the largest integer; it saturates above 0.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from ghostface_edge.targets.onnxruntime.channel_padding import ChannelPadding
from ghostface_edge.targets.qdq import attributes_of, is_depthwise, name_of, operand, params, sizes, stored
from ghostface_edge.targets.quant_params import INT8_MAX, INT8_MIN, QuantParams

CONTRIB: Final = "com.microsoft"
_COLUMNS: Final = 4
"""Output columns that a convolution of pixels computes at a time; 2 and 8 are slower."""
_FEW_CHANNELS: Final = 4
Integers = tuple[str, QuantParams]
"""A tensor in the new graph, and what its integers stand for."""
_Constants = tuple[NDArray[np.generic], NDArray[np.generic], NDArray[np.generic] | None]


class IntegerOperators:
    """Writes integer operators.

    Args:
        padding: where the channels of the QDQ model's tensors go.
        nodes: of the new graph; grows.
        constants: of the new graph by name; grows.
    """

    def __init__(self, padding: ChannelPadding, nodes: list[NodeProto], constants: dict[str, TensorProto]) -> None:
        self.padding, self.nodes, self.constants = padding, nodes, constants
        self.written: dict[ir.Value, Integers] = {}
        """By the QDQ model's tensor, whether it stands before, between or behind a pair."""
        self.rules: Mapping[str, Callable[[ir.Node, str, QuantParams], bool]] = MappingProxyType(
            {
                "Conv": self._convolution,
                "PRelu": self._prelu,
                "Concat": self._concat,
                "Add": self._arithmetic,
                "Mul": self._arithmetic,
                "GlobalAveragePool": self._global_pool,
                "AveragePool": self._average_pool,
                "Sigmoid": self._sigmoid,
                "Resize": self._resize,
            }
        )

    def write(self, node: ir.Node, quantizer: ir.Node) -> bool:
        """Write a node and the quantizer behind it as one integer operator; False where there is none."""
        rule = self.rules.get(node.op_type)
        operands = node.inputs[:1] if node.op_type == "Resize" else node.inputs
        computed = [value for value in operands if value is not None and stored(value) is None]
        if rule is None or any(value not in self.written for value in computed):
            return False
        target, wanted = quantizer.outputs[0], params(quantizer)
        if not rule(node, name_of(target), wanted):
            return False
        self.written[target] = name_of(target), wanted
        return True

    def _convolution(self, node: ir.Node, name: str, wanted: QuantParams) -> bool:
        weight, bias = stored(operand(node, 1)), stored(node.inputs[2]) if len(node.inputs) > 2 else None
        if weight is None or bias is None or weight.scales is None or bias.values.dtype != np.int32:
            return False
        into, source = self.padding.places(node.outputs[0]), self.padding.places(operand(node))
        attributes = attributes_of(node)
        values = into.fill(weight.values)
        if is_depthwise(node):
            attributes["group"] = into.count
        else:
            values = np.swapaxes(source.fill(np.swapaxes(values, 0, 1)), 0, 1)
        scales = np.broadcast_to(weight.scales, weight.values.shape[:1])
        constants: _Constants = (values, into.fill(scales, 1.0), into.fill(bias.values))
        height, width = sizes(node.outputs[0])[2:]
        if source.count > _FEW_CHANNELS or width % _COLUMNS:
            self._convolve(self.written[operand(node)], constants, name, wanted, **attributes)
            return True
        constants, attributes = _several_columns(constants, attributes)
        columns = self._convolve(self.written[operand(node)], constants, f"{name}.columns", wanted, **attributes)
        shape = np.array([0, height, width, into.count], np.int64)
        self.emit("Reshape", [columns, self.constant(self.short(), shape)], name)
        return True

    def _convolve(
        self, source: Integers, constants: _Constants, name: str, wanted: QuantParams, **attributes: Any
    ) -> str:
        """QLinearConv with int8 weights (O, I/groups, h, w), their scales (O,), and an int32 bias (O,) or none."""
        weight, scales, bias = constants
        zeros = self.constant(f"zeros.{len(weight)}", np.zeros(len(weight), np.int8))
        inputs = [
            source[0],
            *self.ends(source[1]),
            self.constant(self.short(), weight),
            self.constant(self.short(), scales),
            zeros,
            *self.ends(wanted),
        ]
        if bias is not None:
            inputs.append(self.constant(self.short(), bias))
        return self.emit("QLinearConv", inputs, name, channels_last=1, **attributes)

    def _prelu(self, node: ir.Node, name: str, wanted: QuantParams) -> bool:
        source, slope = self.written[operand(node)], stored(node.inputs[1])
        if slope is None:
            return False
        slopes = np.broadcast_to(slope.real().reshape(-1), sizes(node.outputs[0])[1:2])
        places = self.padding.places(node.outputs[0])
        factors = places.fill(slopes - 1).astype(np.float64)
        if source[1] != wanted:
            self._float_prelu(source, factors + 1, name, wanted)
            return True
        total, bends = source[0], [(factors < 0, INT8_MIN, "bend"), (factors > 0, INT8_MAX, "steep")]
        bends = [bend for bend in bends if bend[0].any()] or bends[:1]
        for index, (chosen, zero_point, kind) in enumerate(bends):
            weight = np.where(chosen, 127 * np.sign(factors), 0).astype(np.int8).reshape(-1, 1, 1, 1)
            scales = np.where(chosen, np.abs(factors) / 127, 1.0).astype(np.float32)
            one_sided = QuantParams(wanted.scale, zero_point)
            attributes = {"kernel_shape": [1, 1], "group": places.count}
            bent = self._convolve(source, (weight, scales, None), f"{name}.{kind}", one_sided, **attributes)
            inputs = [total, *self.ends(wanted), bent, *self.ends(one_sided), *self.ends(wanted)]
            total = self.emit("QLinearAdd", inputs, name if index == len(bends) - 1 else f"{name}.half")
        return True

    def _float_prelu(self, source: Integers, slopes: NDArray[np.float64], name: str, wanted: QuantParams) -> None:
        """In float, for input and output of two scales; max(x, a x) where that is it, since PRelu broadcasts slowly."""
        real = self.emit("DequantizeLinear", [source[0], *self.ends(source[1])], f"{name}.real")
        slope = self.constant(f"{name}.slope", slopes.astype(np.float32))
        if slopes.max() > 1:
            bent = self.emit("PRelu", [real, slope], f"{name}.bent")
        else:
            bent = self.emit("Max", [real, self.emit("Mul", [real, slope], f"{name}.scaled")], f"{name}.bent")
        self.emit("QuantizeLinear", [bent, *self.ends(wanted)], name)

    def _concat(self, node: ir.Node, name: str, wanted: QuantParams) -> bool:
        parts = [self.written[part] for part in node.inputs if part is not None]
        if any(part[1] != wanted for part in parts):
            return False
        self.emit("Concat", [part[0] for part in parts], name, axis=3)
        return True

    def _arithmetic(self, node: ir.Node, name: str, wanted: QuantParams) -> bool:
        if any(value not in self.written for value in node.inputs):
            return False
        inputs = []
        for integers, own in (self.written[value] for value in node.inputs if value is not None):
            inputs += [integers, *self.ends(own)]
        self.emit(f"QLinear{node.op_type}", [*inputs, *self.ends(wanted)], name)
        return True

    def _global_pool(self, node: ir.Node, name: str, wanted: QuantParams) -> bool:
        return self._one_to_one("QLinearGlobalAveragePool", node, name, wanted, channels_last=1)

    def _average_pool(self, node: ir.Node, name: str, wanted: QuantParams) -> bool:
        attributes = attributes_of(node)
        return self._one_to_one("QLinearAveragePool", node, name, wanted, channels_last=1, **attributes)

    def _sigmoid(self, node: ir.Node, name: str, wanted: QuantParams) -> bool:
        return self._one_to_one("QLinearSigmoid", node, name, wanted)

    def _one_to_one(self, kind: str, node: ir.Node, name: str, wanted: QuantParams, **attributes: Any) -> bool:
        integers, own = self.written[operand(node)]
        self.emit(kind, [integers, *self.ends(own), *self.ends(wanted)], name, **attributes)
        return True

    def _resize(self, node: ir.Node, name: str, wanted: QuantParams) -> bool:
        integers, own = self.written[operand(node)]
        if own != wanted:
            return False
        count = self.padding.places(node.outputs[0]).count
        batch = self.emit("Shape", [integers], f"{name}.batch", start=0, end=1)
        rest = np.array([*sizes(node.outputs[0])[2:], count], np.int64)
        shape = self.emit("Concat", [batch, self.constant(self.short(), rest)], f"{name}.sizes", axis=0)
        self.emit("Resize", [integers, "", "", shape], name, **without_axes(attributes_of(node)))
        return True

    def ends(self, params: QuantParams) -> list[str]:
        """Names of the stored scale and zero point; equal ones are stored once."""
        scale = np.float32(params.scale)
        return [
            self.constant(f"scale.{scale:.9g}", scale),
            self.constant(f"zero_point.{params.uint8_zero_point}", np.uint8(params.uint8_zero_point)),
        ]

    def emit(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Append an operator that writes the tensor `name`, and give that name."""
        domain = CONTRIB if kind.startswith("QLinear") else ""
        self.nodes.append(helper.make_node(kind, inputs, [name], name, domain=domain, **attributes))
        return name

    def short(self) -> str:
        """A name for a constant that nobody looks for; long ones are 4 % of the file."""
        return f"c{len(self.constants)}"

    def constant(self, name: str, values: NDArray[np.generic] | np.generic) -> str:
        """Store a constant and give its name."""
        array = np.asarray(values)
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        return name


def without_axes(attributes: dict[str, Any]) -> dict[str, Any]:
    """A Resize's attributes for sizes of all axes."""
    return {key: value for key, value in attributes.items() if key != "axes"}


def _several_columns(constants: _Constants, attributes: dict[str, Any]) -> tuple[_Constants, dict[str, Any]]:
    """The same convolution with neighbouring output columns as further channels.

    A convolution gathers its inputs pixel by pixel; for three channels that takes longer than the products do. A wider
    kernel, mostly zeros, gathers them once for four columns.
    """
    weight, scales, bias = constants
    (high, wide), (down, right) = attributes["kernel_shape"], attributes.get("strides", [1, 1])
    widened = np.zeros((_COLUMNS, *weight.shape[:3], wide + right * (_COLUMNS - 1)), weight.dtype)
    for column in range(_COLUMNS):
        widened[column, ..., right * column : right * column + wide] = weight
    merged = widened.reshape(-1, *widened.shape[2:])
    changed = {"kernel_shape": [high, widened.shape[-1]], "strides": [down, right * _COLUMNS]}
    return (merged, np.tile(scales, _COLUMNS), None if bias is None else np.tile(bias, _COLUMNS)), attributes | changed
