"""The first tensor that differs, by halving.

Execution order alone would lead astray: what branches off before a difference is the same behind it. So of the tensors
that one known to differ is made from, the middle one is tried next, and one that is the same clears all that it is made
from. Rounding can hide a difference on the way, therefore the sources of what was found are tried last.
"""

from collections.abc import Callable, Sequence

from ghostface_edge.targets.protocol import ComputedTensor


def first_difference(
    tensors: Sequence[ComputedTensor], last: ComputedTensor, differs: Callable[[ComputedTensor], bool]
) -> ComputedTensor:
    """A tensor that differs though all that it is made from is the same.

    Args:
        tensors: in execution order, the input first.
        last: one that is known to differ.
        differs: tries one; asked once for each, about log2 of their number in all.
    """
    by_name = {tensor.name: tensor for tensor in tensors}
    origins: dict[str, frozenset[str]] = {}
    for tensor in tensors:
        origins[tensor.name] = frozenset(tensor.sources).union(*(origins[source] for source in tensor.sources))
    found, cleared, same = last, set[str](), set[str]()
    trial = tensors[0]  # most mistakes are made before the network
    while trial is not found:
        if differs(trial):
            found = trial
        else:
            same.add(trial.name)
            cleared |= origins[trial.name] | {trial.name}
        left = [tensor for tensor in tensors if tensor.name in origins[found.name] - cleared]
        hidden = [by_name[source] for source in found.sources if source not in same]
        trial = left[len(left) // 2] if left else hidden[0] if hidden else found
    return found
