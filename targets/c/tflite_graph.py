"""A full-integer `.tflite` taken apart: activations, constants and multipliers of its operators.

In: the unpacked file. Out: an operator's inputs as `layers` has them, or a refusal that names the operator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.c.layers import (
    INT8_HIGH,
    INT8_LOW,
    LARGEST_SUM,
    Int8,
    Int32,
    Multiplier,
    Requantization,
    Tensor,
    Window,
)

IMAGE_AXES: Final = 4
_PADDED: Final = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})
"""Operators whose kernels begin outside of the image."""
_TYPES: Final[Mapping[object, np.dtype[Any]]] = MappingProxyType(
    {schema.TensorType.INT8: np.dtype("<i1"), schema.TensorType.INT32: np.dtype("<i4")}
)
_CEILINGS: Final = MappingProxyType(
    {
        schema.ActivationFunctionType.NONE: (None, None),
        schema.ActivationFunctionType.RELU: (0.0, None),
        schema.ActivationFunctionType.RELU6: (0.0, 6.0),
        schema.ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
    }
)
"""Real values that an operator's own activation cuts off at."""


class Graph:
    """Tensors and constants of a file.

    A reshape's output is another name of its input, and so is a padded image, whose border is its reader's affair.
    """

    def __init__(self, model: Any, graph: Any) -> None:
        self.graph = graph
        self._buffers = model.buffers
        self._renamed: dict[int, int] = {}
        self._padded: dict[int, tuple[int, int]] = {}

    def name(self, place: int) -> str:
        return str(self.graph.tensors[int(place)].name.decode())

    def rename(self, operator: Any) -> None:
        source, out = (self.graph.tensors[int(place)] for place in (operator.inputs[0], operator.outputs[0]))
        if int(np.prod(source.shape)) != int(np.prod(out.shape)) or int(out.shape[-1]) != int(source.shape[-1]):
            raise ToolError(f"RESHAPE at {self.name(operator.outputs[0])} moves channels", fix="lower the model again")
        self._renamed[int(operator.outputs[0])] = self._origin(operator.inputs[0])

    def pad(self, operator: Any) -> None:
        """Remember how far a convolution begins outside of the image."""
        source, out = int(operator.inputs[0]), int(operator.outputs[0])
        before = [int(count) for count, _ in self.constant(operator.inputs[1])]
        if before[0] or before[-1] or (self.scale(source), source in self._padded) != (self.scale(out), False):
            raise ToolError(f"PAD at {self.name(out)} is of no image's border", fix="lower the model again")
        self._renamed[out], self._padded[out] = self._origin(source), (before[1], before[2])

    def border(self, place: int) -> tuple[int, int]:
        """Rows above and columns left of an image that stand for zero."""
        return self._padded.get(int(place), (0, 0))

    def is_constant(self, place: int) -> bool:
        data = self._buffers[self.graph.tensors[int(place)].buffer].data
        return data is not None and len(data) > 0

    def image(self, place: int) -> Tensor:
        """An activation; refused where it is not int8 of batch 1."""
        tensor = self.graph.tensors[self._origin(place)]
        name, shape = self.name(self._origin(place)), [int(size) for size in tensor.shape]
        if tensor.type != schema.TensorType.INT8 or len(shape) not in (2, IMAGE_AXES) or shape[0] != 1:
            raise InputError(
                f"{name}: int8 of batch 1 expected, got shape {shape}", fix="lower it for microcontrollers"
            )
        rows, columns = shape[1:3] if len(shape) == IMAGE_AXES else (1, 1)
        return Tensor(name, rows, columns, shape[-1], self.scale(place), int(tensor.quantization.zeroPoint[0]))

    def scale(self, place: int) -> float:
        """One scale for all of a tensor."""
        return float(self.scales(place)[0])

    def scales(self, place: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
        quantization = self.graph.tensors[int(place)].quantization
        if quantization is None or quantization.scale is None or not len(quantization.scale):
            raise ToolError(f"{self.name(place)} has no scale", fix="quantize the whole network")
        scales = np.asarray(quantization.scale, np.float32).astype(np.float64)
        if not (np.isfinite(scales) & (scales > 0)).all():
            raise ValueError(f"a scale of {self.name(place)} is no positive number")
        return scales

    def constant(self, place: int) -> Any:
        """A constant's values in its shape."""
        tensor = self.graph.tensors[int(place)]
        if tensor.type not in _TYPES or not self.is_constant(place):
            raise ToolError(f"{self.name(place)}: int8 or int32 constants expected", fix="quantize the whole network")
        values = np.frombuffer(bytes(self._buffers[tensor.buffer].data), _TYPES[tensor.type])
        return values.reshape([int(size) for size in tensor.shape])

    def _origin(self, place: int) -> int:
        return self._renamed.get(int(place), int(place))


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator; its inputs are asked for by their numbers."""

    graph: Graph
    operator: Any
    kind: str

    @property
    def options(self) -> Any:
        return self.operator.builtinOptions

    @property
    def out(self) -> Tensor:
        return self.graph.image(self.operator.outputs[0])

    def image(self, number: int) -> Tensor:
        if self.graph.border(self.operator.inputs[number]) != (0, 0) and self.kind not in _PADDED:
            raise self.refuse("a padded input has no C kernel")
        return self.graph.image(self.operator.inputs[number])

    def scales(self, number: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
        return self.graph.scales(self.operator.inputs[number])

    def constant(self, number: int) -> Any:
        return self.graph.constant(self.operator.inputs[number])

    def refuse(self, what: str) -> ToolError:
        return ToolError(f"{self.kind} at {self.out.name}: {what}", fix="use tflite-micro-int8 for this network")

    def weights(self) -> Int8:
        """Of a convolution; that none is -128 lets kernels add two products in 16 bits."""
        weights: Int8 = self.constant(1)
        if (weights == INT8_LOW).any():
            raise self.refuse("weights below -127 have no C kernel")
        return weights

    def limits(self) -> tuple[int, int]:
        """The least and the largest int8 that the operator's own activation lets pass."""
        out, function = self.out, self.options.fusedActivationFunction
        if function not in _CEILINGS:
            raise self.refuse(f"activation {function} has no C kernel")
        low, high = _CEILINGS[function]
        return (
            INT8_LOW if low is None else max(INT8_LOW, out.zero_point + round(low / out.scale)),
            INT8_HIGH if high is None else min(INT8_HIGH, out.zero_point + round(high / out.scale)),
        )

    def window(self, rows: int, columns: int) -> Window:
        """Where the kernel lies, by TensorFlow's rule for SAME."""
        options, source, out = self.options, self.image(0), self.out
        dilations = {getattr(options, name, 1) for name in ("dilationHFactor", "dilationWFactor")}
        if options.strideH != options.strideW or dilations != {1}:
            raise self.refuse("only equal strides without dilation are written in C")
        stride = int(options.strideH)
        if options.padding == schema.Padding.VALID:
            return Window(rows, columns, stride, *self.graph.border(self.operator.inputs[0]))
        if self.graph.border(self.operator.inputs[0]) != (0, 0):
            raise self.refuse("padding twice has no C kernel")
        missing = (
            (out.rows - 1) * stride + rows - source.rows,
            (out.columns - 1) * stride + columns - source.columns,
        )
        return Window(rows, columns, stride, max(missing[0], 0) // 2, max(missing[1], 0) // 2)

    def requantization(self, summed: Int32) -> Requantization:
        """Args: summed: of each output's weights, which the input's zero point counts."""
        source, out = self.image(0), self.out
        scales = np.broadcast_to(self.scales(1), summed.shape)
        factors = [Multiplier.of(source.scale * scale / out.scale) for scale in scales]
        low, high = self.limits()
        has_bias = len(self.operator.inputs) > 2 and self.operator.inputs[2] >= 0
        bias = self.constant(2).astype(np.int64) if has_bias else np.zeros(len(summed), np.int64)
        bias = bias - source.zero_point * summed.astype(np.int64)
        largest = int(np.abs(bias).max()) + self.constant(1).size // len(summed) * INT8_LOW**2
        if largest >= LARGEST_SUM:
            raise self.refuse(f"sums up to {largest:,} leave no room to round")
        return Requantization(
            bias.astype(np.int32),
            np.array([factor.significand for factor in factors], np.int32),
            np.array([factor.shift for factor in factors], np.int32),
            out.zero_point,
            low,
            high,
        )
