"""Disjoint sets (union–find) of anything hashable."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class DisjointSets(Generic[T]):
    """Every item is a set of its own until it is tied to others."""

    def __init__(self) -> None:
        self._parents: dict[T, T] = {}

    def root(self, item: T) -> T:
        """The item that stands for the set."""
        while (parent := self._parents.get(item, item)) is not item:
            self._parents[item] = self._parents.get(parent, parent)
            item = parent
        return item

    def tie(self, items: Iterable[T]) -> None:
        """Make one set of those that the items are in."""
        first, *others = items
        for other in others:
            self._parents[self.root(other)] = self.root(first)
