"""A full-integer `.tflite` to a program: every operator that C is written for, with TFLite's own arithmetic.

In: a file of batch 1 and int8 input, as the portable kernels take it. Out: `layers.Program`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.c import sigmoid
from ghostface_edge.targets.c.layers import (
    INT8_HIGH,
    INT8_LOW,
    LARGEST_SUM,
    Addition,
    AveragePool,
    Concatenation,
    Convolution,
    Depthwise,
    Int8,
    Int32,
    Layer,
    Lookup,
    Mean,
    Multiplication,
    Multiplier,
    Prelu,
    Program,
    Requantization,
    Resize,
    Slopes,
    Tensor,
    Window,
)
from ghostface_edge.targets.tflite.inspection import main_graph

_INPUT_SCALE: Final = 1 / 128
_IMAGE_AXES: Final = 4
_ADDITION_BITS: Final = 20
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


def read_program(artifact: Path) -> Program:
    """Read a network.

    Args:
        artifact: `.tflite`, int8 throughout, batch 1.

    Raises:
        InputError: no TFLite file, or no int8 input of RGB bytes minus 128.
        ToolError: an operator, or a form of one, that C is not written for; the message names it.
    """
    model, kinds = main_graph(artifact)
    try:
        return _read(_Graph(model, model.subgraphs[0]), kinds, artifact)
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError) as problem:
        raise InputError(f"{artifact} contradicts itself: {problem}", fix="lower the model again") from problem


def _read(graph: "_Graph", kinds: Sequence[str], artifact: Path) -> Program:
    faces = graph.image(graph.graph.inputs[0])
    if (faces.scale, faces.zero_point) != (_INPUT_SCALE, 0):
        raise InputError(f"{artifact}: its input is not a byte minus 128", fix="lower it with --input int8")
    layers: list[Layer] = []
    for operator, kind in zip(graph.graph.operators, kinds, strict=True):
        if kind == "RESHAPE":
            graph.rename(operator)
        elif kind == "PAD":
            graph.pad(operator)
        elif kind in _READERS:
            layers.append(_READERS[kind](_Operator(graph, operator, kind)))
        else:
            raise ToolError(
                f"{kind} at {graph.name(operator.outputs[0])} has no C kernel",
                fix=f"C is written for {_KNOWN}; use tflite-micro-int8 for this network",
            )
    return Program(faces, tuple(layers), graph.image(graph.graph.outputs[0]))


class _Graph:
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
        if tensor.type != schema.TensorType.INT8 or len(shape) not in (2, _IMAGE_AXES) or shape[0] != 1:
            raise ToolError(f"{name}: int8 of batch 1 expected, got shape {shape}", fix="lower it for microcontrollers")
        rows, columns = shape[1:3] if len(shape) == _IMAGE_AXES else (1, 1)
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
class _Operator:
    graph: _Graph
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


def _convolution(read: _Operator) -> Convolution:
    weights = read.weights()
    outputs, rows, columns, inputs = weights.shape
    if inputs != read.image(0).channels:
        raise read.refuse("groups have no C kernel")
    flat = weights.reshape(outputs, -1)
    summed = flat.sum(axis=1, dtype=np.int32)
    return Convolution(read.image(0), read.out, read.window(rows, columns), flat, read.requantization(summed))


def _depthwise(read: _Operator) -> Depthwise:
    weights = read.weights()
    _, rows, columns, channels = weights.shape
    if read.options.depthMultiplier != 1 or channels != read.image(0).channels:
        raise read.refuse("a depth multiplier other than 1 has no C kernel")
    flat = weights.reshape(-1, channels)
    summed = flat.sum(axis=0, dtype=np.int32)
    return Depthwise(read.image(0), read.out, read.window(rows, columns), flat, read.requantization(summed))


def _addition(read: _Operator) -> Addition:
    a, b, out = read.image(0), read.image(1), read.out
    if (a.pixels, a.channels) != (b.pixels, b.channels):
        raise read.refuse("terms of different shapes have no C kernel")
    twice = 2 * max(a.scale, b.scale)
    factors = (a.scale / twice, b.scale / twice, twice / ((1 << _ADDITION_BITS) * out.scale))
    of_a, of_b, of_out = (Multiplier.of(factor) for factor in factors)
    return Addition(a, b, out, of_a, of_b, of_out, *read.limits())


def _multiplication(read: _Operator) -> Multiplication:
    a, b, out = read.image(0), read.image(1), read.out
    if a.pixels < b.pixels:
        a, b = b, a
    if a.channels != b.channels or b.pixels not in (1, a.pixels):
        raise read.refuse("factors of these shapes have no C kernel")
    return Multiplication(a, b, out, Multiplier.of(a.scale * b.scale / out.scale), *read.limits())


def _mean(read: _Operator) -> Mean:
    source, out = read.image(0), read.out
    if sorted(int(axis) for axis in np.atleast_1d(read.constant(1))) != [1, 2]:
        raise read.refuse("only the mean over rows and columns is written in C")
    return Mean(source, out, Multiplier.of(source.scale / out.scale).over(source.pixels))


def _average_pool(read: _Operator) -> AveragePool:
    options, source, out = read.options, read.image(0), read.out
    window = read.window(int(options.filterHeight), int(options.filterWidth))
    if options.padding != schema.Padding.VALID or (source.scale, source.zero_point) != (out.scale, out.zero_point):
        raise read.refuse("padding, or an output of another scale, has no C kernel")
    return AveragePool(source, out, window, *read.limits())


def _resize(read: _Operator) -> Resize:
    source, out = read.image(0), read.out
    is_centred = read.options.halfPixelCenters and not read.options.alignCorners
    if not is_centred or (source.scale, source.zero_point) != (out.scale, out.zero_point):
        raise read.refuse("only centres of pixels on each other, in one scale, are written in C")
    return Resize(source, out)


def _logistic(read: _Operator) -> Lookup:
    source, out = read.image(0), read.out
    if (out.scale, out.zero_point) != (1 / 256, INT8_LOW):
        raise read.refuse("an output that is not in 256ths has no C kernel")
    return Lookup(source, out, sigmoid.table(source.scale, source.zero_point))


def _prelu(read: _Operator) -> Prelu:
    source, out, slopes = read.image(0), read.out, read.constant(1)
    if slopes.size != source.channels or read.graph.graph.tensors[read.operator.inputs[1]].quantization.zeroPoint[0]:
        raise read.refuse("slopes other than one symmetric one for each channel have no C kernel")
    (scale,) = read.scales(1)
    return Prelu(
        source,
        out,
        Slopes(
            slopes.reshape(-1),
            Multiplier.of(source.scale / out.scale),
            Multiplier.of(source.scale * scale / out.scale),
            source.zero_point,
            out.zero_point,
        ),
    )


def _concatenation(read: _Operator) -> Concatenation:
    out = read.out
    sources = tuple(read.image(number) for number in range(len(read.operator.inputs)))
    if read.options.axis not in (-1, _IMAGE_AXES - 1):
        raise read.refuse("only channels are put behind each other in C")
    if any((part.scale, part.zero_point) != (out.scale, out.zero_point) for part in sources):
        raise read.refuse("parts of different scales have no C kernel")
    return Concatenation(sources, out)


_READERS: Final[Mapping[str, Callable[[_Operator], Layer]]] = MappingProxyType(
    {
        "ADD": _addition,
        "AVERAGE_POOL_2D": _average_pool,
        "CONCATENATION": _concatenation,
        "CONV_2D": _convolution,
        "DEPTHWISE_CONV_2D": _depthwise,
        "LOGISTIC": _logistic,
        "MEAN": _mean,
        "MUL": _multiplication,
        "PRELU": _prelu,
        "RESIZE_BILINEAR": _resize,
    }
)
_KNOWN: Final = ", ".join(sorted([*_READERS, "PAD", "RESHAPE"]))
