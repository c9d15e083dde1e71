"""Places of input and output in a model that Vela compiled, read off the file.

In: a `.tflite` with `ethos-u` operators. Out: both tensors' bytes in the arena, how often the NPU writes into the
input's, and what was left to the CPU. Source: TensorFlow Lite Micro's offline memory plan (metadata
`OfflineMemoryAllocation`: version, subgraph, count, then one offset a tensor, -1 where the interpreter decides) and its
Ethos-U kernel, which hands the driver a base address for each input of the operator but the first: regions 0, 1, 2.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.tflite.inspection import main_graph
from ghostface_edge.targets.tflite_micro.command_stream import read_writes

_PLAN: Final = b"OfflineMemoryAllocation"
_PLAN_HEADER: Final = 3
_OPERATOR: Final = b"ethos-u"
_ARENA, _FAST = 1, 2
"""Regions; the second is the NPU's own fast memory where it is a tensor of its own."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Input and output in the tensor arena, bytes from `start` up to `stop`; None where the interpreter decides."""

    input: tuple[int, int] | None
    output: tuple[int, int] | None
    overwrites: int
    """Operations of the NPU that write into the input's bytes."""
    arena_bytes: int
    """Of all tensors that the file gives a place."""
    constants_bytes: int
    """Weights, biases and tables, as the NPU reads them."""
    fast_memory_bytes: int
    """Of the NPU's own; 0 where it works in the arena."""
    cpu_operators: tuple[str, ...]

    @property
    def output_in_input(self) -> bool:
        """Whether the two share bytes."""
        return self.input is not None and self.output is not None and _overlap(self.input, self.output)


def read_placement(compiled: Path) -> Placement:
    """Read a compiled model.

    Raises:
        InputError: no TFLite file, or a command stream that is not understood.
    """
    model, kinds = main_graph(compiled)
    graph = model.subgraphs[0]
    offsets = _plan(model)
    entry, output = (_span(graph, offsets, int(tensors[0])) for tensors in (graph.inputs, graph.outputs))
    overwrites, constants, fast, left = 0, 0, 0, []
    for operator, kind in zip(graph.operators, kinds, strict=True):
        if model.operatorCodes[operator.opcodeIndex].customCode != _OPERATOR:
            left.append(kind)
            continue
        stream, *regions = map(int, operator.inputs)
        constants += len(_content(model, regions[0]))
        has_fast_memory = regions[_FAST] != regions[_ARENA]
        fast = max(fast, int(graph.tensors[regions[_FAST]].shape[0]) if has_fast_memory else 0)
        for write in read_writes(_content(model, stream)):
            if write.region >= len(regions):
                raise InputError(f"{compiled}: its command stream writes to an unknown region", fix="compile it again")
            base = offsets.get(regions[write.region])
            if entry and base is not None and not (has_fast_memory and write.region == _FAST):
                overwrites += _overlap(entry, (base + write.start, base + write.stop))
    ends = (span[1] for span in (_span(graph, offsets, tensor) for tensor in offsets) if span)
    return Placement(entry, output, overwrites, max(ends, default=0), constants, fast, tuple(left))


def _plan(model: Any) -> dict[int, int]:
    """Offset in the arena by tensor, where the file decides it."""
    for entry in model.metadata or ():
        if entry.name == _PLAN:
            numbers = np.frombuffer(bytes(model.buffers[entry.buffer].data), "<i4")
            return {tensor: int(offset) for tensor, offset in enumerate(numbers[_PLAN_HEADER:]) if offset >= 0}
    return {}


def _span(graph: Any, offsets: dict[int, int], tensor: int) -> tuple[int, int] | None:
    """Bytes of an int8, uint8 or float32 tensor in the arena."""
    if tensor not in offsets:
        return None
    element_bytes = 4 if graph.tensors[tensor].type == 0 else 1
    return offsets[tensor], offsets[tensor] + int(np.prod(graph.tensors[tensor].shape)) * element_bytes


def _content(model: Any, tensor: int) -> bytes:
    data = model.buffers[model.subgraphs[0].tensors[tensor].buffer].data
    return b"" if data is None else bytes(data)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])
