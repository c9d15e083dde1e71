"""A `.pte` as this project writes it, read without ExecuTorch: one call of one XNNPACK graph, and what that holds.

In: a file that anybody made. Out: its nodes and values, or why it is refused: other than one call of one delegate,
other kinds of nodes, values that are read before they are written, shapes that contradict each other, constants of
another size than their shape. Source: `schema/program.fbs` and `backends/xnnpack/serialization/schema.fbs` of 1.5.1.
"""

import math
import os
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file, read_bytes
from ghostface_edge.targets.executorch.flatbuffer import Table, root
from ghostface_edge.targets.executorch.nodes import CONVOLUTIONS, KINDS, Node, Shape, shape_of

_FIX: Final = "give a .pte that this tool wrote"
_MAX_BYTES: Final = 512 * 2**20
_MARK: Final = b"ET12"
_HEAD_BYTES: Final = 40
_MAX_ELEMENTS: Final = 1 << 26
"""Of a value."""
_ABSENT: Final = 0xFFFFFFFF
"""XNNPACK's number of no value."""
_DELEGATE: Final = "XnnpackBackend"
_KERNEL_CALL, _DELEGATE_CALL, _TENSOR, _FLOAT, _IN_SEGMENT = 1, 2, 5, 6, 1
"""Numbers of the program's schema."""
_TYPES: Final = MappingProxyType({1: 4, 2: 2, 3: 1, 5: 4, 6: 1, 7: 4})
"""Bytes by XNNPACK's type: fp32, fp16, qint8, qint32, qcint8, qcint32."""
_PRECISIONS: Final = MappingProxyType({1: "fp32", 2: "fp16", 3: "int8", 6: "int8"})
_BY_CHANNEL, _BY_TENSOR = 1, 2


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of the graph, channels last."""

    kind: int
    shape: Shape
    is_constant: bool


@dataclass(frozen=True, slots=True)
class Program:
    """What a `.pte` runs."""

    input_shape: Shape
    input_id: int
    output_id: int
    nodes: tuple[Node, ...]
    values: tuple[Value, ...]

    def operators(self) -> dict[str, int]:
        """How often each kind of node occurs."""
        return dict(sorted(Counter(node.kind for node in self.nodes).items()))

    def macs(self) -> dict[str, int]:
        """Multiply-accumulates by precision; integers where what is read and the weights are integers."""
        macs: Counter[str] = Counter()
        for node in self.nodes:
            if node.kind in CONVOLUTIONS:
                source, kernel, written = (self.values[place] for place in (*node.inputs[:2], node.output))
                positions = math.prod(written.shape[:-1])
                precision = _PRECISIONS[kernel.kind] if _PRECISIONS[source.kind] != "fp32" else "fp32"
                macs[precision] += positions * math.prod(kernel.shape)
        return dict(macs)


def read_program(artifact: Path) -> Program:
    """Read and check a `.pte`.

    Raises:
        InputError: it is damaged, or has something that this project does not write.
    """
    with open_file(artifact, fix=_FIX, at_most=_MAX_BYTES) as file:
        head, size = file.read(_HEAD_BYTES), file.seek(0, os.SEEK_END)
    try:
        _require_whole(head, size)
        content = read_bytes(artifact, fix=_FIX, at_most=size)
        return _File(content).program()
    except (ArithmeticError, LookupError, TypeError, ValueError, struct.error) as problem:
        raise InputError(f"{artifact}: not a readable ExecuTorch program ({problem})", fix=_FIX) from problem


def _require_whole(head: bytes, size: int) -> None:
    """Refuse by its first bytes what is no such file, or longer or shorter than it says."""
    mark, header, _, base, segments = struct.unpack_from("<4sIQQQ", head, 8)
    if head[4:8] != _MARK or mark != b"eh00" or header < _HEAD_BYTES - 8:
        raise ValueError(f"it does not begin with the marks {_MARK.decode()} and eh00")
    if base + segments != size:
        raise ValueError(f"it has {size:,} bytes and says {base + segments:,}")


class _File:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.top = root(content, _MARK)
        (self.base,) = struct.unpack_from("<Q", content, 24)
        self.segments = [(each.number(0, "Q"), each.number(1, "Q")) for each in self.top.tables(4)]
        self.named = {each.text(0): each.number(1) for each in self.top.tables(7)}

    def segment(self, index: int) -> bytes:
        start, size = self.segments[index]
        start += self.base
        if start + size > len(self.content):
            raise ValueError(f"segment {index} ends at byte {start + size:,}, the file at {len(self.content):,}")
        return self.content[start : start + size]

    def program(self) -> Program:
        (plan,) = self.top.tables(1)
        if plan.text(0) != "forward" or self.top.tables(2) or self.top.tables(6):
            raise ValueError("it has another method than forward, or memory of its own")
        outside = [f"{each.text(0)}.{each.text(1)}".rstrip(".") for each in plan.tables(6)]
        if outside:
            raise ValueError(f"{', '.join(outside)[:300]} runs outside of the delegate")
        (chain,), (delegate,), (source,), (result,) = (
            plan.tables(5),
            plan.tables(7),
            plan.numbers(3, np.int32).tolist(),
            plan.numbers(4, np.int32).tolist(),
        )
        (call,) = chain.tables(2)
        if call.number(0, "B") != _DELEGATE_CALL or call.table(1).number(0) != 0:
            raise ValueError("something runs outside of the delegate")
        if call.table(1).numbers(1, np.int32).tolist() != [source, result]:
            raise ValueError("the delegate takes or gives something else than the program")
        if delegate.text(0) != _DELEGATE or delegate.table(1).number(0, "B") != _IN_SEGMENT:
            raise ValueError(f"its delegate is {delegate.text(0)[:40]!r}, not {_DELEGATE}")
        values = plan.tables(2)
        shapes = [_tensor(values[place]) for place in (source, result)]
        graph = self.graph(self.segment(delegate.table(1).number(1)))
        return self.checked(graph, *shapes)

    def graph(self, blob: bytes) -> Table:
        mark, length, start, size = struct.unpack_from("<4sHII", blob, 4)
        if mark != b"XH00" or length != 30 or start + size > len(blob):
            raise ValueError("the delegate's data is no XNNPACK graph")
        return root(blob[start : start + size], b"XN01")

    def checked(self, graph: Table, taken: Shape, given: Shape) -> Program:
        constants = [self.constant_size(each) for each in graph.tables(8)]
        values = tuple(_value(each, number, constants) for number, each in enumerate(graph.tables(2)))
        nodes = tuple(map(_node, graph.tables(1)))
        (source,), (result,) = graph.numbers(4).tolist(), graph.numbers(5).tolist()
        written = {source} | {number for number, value in enumerate(values) if value.is_constant}
        if values[source].shape != taken or values[result].shape != given or values[source].is_constant:
            raise ValueError("the delegate takes or gives tensors of another shape than the program")
        for node in nodes:
            if node.output in written or not set(node.inputs) <= written:
                raise ValueError(f"a {node.kind} reads what is not written, or writes {node.output} again")
            written.add(node.output)
            shape = shape_of(node, [values[place].shape for place in node.inputs])
            if values[node.output].shape != shape:
                raise ValueError(f"a {node.kind} gives {shape}, its value is {values[node.output].shape}")
        if result not in written or result == source:
            raise ValueError("nothing writes its output")
        return Program(taken, source, result, nodes, values)

    def constant_size(self, constant: Table) -> int:
        if key := constant.text(2):
            return len(self.segment(self.named[key]))
        if constant.number(1, "Q"):
            raise ValueError("a constant without a name")
        return 0


def _tensor(value: Table) -> Shape:
    tensor = value.table(1)
    if value.number(0, "B") != _TENSOR or tensor.number(0, "b") not in {_FLOAT, 1} or tensor.number(4):
        raise ValueError("its input or output is no tensor of its own")
    return tuple(tensor.numbers(2, np.int32).tolist())


def _value(entry: Table, number: int, constants: Sequence[int]) -> Value:
    tensor, scales = entry.table(1), 0
    if is_quantized := entry.number(0, "B") == 2:
        if tensor.number(1, "B") == _BY_CHANNEL:
            scales = tensor.table(2).number(3)
            if constants[tensor.table(2).number(2)] < 4 * scales or tensor.table(2).numbers(0).size:
                raise ValueError(f"value {number} has {scales} scales, which are not there")
        elif tensor.number(1, "B") != _BY_TENSOR:
            raise ValueError(f"value {number} is quantized otherwise")
        channel = tensor.table(2).number(1, "i")
        tensor = tensor.table(0)
    kind, held = tensor.number(0, "h"), tensor.number(3)
    shape = tuple(tensor.numbers(2).tolist())
    elements = math.prod(shape)
    if len(shape) != tensor.number(1) or len(shape) > 6 or not 0 < elements <= _MAX_ELEMENTS:
        raise ValueError(f"value {number} has the shape {shape}")
    if tensor.number(6) != number or kind not in _TYPES or (kind not in {1, 2}) != is_quantized:
        raise ValueError(f"value {number} is called {tensor.number(6)}, or of type {kind}")
    if scales and shape[channel] != scales:
        raise ValueError(f"value {number} of {shape} has {scales} scales")
    if held and constants[held] < elements * _TYPES[kind]:
        raise ValueError(f"the constant {number} of {shape} has {constants[held]:,} bytes")
    return Value(kind, shape, bool(held))


def _node(entry: Table) -> Node:
    number, fields = entry.number(0, "B"), entry.table(1)
    if number not in KINDS:
        raise ValueError(f"a node of kind {number}")
    kind, names = KINDS[number]
    inputs, output = [], _ABSENT
    numbers, lists = dict[str, int](), dict[str, Shape]()
    for slot, name in enumerate(names):
        if name == "input":
            inputs.append(fields.number(slot))
        elif name == "output":
            output = fields.number(slot)
        elif name.endswith("[]"):
            lists[name.removesuffix("[]")] = tuple(fields.numbers(slot).tolist())
        else:
            numbers[name] = fields.number(slot)
    return Node(kind, tuple(each for each in inputs if each != _ABSENT), output, numbers, lists)
