"""Who is enrolled and who is searched for, 1:N: one image of everybody who has several, all other images as probes.

A lock or a gate enrols somebody once and then sees that person again, so a template is one image, the first; the other
images of enrolled people are mated probes. People with a single image cannot be searched for, so they are the strangers
who are not enrolled: non-mated probes. IJB-B pools templates from half of a person's media instead; that leaves a
person of two images, most of LFW's, nothing to pool.
Source: ISO/IEC 19795-1, terms; Whitelam et al. 2017, IJB-B, section on 1:N.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.errors import InputError


@dataclass(frozen=True, slots=True)
class Enrolment:
    """G enrolled images and Q probes, as places among the caller's images."""

    enrolled: NDArray[np.intp]
    """(G,), one image of each person enrolled."""
    enrolled_person: NDArray[np.int32]
    """(G,)"""
    probes: NDArray[np.intp]
    """(Q,)"""
    probe_person: NDArray[np.int32]
    """(Q,)"""
    people: int
    """P, over whom persons are numbered."""
    ambiguous: int = 0
    """People left out because they may be somebody else of the gallery."""

    @classmethod
    def of(cls, gallery: Gallery) -> Self:
        """Divide a gallery.

        Raises:
            InputError: nobody has two images.
        """
        _, group, size = np.unique(gallery.group_end, return_inverse=True, return_counts=True)
        alone = size[group] == gallery.images_of[gallery.person]
        several = alone & (gallery.images_of[gallery.person] > 1)
        if not several.any():
            raise InputError("nobody has two images, one to enrol and one to search for", fix="give more images")
        first = np.concatenate(([True], gallery.person[1:] != gallery.person[:-1]))
        enrolled, probes = several & first, alone & ~(several & first)
        return cls(
            enrolled=gallery.order[enrolled],
            enrolled_person=gallery.person[enrolled],
            probes=gallery.order[probes],
            probe_person=gallery.person[probes],
            people=len(gallery.names),
            ambiguous=len(np.unique(gallery.person[~alone])),
        )

    @property
    def mated(self) -> NDArray[np.bool_]:
        """(Q,), whether the person searched for is enrolled."""
        return np.isin(self.probe_person, self.enrolled_person)
