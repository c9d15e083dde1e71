"""Who is on which image, in the order in which all are compared.

In: a name per image, as far as it is known, and which names are known to be one person. Out: images sorted so that
those of one person lie side by side, and persons who must not be compared as strangers lie side by side too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Gallery:
    """N named images of P persons."""

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
    def of(cls, names: Sequence[str | None], same_person: Iterable[tuple[str, str]] = ()) -> Self:
        """Sort images by person.

        Args:
            names: who is on each of the caller's images; one without a name is compared with none.
            same_person: pairs of names that are known, or thought, to be one person.
        """
        root = _roots(same_person)
        named = sorted((root.get(name, name), name, at) for at, name in enumerate(names) if name is not None)
        group, person = _numbered(its_root for its_root, _, _ in named), _numbered(name for _, name, _ in named)
        group_end = np.searchsorted(group, group, side="right").astype(np.intp)
        apart = comparisons_within(np.bincount(group)).sum() - comparisons_within(np.bincount(person)).sum()
        order = np.array([at for _, _, at in named], np.intp)
        return cls(order, person, group_end, tuple(dict.fromkeys(name for _, name, _ in named)), int(apart))

    def __len__(self) -> int:
        return len(self.order)

    @property
    def images_of(self) -> NDArray[np.int64]:
        """(P,), images of each person."""
        return np.bincount(self.person, minlength=len(self.names))

    @property
    def group_of(self) -> NDArray[np.intp]:
        """(P,), equal for persons who are not compared with each other."""
        first = np.searchsorted(self.person, np.arange(len(self.names)))
        return self.group_end[first]

    @property
    def genuine(self) -> int:
        """Comparisons of two images of one person."""
        return int(comparisons_within(self.images_of).sum())

    @property
    def impostors(self) -> int:
        """Comparisons of two persons."""
        return len(self) * (len(self) - 1) // 2 - self.genuine - self.ambiguous


def _numbered(keys: Iterable[str]) -> NDArray[np.int32]:
    """Number keys in the order in which they first occur."""
    number: dict[str, int] = {}
    return np.array([number.setdefault(key, len(number)) for key in keys], np.int32)


def comparisons_within(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of so many images with each other."""
    return counts * (counts - 1) // 2


def _roots(same_person: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Give every name of a chain of equal persons the same name."""
    root: dict[str, str] = {}
    for pair in same_person:
        first, second = (root.get(name, name) for name in pair)
        for name in [*pair, *(known for known, its in root.items() if its == second)]:
            root[name] = first
    return root
