"""Who is on which image, in the order in which all are compared.

In: a name per image, and which names are known to be one person. Out: images sorted so that those of one person lie
side by side, and persons who must not be compared as strangers lie side by side too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Gallery:
    """N images of P persons."""

    order: NDArray[np.intp]
    """(N,), the caller's image at each place."""
    person: NDArray[np.int32]
    """(N,), 0-based, ascending."""
    group_end: NDArray[np.intp]
    """(N,), one past the last image of the persons that this image's person is not compared with."""
    names: tuple[str, ...]
    """Of the persons."""
    ambiguous: int
    """Comparisons of two names that may be one person: counted neither as genuine nor as impostor."""

    @classmethod
    def of(cls, names: Sequence[str], same_person: Iterable[tuple[str, str]] = ()) -> Self:
        """Sort images by person.

        Args:
            names: (N,), who is on each image.
            same_person: pairs of names that are known, or thought, to be one person.
        """
        root = _roots(same_person)
        order = np.array(sorted(range(len(names)), key=lambda at: (root.get(names[at], names[at]), names[at])), np.intp)
        ordered = [names[at] for at in order]
        persons = tuple(dict.fromkeys(ordered))
        place = {name: number for number, name in enumerate(persons)}
        person = np.array([place[name] for name in ordered], np.int32)
        groups = np.unique([root.get(name, name) for name in ordered], return_inverse=True)[1]
        # names sort by code point in both, so equal groups lie side by side and ascend
        group_end = np.searchsorted(groups, groups, side="right").astype(np.intp)
        within_groups = _pairs(np.bincount(groups)).sum() if len(names) else 0
        within_persons = _pairs(np.bincount(person)).sum() if len(names) else 0
        return cls(order, person, group_end, persons, int(within_groups - within_persons))

    def __len__(self) -> int:
        return len(self.order)

    @property
    def images_of(self) -> NDArray[np.int64]:
        """(P,), images of each person."""
        return np.bincount(self.person, minlength=len(self.names))

    @property
    def genuine(self) -> int:
        """Comparisons of two images of one person."""
        return int(_pairs(self.images_of).sum())

    @property
    def impostors(self) -> int:
        """Comparisons of two persons."""
        return len(self) * (len(self) - 1) // 2 - self.genuine - self.ambiguous


def _pairs(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return counts * (counts - 1) // 2


def _roots(same_person: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Give every name of a chain of equal persons the same name."""
    root: dict[str, str] = {}
    for pair in same_person:
        first, second = (root.get(name, name) for name in pair)
        for name in [*pair, *(known for known, its in root.items() if its == second)]:
            root[name] = first
    return root
