"""A part of a gallery's people, each compared with those alike: what a group's error rates are taken over.

In: a value per person, such as a region's number. Out: which comparisons are the part's: all genuine ones of its
people, and the impostor ones of two people with the same value.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.all_pairs.gallery import Gallery, comparisons_within


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a gallery's people."""

    gallery: Gallery
    value: NDArray[np.int32]
    """(P,), 0-based; -1 for who is not in the part."""

    @classmethod
    def everybody(cls, gallery: Gallery) -> Self:
        """All people, each compared with all."""
        return cls(gallery, np.zeros(len(gallery.names), np.int32))

    @property
    def members(self) -> NDArray[np.bool_]:
        """(P,), who is in the part."""
        return self.value >= 0

    @property
    def people(self) -> int:
        """How many they are."""
        return int(np.count_nonzero(self.members))

    @property
    def with_genuine(self) -> int:
        """How many of them have two images or more."""
        return int(np.count_nonzero(self._images > 1))

    @property
    def genuine(self) -> int:
        """Comparisons of two images of one of them."""
        return int(comparisons_within(self._images).sum())

    @property
    def impostors(self) -> int:
        """Comparisons of two of them with one value."""
        value, images = self.value[self.members], self._images[self.members]
        who = self.gallery.group_of[self.members].astype(np.int64) * (len(self.value) + 1) + value
        one = np.bincount(np.unique(who, return_inverse=True)[1], images)
        return int(comparisons_within(np.bincount(value, images)).sum() - comparisons_within(one).sum())

    @property
    def impostors_of(self) -> NDArray[np.int64]:
        """(P,), of them with each person; two names that may be one person are few, and not left out."""
        images = self._images
        alike = np.bincount(self.value[self.members], images[self.members], minlength=1).astype(np.int64)
        return np.where(self.members, images * (alike[self.value] - images), 0)

    def alike(self, first: NDArray[np.integer], second: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of these pairs of persons are compared in this part."""
        compared: NDArray[np.bool_] = self.members[first] & (self.value[first] == self.value[second])
        return compared

    @property
    def _images(self) -> NDArray[np.int64]:
        return np.where(self.members, self.gallery.images_of, 0)
