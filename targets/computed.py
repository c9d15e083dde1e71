"""Parts of a computation: which tensors depend on the faces, and what one of them needs.

In: operators in execution order, by the names that they read and write. No runtime knows of this.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.protocol import INPUT, ComputedTensor


@dataclass(frozen=True, slots=True)
class Step:
    """One operator of an artifact."""

    operator: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


def computed_tensors(entry: str, steps: Iterable[Step]) -> tuple[ComputedTensor, ...]:
    """The input, then what operators make of it, each tensor once; not what they make of constants alone."""
    found = {entry: ComputedTensor(entry, INPUT, ())}
    for step in steps:
        sources = tuple(dict.fromkeys(name for name in step.reads if name in found))
        if sources:
            found |= {name: ComputedTensor(name, step.operator, sources) for name in step.writes}
    return tuple(found.values())


def needed(tensor: str, steps: Sequence[Step]) -> list[int]:
    """Places of the operators that a tensor needs, in execution order, those that unpack constants among them."""
    wanted, places = {tensor}, []
    for place in reversed(range(len(steps))):
        if wanted & set(steps[place].writes):
            wanted |= set(steps[place].reads)
            places.append(place)
    return places[::-1]


def require_computed(tensor: str, among: Iterable[ComputedTensor]) -> None:
    """Refuse a name that none of the tensors has.

    Raises:
        InputError: there is no such tensor.
    """
    if all(each.name != tensor for each in among):
        raise InputError(f"the model computes no tensor '{tensor}'", fix="name one that it computes")
