"""A full-integer `.tflite` to a program: every operator that C is written for, with TFLite's own arithmetic.

In: a file of batch 1 and int8 input, as the portable kernels take it. Out: `layers.Program`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.c import sigmoid
from ghostface_edge.targets.c.layers import (
    INT8_LOW,
    Addition,
    AveragePool,
    Concatenation,
    Convolution,
    Depthwise,
    Layer,
    Lookup,
    Mean,
    Multiplication,
    Multiplier,
    Prelu,
    Program,
    Resize,
    Slopes,
)
from ghostface_edge.targets.c.tflite_graph import IMAGE_AXES, Graph, Operator
from ghostface_edge.targets.tflite.inspection import main_graph

_INPUT_SCALE: Final = 1 / 128
_ADDITION_BITS: Final = 20


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
        return _read(Graph(model, model.subgraphs[0]), kinds, artifact)
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError) as problem:
        raise InputError(f"{artifact} contradicts itself: {problem}", fix="lower the model again") from problem


def _read(graph: Graph, kinds: Sequence[str], artifact: Path) -> Program:
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
            layers.append(_READERS[kind](Operator(graph, operator, kind)))
        else:
            raise ToolError(
                f"{kind} at {graph.name(operator.outputs[0])} has no C kernel",
                fix=f"C is written for {_KNOWN}; use tflite-micro-int8 for this network",
            )
    return Program(faces, tuple(layers), graph.image(graph.graph.outputs[0]))


def _convolution(read: Operator) -> Convolution:
    weights = read.weights()
    outputs, rows, columns, inputs = weights.shape
    if inputs != read.image(0).channels:
        raise read.refuse("groups have no C kernel")
    flat = weights.reshape(outputs, -1)
    summed = flat.sum(axis=1, dtype=np.int32)
    return Convolution(read.image(0), read.out, read.window(rows, columns), flat, read.requantization(summed))


def _depthwise(read: Operator) -> Depthwise:
    weights = read.weights()
    _, rows, columns, channels = weights.shape
    if read.options.depthMultiplier != 1 or channels != read.image(0).channels:
        raise read.refuse("a depth multiplier other than 1 has no C kernel")
    flat = weights.reshape(-1, channels)
    summed = flat.sum(axis=0, dtype=np.int32)
    return Depthwise(read.image(0), read.out, read.window(rows, columns), flat, read.requantization(summed))


def _addition(read: Operator) -> Addition:
    a, b, out = read.image(0), read.image(1), read.out
    if (a.pixels, a.channels) != (b.pixels, b.channels):
        raise read.refuse("terms of different shapes have no C kernel")
    twice = 2 * max(a.scale, b.scale)
    factors = (a.scale / twice, b.scale / twice, twice / ((1 << _ADDITION_BITS) * out.scale))
    of_a, of_b, of_out = (Multiplier.of(factor) for factor in factors)
    return Addition(a, b, out, of_a, of_b, of_out, *read.limits())


def _multiplication(read: Operator) -> Multiplication:
    a, b, out = read.image(0), read.image(1), read.out
    if a.pixels < b.pixels:
        a, b = b, a
    if a.channels != b.channels or b.pixels not in (1, a.pixels):
        raise read.refuse("factors of these shapes have no C kernel")
    return Multiplication(a, b, out, Multiplier.of(a.scale * b.scale / out.scale), *read.limits())


def _mean(read: Operator) -> Mean:
    source, out = read.image(0), read.out
    if sorted(int(axis) for axis in np.atleast_1d(read.constant(1))) != [1, 2]:
        raise read.refuse("only the mean over rows and columns is written in C")
    return Mean(source, out, Multiplier.of(source.scale / out.scale).over(source.pixels))


def _average_pool(read: Operator) -> AveragePool:
    options, source, out = read.options, read.image(0), read.out
    window = read.window(int(options.filterHeight), int(options.filterWidth))
    if options.padding != schema.Padding.VALID or (source.scale, source.zero_point) != (out.scale, out.zero_point):
        raise read.refuse("padding, or an output of another scale, has no C kernel")
    return AveragePool(source, out, window, *read.limits())


def _resize(read: Operator) -> Resize:
    source, out = read.image(0), read.out
    is_centred = read.options.halfPixelCenters and not read.options.alignCorners
    if not is_centred or (source.scale, source.zero_point) != (out.scale, out.zero_point):
        raise read.refuse("only centres of pixels on each other, in one scale, are written in C")
    return Resize(source, out)


def _logistic(read: Operator) -> Lookup:
    source, out = read.image(0), read.out
    if (out.scale, out.zero_point) != (1 / 256, INT8_LOW):
        raise read.refuse("an output that is not in 256ths has no C kernel")
    return Lookup(source, out, sigmoid.table(source.scale, source.zero_point))


def _prelu(read: Operator) -> Prelu:
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


def _concatenation(read: Operator) -> Concatenation:
    out = read.out
    sources = tuple(read.image(number) for number in range(len(read.operator.inputs)))
    if read.options.axis not in (-1, IMAGE_AXES - 1):
        raise read.refuse("only channels are put behind each other in C")
    if any((part.scale, part.zero_point) != (out.scale, out.zero_point) for part in sources):
        raise read.refuse("parts of different scales have no C kernel")
    return Concatenation(sources, out)


_READERS: Final[Mapping[str, Callable[[Operator], Layer]]] = MappingProxyType(
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
