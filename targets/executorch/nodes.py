"""Nodes of an XNNPACK graph, as this project's programs have them: their fields, and what each makes of its inputs.

Source: `backends/xnnpack/serialization/schema.fbs` of ExecuTorch 1.5.1; images are (N, H, W, C).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np

from ghostface_edge.targets.computed import Step

Shape: TypeAlias = tuple[int, ...]

CONVOLUTIONS: Final = ("Conv2d", "DepthwiseConv2d", "FullyConnected")
_ONE: Final = ("input", "output", "flags")
_TWO: Final = ("input", "input", "output", "flags")
_JOIN: Final = ("axis", *("input",) * 4, "output", "flags", "input")
_KERNEL: Final = (
    "top",
    "right",
    "bottom",
    "left",
    "height",
    "width",
    "stride_h",
    "stride_w",
    "dilation_h",
    "dilation_w",
)
_CONVOLUTION: Final = (
    *_KERNEL,
    *("group_inputs", "group_outputs", "groups", "adjust_h", "adjust_w"),
    *("input", "input", "input", "output", "flags"),
)
KINDS: Final[Mapping[int, tuple[str, Sequence[str]]]] = MappingProxyType(
    {
        1: ("Add", _TWO),
        2: ("FullyConnected", ("input", "input", "input", "output", "flags")),
        4: ("Sigmoid", _ONE),
        5: ("StaticTranspose", ("axes", "order[]", *_ONE)),
        6: ("Clamp", _ONE),
        7: ("Conv2d", _CONVOLUTION),
        9: ("StaticResizeBilinear2D", ("height", "width", *_ONE)),
        10: ("StaticConstantPad", ("before[]", "after[]", "value", *_ONE)),
        11: ("AvgPooling2d", (*_KERNEL, *_ONE)),
        12: ("Minimum", _TWO),
        13: ("DepthwiseConv2d", _CONVOLUTION),
        15: ("Multiply", _TWO),
        18: ("Convert", _ONE),
        19: ("GlobalAvgPooling2d", _ONE),
        20: ("StaticReshape", ("axes", "shape[]", *_ONE)),
        26: ("Maximum", _TWO),
        31: ("PReLU", _TWO),
        32: ("Concatenate2", _JOIN),
        33: ("Concatenate3", _JOIN),
        34: ("Concatenate4", _JOIN),
        38: ("Concatenate5", _JOIN),
        46: ("Copy", _ONE),
    }
)
"""Kinds of nodes that this project's files have, with their fields in the schema's order."""


@dataclass(frozen=True, slots=True)
class Node:
    """An operator of the graph."""

    kind: str
    inputs: Shape
    output: int
    numbers: Mapping[str, int]
    lists: Mapping[str, Shape]

    @property
    def step(self) -> Step:
        """What it reads and writes."""
        return Step(self.kind, tuple(map(str, self.inputs)), (str(self.output),))


def shape_of(node: Node, sources: Sequence[Shape]) -> Shape:
    """Shape of what a node makes of inputs of these shapes.

    Raises:
        ValueError: it cannot take them.
    """
    return _SHAPES.get(node.kind, _broadcast)(node, sources)


def _broadcast(node: Node, sources: Sequence[Shape]) -> Shape:  # noqa: ARG001 - one of `_SHAPES`
    return np.broadcast_shapes(*sources)


def _convolved(node: Node, sources: Sequence[Shape]) -> Shape:
    image, kernel, bias = sources
    groups, inputs, outputs = (node.numbers[name] for name in ("groups", "group_inputs", "group_outputs"))
    size, outputs = (node.numbers["height"], node.numbers["width"]), groups * outputs
    known = (1, *size, outputs) if node.kind == "DepthwiseConv2d" else (outputs, *size, inputs)
    _require(kernel == known and bias == (outputs,) and image[3] == groups * inputs, node, sources)
    return (image[0], *_positions(node, image), outputs)


def _connected(node: Node, sources: Sequence[Shape]) -> Shape:
    values, kernel, bias = sources
    _require(kernel[1:] == values[-1:] and bias == kernel[:1], node, sources)
    return (*values[:-1], kernel[0])


def _pooled(node: Node, sources: Sequence[Shape]) -> Shape:
    return (sources[0][0], *_positions(node, sources[0]), sources[0][3])


def _averaged(node: Node, sources: Sequence[Shape]) -> Shape:  # noqa: ARG001 - one of `_SHAPES`
    return (sources[0][0], 1, 1, sources[0][3])


def _resized(node: Node, sources: Sequence[Shape]) -> Shape:
    return (sources[0][0], node.numbers["height"], node.numbers["width"], sources[0][3])


def _padded(node: Node, sources: Sequence[Shape]) -> Shape:
    ends = zip(sources[0], node.lists["before"], node.lists["after"], strict=True)
    return tuple(sum(each) for each in ends)


def _transposed(node: Node, sources: Sequence[Shape]) -> Shape:
    order = node.lists["order"]
    _require(sorted(order) == list(range(len(sources[0]))), node, sources)
    return tuple(sources[0][axis] for axis in order)


def _reshaped(node: Node, sources: Sequence[Shape]) -> Shape:
    _require(math.prod(node.lists["shape"]) == math.prod(sources[0]), node, sources)
    return node.lists["shape"]


def _joined(node: Node, sources: Sequence[Shape]) -> Shape:
    axis, first = node.numbers["axis"], sources[0]
    others = {source[:axis] + source[axis + 1 :] for source in sources}
    _require(str(len(sources)) == node.kind[-1] and len(others) == 1, node, sources)
    return (*first[:axis], sum(source[axis] for source in sources), *first[axis + 1 :])


_SHAPES: Final[Mapping[str, Callable[[Node, Sequence[Shape]], Shape]]] = MappingProxyType(
    {
        "AvgPooling2d": _pooled,
        "Concatenate2": _joined,
        "Concatenate3": _joined,
        "Concatenate4": _joined,
        "Concatenate5": _joined,
        "Conv2d": _convolved,
        "DepthwiseConv2d": _convolved,
        "FullyConnected": _connected,
        "GlobalAvgPooling2d": _averaged,
        "StaticConstantPad": _padded,
        "StaticReshape": _reshaped,
        "StaticResizeBilinear2D": _resized,
        "StaticTranspose": _transposed,
    }
)
"""All others join what they read, broadcast."""


def _positions(node: Node, image: Shape) -> Shape:
    """Height and width of what a kernel gives; poolings are written with a dilation of 0."""
    numbers = node.numbers
    heights = image[1] + numbers["top"] + numbers["bottom"] - numbers["height"]
    widths = image[2] + numbers["left"] + numbers["right"] - numbers["width"]
    _require(min(heights, widths) >= 0 and max(numbers["dilation_h"], numbers["dilation_w"]) <= 1, node, (image,))
    return heights // numbers["stride_h"] + 1, widths // numbers["stride_w"] + 1


def _require(holds: bool, node: Node, sources: Sequence[Shape]) -> None:
    if not holds:
        raise ValueError(f"a {node.kind} of {str(dict(node.numbers))[:200]} reads {sources}")
