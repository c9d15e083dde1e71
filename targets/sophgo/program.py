"""The program that Sophgo's interpreter runs: MLIR as text, an operator a line, with weights in an `.npz` beside it.

Only operators that networks of this project lower to are known; a program with another is refused before the
interpreter sees it. Source: tpu_mlir's dialects Top and Tpu.
"""

import math
import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file, read_text
from ghostface_edge.targets.computed import Step, needed
from ghostface_edge.targets.protocol import Precision
from ghostface_edge.targets.sophgo.vendor import entry_of
from ghostface_edge.targets.sophgo.weights import check_weights

_OPERATORS: Final = frozenset(
    {
        *("Active", "Add", "AddConst", "Cast", "Clip", "Concat", "Conv2D", "GenericCpu", "Interp", "Lut", "Max", "Min"),
        *("Mul", "MulConst", "MulShift", "None", "PReluOp", "Pad", "Pool2D", "Relu", "ReluOp", "Requant", "RequantInt"),
        *("Reshape", "Sigmoid", "Unsqueeze", "Weight"),
    }
)
_ON_CPU: Final = frozenset({"quant", "dequant", "interp"})
"""What a CV181x's own CPU may do."""
_MAX_PROGRAM_BYTES: Final = 64 * 2**20
_FIX: Final = "give one that a run keeps, with .mlir and .npz beside it; by itself the file is for its chip alone"
_CONVOLVED: Final = 2
"""What a convolution reads at least."""
_MAX_LINE: Final = 1 << 16
_MAX_ELEMENTS: Final = 1 << 26
"""Of a tensor."""
_BEFORE: Final = re.compile(
    r"#loc = loc\(unknown\)\nmodule @[\w.-]+ attributes \{[^{}\n]*\} \{\n"
    r"  func\.func @main\(%arg0: tensor<[^>\n]*> loc\(unknown\)\) -> tensor<[^\n]*> \{"
    r"(\n *%\d+ = \"top\.None\"\(\) : \(\) -> none loc\(#loc\))*"  # where an operator leaves an input out
)
_BEHIND: Final = re.compile(r'  \} loc\(#loc\)\n\} loc\(#loc\)\n(#loc\d+ = loc\("[^"\\\n]*"\)\n)*\n?')
_NAMED: Final = re.compile(r'^(#loc\d+) = loc\("([^"\\\n]*)"\)$', re.MULTILINE)
_BEGIN: Final = re.compile(r'\s*(%\d+) = "(?:top|tpu)\.(\w+)"\(([%\w, ]*)\) ')
_END: Final = re.compile(r"(#loc\d+)\)")
_TYPES: Final = re.compile(r"[\w !+,.:<>-]*")
_RETURN: Final = re.compile(r"    return (%\d+) : ([\w !+,.:<>-]+) loc\(#loc\)")
_TENSOR: Final = re.compile(r"tensor<((?:\d+x)+)([^>]*)")
_SIZES: Final = re.compile(r"\d{1,9}(?:x\d{1,9}){0,5}")
_WIDTHS: Final = MappingProxyType(
    {"si8": 1, "ui8": 1, "i8": 1, "si16": 2, "ui16": 2, "i16": 2, "f16": 2, "bf16": 2, "si32": 4, "i32": 4, "f32": 4}
)
"""Bytes of a weight's element."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A line of a program."""

    kind: str
    reads: tuple[str, ...]
    writes: str
    taken: str
    """Types of what it reads."""
    given: str
    """Type of what it writes."""
    text: str

    @property
    def precision(self) -> str:
        """What it computes in, by what it reads first."""
        return precision_of(self.taken)


@dataclass(frozen=True)
class Program:
    """A program's lines."""

    head: str
    operators: tuple[Operator, ...]
    names: dict[str, str]
    """Of tensors, by the number that the text has for them."""
    tail: str

    @cached_property
    def steps(self) -> list[Step]:
        """What operators read and write, the input left out."""
        return [
            Step(op.kind, tuple(self.names[read] for read in op.reads), (self.names[op.writes],))
            for op in self.operators[1:]
        ]

    @property
    def entry(self) -> str:
        """The input's name."""
        return self.names[self.operators[0].writes]

    @property
    def takes(self) -> tuple[int, ...]:
        """Shape of the input."""
        return shape_of(self.operators[0].given)

    def macs(self) -> dict[str, int]:
        """Multiply-accumulates of one face, by precision."""
        found: Counter[str] = Counter()
        types = {op.writes: op.given for op in self.operators}
        for op in self.operators:
            if op.kind == "Conv2D":
                found[op.precision] += math.prod(shape_of(op.given)[2:]) * math.prod(shape_of(types[op.reads[1]]))
        return dict(found)

    def counted(self) -> dict[str, int]:
        """How often each operator occurs, with the precision where that is not INT8."""
        computed = (op for op in self.operators[1:] if op.kind not in {"Weight", "None"})
        kinds = (op.kind if op.precision == Precision.INT8 else f"{op.kind} {op.precision}" for op in computed)
        return dict(sorted(Counter(kinds).items()))

    def weights(self) -> dict[str, int]:
        """Bytes of what is stored beside it, by name."""
        return {
            self.names[op.writes]: math.prod(shape_of(op.given)) * _WIDTHS.get(_kind_of(op.given), 0)
            for op in self.operators
            if op.kind == "Weight"
        }

    def cut(self, tensor: str) -> "Program":
        """The same program up to one of its tensors."""
        places = needed(tensor, self.steps)
        kept = (self.operators[0], *(self.operators[place + 1] for place in places))
        end = kept[-1]  # what is needed comes before it
        entry = re.compile(r"(func\.func @main\(.*\)) -> .* \{$", re.MULTILINE)
        head = entry.sub(lambda found: f"{found[1]} -> {end.given} {{", self.head)
        return replace(self, head=head, operators=kept)

    @property
    def text(self) -> str:
        """As the interpreter reads it."""
        lines, end = [op.text for op in self.operators], self.operators[-1]
        return "\n".join([self.head, *lines, f"    return {end.writes} : {end.given} loc(#loc)", self.tail])


def program_of(artifact: Path) -> Path:
    """The program beside a chip's file."""
    return artifact.with_suffix(".mlir")


def weights_of(artifact: Path) -> Path:
    """Its weights."""
    return artifact.with_suffix(".npz")


def read_program(artifact: Path) -> Program:
    """Read and check the program beside a chip's file.

    Raises:
        InputError: there is none, or it, or its weights, are none that this project makes.
    """
    path = program_of(artifact)
    if os.path.lexists(artifact):  # no chip's file comes of a part
        open_file(artifact, fix=_FIX).close()
    if not path.exists() or not weights_of(artifact).exists():
        raise InputError(f"{artifact} lies without the interpreter's program", fix=_FIX)
    text = read_text(path, fix=_FIX, at_most=_MAX_PROGRAM_BYTES)
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if '"top.Input"' in line), 0)
    last = next((number for number, line in enumerate(lines) if line.startswith("    return ")), 0)
    head, tail = "\n".join(lines[:first]), "\n".join(lines[last + 1 :])
    stored = re.findall('weight_file = "([^"]*)"', text)
    is_ours = first < last and _BEFORE.fullmatch(head) and _BEHIND.fullmatch(tail)
    if not is_ours or stored != [weights_of(artifact).name]:
        raise InputError(f"{path} is no program with weights in {weights_of(artifact).name}", fix=_FIX)
    program = Program(head, *_operators(path, lines[first:last], dict(_NAMED.findall(tail))), tail)
    returned = _RETURN.fullmatch(lines[last])
    if returned is None or (returned[1], returned[2]) != (program.operators[-1].writes, program.operators[-1].given):
        raise InputError(f"{path} gives something else than its last operator does", fix=_FIX)
    check_weights(weights_of(artifact), program.weights(), _FIX)
    return program


def _operators(path: Path, lines: list[str], names: dict[str, str]) -> tuple[tuple[Operator, ...], dict[str, str]]:
    """What the lines compute, and what their tensors are called."""
    found: list[Operator] = []
    named: dict[str, str] = {}
    for line in lines:
        operator, place = _operator(line) if len(line) <= _MAX_LINE else (None, "")
        is_known = operator is not None and (operator.kind in _OPERATORS if found else operator.kind == "Input")
        if operator is None or not is_known or operator.writes in named or not names.get(place, "\0").isprintable():
            raise InputError(f"{path} has a line that no network of this tool has: {line.strip()[:80]}", fix=_FIX)
        reads = tuple(read for read in operator.reads if read in named)
        if operator.kind == "Conv2D" and len(reads) < _CONVOLVED:
            raise InputError(f"{path} has a convolution without weights: {line.strip()[:80]}", fix=_FIX)
        named[operator.writes] = names.pop(place)
        found.append(replace(operator, reads=reads))
    if len(set(named.values())) != len(named):
        raise InputError(f"{path} calls two tensors by one name", fix=_FIX)
    try:
        entry = entry_of(lines[0])
    except ValueError:
        entry = (math.nan, math.nan, [])
    if not all(map(math.isfinite, entry[:2])) or tuple(entry[2]) != shape_of(found[0].given):
        raise InputError(f"{path} takes no faces", fix=_FIX)
    return tuple(found), named


def _operator(line: str) -> tuple[Operator | None, str]:
    """What a line computes, and by which number it is named; None of what is no single operator of these dialects."""
    text, _, place = line.rpartition(" loc(")
    signature, _, given = text.rpartition(") -> ")
    told, _, taken = signature.rpartition(": (")
    begins, ends = _BEGIN.match(told), _END.fullmatch(place)
    if begins is None or ends is None or not _TYPES.fullmatch(taken) or not _TYPES.fullmatch(given):
        return None, ""
    writes, kind, reads = begins.groups()
    attributes = told[begins.end() :]
    is_plain = not any(each in attributes for each in ("->", "loc(")) and all(map(_is_possible, (taken, given)))
    if not is_plain or (kind == "GenericCpu" and not _is_cast(line)):
        return None, ""
    return Operator(kind, tuple(reads.split(", ")), writes, taken, given, line), ends[1]


def _is_possible(types: str) -> bool:
    """Whether tensors are no larger than a face network's."""
    found = [sizes[:-1] for sizes, _ in _TENSOR.findall(types)]
    return all(_SIZES.fullmatch(sizes) and math.prod(map(int, sizes.split("x"))) <= _MAX_ELEMENTS for sizes in found)


def shape_of(written: str) -> tuple[int, ...]:
    """Shape of the first tensor of a list of types."""
    found = _TENSOR.search(written)
    return () if found is None else tuple(int(size) for size in found[1].split("x")[:-1])


def precision_of(written: str) -> str:
    """Of the first tensor of a list of types."""
    kind = _kind_of(written)
    if "quant.uniform<" in kind or kind in {"si8", "ui8"}:
        return Precision.INT8
    for name, precision in (("bf16", "bf16"), ("f16", Precision.FP16), ("f32", Precision.FP32)):
        if name in kind:
            return precision
    return kind


def _kind_of(written: str) -> str:
    found = _TENSOR.search(written)
    return "" if found is None else found[2]


def _is_cast(line: str) -> bool:
    named = re.search(r'cpu_op_name = "(\w+)"', line)
    return named is not None and named[1] in _ON_CPU
