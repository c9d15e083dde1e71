"""The program that Sophgo's interpreter runs: MLIR as text, an operator a line, with weights in an `.npz` beside it.

Only operators that networks of this project lower to are known; a program with another is refused before the
interpreter sees it. Source: tpu_mlir's dialects Top and Tpu.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import read_text
from ghostface_edge.targets.computed import Step, needed
from ghostface_edge.targets.protocol import Precision

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
_LINE: Final = re.compile(r'\s*(%\d+) = "(top|tpu)\.(\w+)"\(([^)]*)\) .*?: \((.*)\) -> (.*) loc\((#loc\d+)\)$')
_NOTHING: Final = re.compile(r' *%\d+ = "top\.None"\(\) : \(\) -> none loc\(#loc\)')
"""Stands before the input where an operator leaves one out."""
_NAMED: Final = re.compile(r'^(#loc\d+) = loc\("([^"\\]*)"\)$', re.MULTILINE)
_TENSOR: Final = re.compile(r"tensor<((?:\d+x)+)([^>]*)")


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
    tail: str
    names: dict[str, str]
    """Of tensors, by the number that the text has for them."""

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

    def cut(self, tensor: str) -> str:
        """The text of the same program up to one of its tensors."""
        kept = [self.operators[0], *(self.operators[place + 1] for place in needed(tensor, self.steps))]
        end = next(op for op in kept if self.names[op.writes] == tensor)
        entry = re.compile(r"(func\.func @main\(.*\)) -> .* \{$", re.MULTILINE)
        head = entry.sub(lambda found: f"{found[1]} -> {end.given} {{", self.head)
        body = "".join(op.text + "\n" for op in self.operators if op in kept)
        return f"{head}\n{body}    return {end.writes} : {end.given} loc(#loc)\n{self.tail}"


def program_of(artifact: Path) -> Path:
    """The program beside a chip's file."""
    return artifact.with_suffix(".mlir")


def weights_of(artifact: Path) -> Path:
    """Its weights."""
    return artifact.with_suffix(".npz")


def read_program(artifact: Path) -> Program:
    """Read and check the program beside a chip's file.

    Raises:
        InputError: there is none, or it is none that this project makes.
    """
    path = program_of(artifact)
    if not path.is_file() or not weights_of(artifact).is_file():
        raise InputError(f"{artifact} lies without the interpreter's program", fix=_FIX)
    text = read_text(path, fix=_FIX, at_most=_MAX_PROGRAM_BYTES)
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if '"top.Input"' in line), 0)
    last = next((number for number, line in enumerate(lines) if line.startswith("    return ")), 0)
    names = dict(_NAMED.findall(text))
    operators: list[Operator] = []
    named: dict[str, str] = {}
    for line in lines[first:last]:
        found = _LINE.fullmatch(line)
        kind = None if found is None else found[3]
        is_known = kind == "Input" if not operators else kind in _OPERATORS
        if found is None or not is_known or found[7] not in names or (kind == "GenericCpu" and not _is_cast(line)):
            raise InputError(f"{path} has a line that no network of this tool has: {line.strip()[:80]}", fix=_FIX)
        writes = found[1]
        reads = tuple(read for read in found[4].split(", ") if read in named)
        named[writes] = names[found[7]]
        operators.append(Operator(found[3], reads, writes, found[5], found[6], line))
    others = [line for line in (*lines[:first], *lines[last + 1 :]) if "%" in line.replace("(%arg0: ", "")]
    stored = re.findall('weight_file = "([^"]*)"', text)
    if not operators or stored != [weights_of(artifact).name] or any(not _NOTHING.fullmatch(line) for line in others):
        raise InputError(f"{path} is no program with weights in {weights_of(artifact).name}", fix=_FIX)
    return Program("\n".join(lines[:first]), tuple(operators), "\n".join(lines[last + 1 :]), named)


def shape_of(written: str) -> tuple[int, ...]:
    """Shape of the first tensor of a list of types."""
    found = _TENSOR.search(written)
    return () if found is None else tuple(int(size) for size in found[1].split("x")[:-1])


def precision_of(written: str) -> str:
    """Of the first tensor of a list of types."""
    found = _TENSOR.search(written)
    kind = "" if found is None else found[2]
    if "quant.uniform<" in kind or kind in {"si8", "ui8"}:
        return Precision.INT8
    for name, precision in (("bf16", "bf16"), ("f16", Precision.FP16), ("f32", Precision.FP32)):
        if name in kind:
            return precision
    return kind


def _is_cast(line: str) -> bool:
    named = re.search(r'cpu_op_name = "(\w+)"', line)
    return named is not None and named[1] in _ON_CPU
