"""Quantized carriers in ONNX Runtime's integer operators, channels last; the numbers stay the carrier's.

In: QDQ ONNX. Out: QLinearConv, QLinearAdd and the like on uint8 (N, H, W, C), weights as they were. Left to itself ONNX
Runtime fuses a quarter of the convolutions, leaves every PReLU between dequantize and quantize, and changes the layout
around each convolution: 2 times slower than float. What the carrier leaves in float, and what the rules do not cover,
is written for the blocked kernels (`blocked`), in (N, C, H, W) between DequantizeLinear and QuantizeLinear; channels
are filled alike on both sides.

PReLU with slopes a at x, both on one grid: x + relu((a - 1) x). The second term is a 1x1 depthwise convolution whose
zero point is 0, so that saturation is the ReLU; since x is on the grid, rounding it is rounding the PReLU, and where it
exceeds 255 the sum saturates anyway. Two kernels, no table, the carrier's very numbers. Channels with a > 1 take
a second pair, whose zero point is 255 and which saturates above 0.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from ghostface_edge.targets.onnxruntime.blocked import BlockedWriter, SignsDifferError
from ghostface_edge.targets.onnxruntime.channels import ChannelPlan
from ghostface_edge.targets.qdq import QdqGraph
from ghostface_edge.targets.quant_params import INT8_MAX, INT8_MIN, QuantParams

_CONTRIB: Final = "com.microsoft"
_TO_LAST: Final = (0, 2, 3, 1)
_TO_FIRST: Final = (0, 3, 1, 2)
_COLUMNS: Final = 4
"""Output columns that a convolution of pixels computes at a time; 2 and 8 are slower."""
_FEW_CHANNELS: Final = 4
_Constants = tuple[NDArray[np.generic], NDArray[np.generic], NDArray[np.generic] | None]


def to_integers(model: ModelProto) -> ModelProto:
    """Rewrite a carrier; input, output and metadata stay."""
    graph = QdqGraph(model)
    upright: frozenset[str] = frozenset()
    while True:
        try:
            return _Rewriter(graph, upright).model()
        except SignsDifferError as conflict:
            upright |= set(conflict.args)


class _Rewriter:
    """Writes the new graph; every tensor of the carrier is there as integers, as floats, or both.

    Args:
        graph: the carrier.
        upright: see `BlockedWriter`.
    """

    def __init__(self, graph: QdqGraph, upright: frozenset[str]) -> None:
        self.graph, self.plan = graph, ChannelPlan(graph)
        self.floats = BlockedWriter(graph, self.plan, upright)
        """Holds float32 (N, C, H, W) by the carrier's name of the tensor."""
        self.floats.take(graph.input)
        self.nodes, self.constants = self.floats.nodes, self.floats.constants
        self.integers: dict[str, tuple[str, QuantParams]] = {}
        """uint8 (N, H, W, C) and its parameters, by the carrier's tensor."""
        self.rules: Mapping[str, Callable[[NodeProto, str, QuantParams], bool]] = MappingProxyType(
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

    def model(self) -> ModelProto:
        graph = self.graph
        # sizes of a Resize are written anew: channels last, they are in another order
        done = {name for node in graph.nodes if node.op_type == "Resize" for name in node.input[1:]}
        for node in graph.nodes:
            if graph.stored(node.output[0]) is not None or node.output[0] in done or node.op_type == "Shape":
                continue
            if node.op_type == "DequantizeLinear":
                self.integers[node.output[0]] = self.integers[node.input[0]]
            elif node.op_type == "QuantizeLinear":
                self.integers[node.output[0]] = self._quantize(node), graph.params(node)
            elif (quantizer := graph.quantizer_behind(node)) is not None and self._in_integers(node, quantizer):
                self.integers[quantizer.output[0]] = quantizer.output[0], graph.params(quantizer)
                done.add(quantizer.output[0])
            else:
                self._in_floats(node)
        old = graph.model
        body = helper.make_graph(
            self.nodes,
            old.graph.name,
            list(old.graph.input),
            list(old.graph.output),
            list(self.constants.values()),
        )
        model = onnx.ModelProto()
        model.CopyFrom(old)
        model.graph.CopyFrom(body)
        model.opset_import.append(helper.make_opsetid(_CONTRIB, 1))
        return model

    def _in_integers(self, node: NodeProto, quantizer: NodeProto) -> bool:
        """Write a node and the quantizer behind it as one integer operator, where there is one."""
        rule = self.rules.get(node.op_type)
        operands = node.input[:1] if node.op_type == "Resize" else node.input
        computed = [name for name in operands if self.graph.stored(name) is None]
        if rule is None or any(name not in self.integers for name in computed):
            return False
        return rule(node, quantizer.output[0], self.graph.params(quantizer))

    def _in_floats(self, node: NodeProto) -> None:
        if node.op_type == "Flatten" and self._is_one_pixel(node.input[0]):
            integers, params = self.integers[node.input[0]]
            real = self._emit("DequantizeLinear", [integers, *self._ends(params)], f"{integers}.real")
            self._emit("Flatten", [real], node.output[0], axis=1)
            return
        for name in node.input:
            self._float(name)
        if node.op_type == "Resize":
            self._float_resize(node)
        else:
            self.floats.write(node)

    def _is_one_pixel(self, tensor: str) -> bool:
        return tensor in self.integers and self.graph.shapes[tensor][2:] == [1, 1]

    def _float(self, tensor: str) -> None:
        """See to it that a computed tensor is there as float32 (N, C, H, W), under its own name."""
        if tensor in self.integers and tensor not in self.floats.signs:
            integers, params = self.integers[tensor]
            real = self._emit("DequantizeLinear", [integers, *self._ends(params)], f"{tensor}.last")
            self._emit("Transpose", [real], tensor, perm=_TO_FIRST)
            self.floats.take(tensor)

    def _quantize(self, node: NodeProto) -> str:
        """A float tensor, or one quantized otherwise, to integers."""
        source, name, params = node.input[0], node.output[0], self.graph.params(node)
        if source in self.integers:
            integers, other = self.integers[source]
            real = self._emit("DequantizeLinear", [integers, *self._ends(other)], f"{name}.real")
            return self._emit("QuantizeLinear", [real, *self._ends(params)], name)
        self.floats.stand_upright(source)
        first = self._emit("QuantizeLinear", [source, *self._ends(params)], f"{name}.first")
        return self._emit("Transpose", [first], name, perm=_TO_LAST)

    def _convolution(self, node: NodeProto, name: str, params: QuantParams) -> bool:
        weight, bias = self.graph.stored(node.input[1]), self.graph.stored(node.input[2])
        if weight is None or bias is None or weight.scales is None or bias.values.dtype != np.int32:
            return False
        into, source = self.plan.places(node.output[0]), self.plan.places(node.input[0])
        attributes = self.graph.attributes(node)
        values = into.fill(weight.values)
        if self.graph.is_depthwise(node):
            attributes["group"] = into.count
        else:
            values = np.swapaxes(source.fill(np.swapaxes(values, 0, 1)), 0, 1)
        scales = np.broadcast_to(weight.scales.reshape(-1), weight.values.shape[:1])
        constants: _Constants = (values, into.fill(scales, 1.0), into.fill(bias.values))
        height, width = self.graph.shapes[node.output[0]][2:]
        if source.count > _FEW_CHANNELS or width % _COLUMNS:
            self._convolve(self.integers[node.input[0]], constants, name, params, **attributes)
            return True
        constants, attributes = _several_columns(constants, attributes)
        columns = self._convolve(self.integers[node.input[0]], constants, f"{name}.columns", params, **attributes)
        shape = np.array([0, height, width, into.count], np.int64)
        self._emit("Reshape", [columns, self._constant(self._short(), shape)], name)
        return True

    def _convolve(
        self,
        source: tuple[str, QuantParams],
        constants: _Constants,
        name: str,
        params: QuantParams,
        **attributes: Any,
    ) -> str:
        """QLinearConv with int8 weights (O, I/groups, h, w), their scales (O,), and an int32 bias (O,) or none."""
        weight, scales, bias = constants
        zeros = self._constant(f"zeros.{len(weight)}", np.zeros(len(weight), np.int8))
        inputs = [
            source[0],
            *self._ends(source[1]),
            self._constant(self._short(), weight),
            self._constant(self._short(), scales),
            zeros,
            *self._ends(params),
        ]
        if bias is not None:
            inputs.append(self._constant(self._short(), bias))
        return self._emit("QLinearConv", inputs, name, channels_last=1, **attributes)

    def _prelu(self, node: NodeProto, name: str, params: QuantParams) -> bool:
        source, slope = self.integers[node.input[0]], self.graph.stored(node.input[1])
        if slope is None:
            return False
        slopes = np.broadcast_to(slope.real().reshape(-1), self.graph.shapes[node.output[0]][1:2])
        places = self.plan.places(node.output[0])
        factors = places.fill(slopes - 1).astype(np.float64)
        if source[1] != params:
            self._float_prelu(source, factors + 1, name, params)
            return True
        total, bends = source[0], [(factors < 0, INT8_MIN, "bend"), (factors > 0, INT8_MAX, "steep")]
        bends = [bend for bend in bends if bend[0].any()] or bends[:1]
        for index, (chosen, zero_point, kind) in enumerate(bends):
            weight = np.where(chosen, 127 * np.sign(factors), 0).astype(np.int8).reshape(-1, 1, 1, 1)
            scales = np.where(chosen, np.abs(factors) / 127, 1.0).astype(np.float32)
            one_sided = QuantParams(params.scale, zero_point)
            attributes = {"kernel_shape": [1, 1], "group": places.count}
            bent = self._convolve(source, (weight, scales, None), f"{name}.{kind}", one_sided, **attributes)
            inputs = [total, *self._ends(params), bent, *self._ends(one_sided), *self._ends(params)]
            total = self._emit("QLinearAdd", inputs, name if index == len(bends) - 1 else f"{name}.half")
        return True

    def _float_prelu(
        self, source: tuple[str, QuantParams], slopes: NDArray[np.float64], name: str, params: QuantParams
    ) -> None:
        """In float, for grids that differ; max(x, a x) where that is the PReLU, since PRelu broadcasts slowly."""
        real = self._emit("DequantizeLinear", [source[0], *self._ends(source[1])], f"{name}.real")
        slope = self._constant(f"{name}.slope", slopes.astype(np.float32))
        if slopes.max() > 1:
            bent = self._emit("PRelu", [real, slope], f"{name}.bent")
        else:
            bent = self._emit("Max", [real, self._emit("Mul", [real, slope], f"{name}.scaled")], f"{name}.bent")
        self._emit("QuantizeLinear", [bent, *self._ends(params)], name)

    def _concat(self, node: NodeProto, name: str, params: QuantParams) -> bool:
        parts = [self.integers[part] for part in node.input]
        if any(part[1] != params for part in parts):
            return False
        self._emit("Concat", [part[0] for part in parts], name, axis=3)
        return True

    def _arithmetic(self, node: NodeProto, name: str, params: QuantParams) -> bool:
        if any(operand not in self.integers for operand in node.input):
            return False
        inputs = []
        for operand in node.input:
            integers, own = self.integers[operand]
            inputs += [integers, *self._ends(own)]
        self._emit(f"QLinear{node.op_type}", [*inputs, *self._ends(params)], name)
        return True

    def _global_pool(self, node: NodeProto, name: str, params: QuantParams) -> bool:
        return self._one_to_one("QLinearGlobalAveragePool", node, name, params, channels_last=1)

    def _average_pool(self, node: NodeProto, name: str, params: QuantParams) -> bool:
        attributes = self.graph.attributes(node)
        return self._one_to_one("QLinearAveragePool", node, name, params, channels_last=1, **attributes)

    def _sigmoid(self, node: NodeProto, name: str, params: QuantParams) -> bool:
        return self._one_to_one("QLinearSigmoid", node, name, params)

    def _one_to_one(self, kind: str, node: NodeProto, name: str, params: QuantParams, **attributes: Any) -> bool:
        integers, own = self.integers[node.input[0]]
        self._emit(kind, [integers, *self._ends(own), *self._ends(params)], name, **attributes)
        return True

    def _resize(self, node: NodeProto, name: str, params: QuantParams) -> bool:
        integers, own = self.integers[node.input[0]]
        if own != params:
            return False
        count = self.plan.places(node.output[0]).count
        batch = self._emit("Shape", [integers], f"{name}.batch", start=0, end=1)
        rest = np.array([*self.graph.shapes[node.output[0]][2:], count], np.int64)
        sizes = self._emit("Concat", [batch, self._constant(self._short(), rest)], f"{name}.sizes", axis=0)
        self._emit("Resize", [integers, "", "", sizes], name, **_without_axes(self.graph.attributes(node)))
        return True

    def _float_resize(self, node: NodeProto) -> None:
        source, name = node.input[0], node.output[0]
        start = self._emit("Shape", [source], f"{name}.start", start=0, end=2)
        rest = np.array(self.graph.shapes[name][2:], np.int64)
        sizes = self._emit("Concat", [start, self._constant(self._short(), rest)], f"{name}.sizes", axis=0)
        self._emit("Resize", [source, "", "", sizes], name, **_without_axes(self.graph.attributes(node)))
        self.floats.follow(source, name)

    def _ends(self, params: QuantParams) -> list[str]:
        """Names of the stored scale and zero point; equal ones are stored once."""
        scale = np.float32(params.scale)
        return [
            self._constant(f"scale.{scale:.9g}", scale),
            self._constant(f"zero_point.{params.uint8_zero_point}", np.uint8(params.uint8_zero_point)),
        ]

    def _emit(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        domain = _CONTRIB if kind.startswith("QLinear") else ""
        self.nodes.append(helper.make_node(kind, inputs, [name], name, domain=domain, **attributes))
        return name

    def _short(self) -> str:
        """A name for a constant that nobody looks for; long ones are 4 % of the file."""
        return f"c{len(self.constants)}"

    def _constant(self, name: str, values: NDArray[np.generic] | np.generic) -> str:
        array = np.asarray(values)
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        return name


def _without_axes(attributes: dict[str, Any]) -> dict[str, Any]:
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
