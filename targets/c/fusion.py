"""Layers that become one: PReLU on what a convolution has just computed."""

from collections import Counter
from dataclasses import replace

from ghostface_edge.targets.c.layers import Convolution, Depthwise, Layer, Prelu, Program, sources_of


def fuse(program: Program) -> Program:
    """Put every PReLU into the convolution before it, where nobody else reads what that gives."""
    readers = Counter(source.name for layer in program.layers for source in sources_of(layer))
    layers: list[Layer] = []
    for layer in program.layers:
        last = layers[-1] if layers else None
        if (
            isinstance(layer, Prelu)
            and isinstance(last, Convolution | Depthwise)
            and last.prelu is None
            and last.out == layer.source
            and readers[last.out.name] == 1
        ):
            layers[-1] = replace(last, out=layer.out, prelu=layer.slopes)
        else:
            layers.append(layer)
    return replace(program, layers=tuple(layers))
