"""Groups of people under two models: their error rates, and what the one added to the differences.

In: the scores of both models on one gallery, and a value per person for each attribute. Out: the record that the report
holds. The threshold is the same for everybody, each model's own for one false-match rate over all people.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ghostface_edge.reports.all_against_all import FMRS, Support, lowest_told
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.intervals import (
    Influence,
    at_rate,
    fmr_at_rate,
    fmr_of,
    fnmr_of,
    interval,
    interval_of_rise,
)
from ghostface_edge.reports.all_pairs.operating_points import point_at, support
from ghostface_edge.reports.all_pairs.part import Part
from ghostface_edge.reports.all_pairs.scores import AllPairScores
from ghostface_edge.reports.groups import Added, Group, GroupRate, Groups, confidence, finding, tells_fmr, tells_fnmr

Attributes: TypeAlias = Mapping[str, Mapping[str, str]]
"""By attribute, each person's value, as far as it is told."""


@dataclass(frozen=True, slots=True)
class _Compared:
    """A group, and the rest of those of whom the attribute is told."""

    attribute: str
    value: str
    group: Part
    rest: Part

    @property
    def parts(self) -> tuple[Part, Part]:
        return self.group, self.rest

    @property
    def tells_fnmr(self) -> bool:
        return all(tells_fnmr(part.genuine, part.with_genuine) for part in self.parts)

    def tells_fmr(self, fmr: str) -> bool:
        return all(tells_fmr(fmr, part.impostors) is Support.FIGURE for part in self.parts)


def judge_groups(model: AllPairScores, reference: AllPairScores, attributes: Attributes) -> Groups | None:
    """What each group's rates are under both models, at the lowest false-match rate that is a figure.

    Args:
        model: scores of a gallery.
        reference: the float network's, of the same gallery.
        attributes: of its people; of others nothing is said.

    Returns:
        None where the gallery tells no false-match rate at all.
    """
    fmr = lowest_told({fmr: support(model, fmr) for fmr in FMRS})
    if fmr is None:
        return None
    both = _Models(fmr, (model, reference))
    compared = [one for name, values in attributes.items() for one in _groups(model.gallery, name, values)]
    level = confidence(sum(one.tells_fnmr + one.tells_fmr(fmr) for one in compared))
    return Groups(fmr=fmr, confidence=level, rows=tuple(_group(one, both, level) for one in compared))


@dataclass(frozen=True, slots=True)
class _Models:
    """The variant and the reference, each at its own threshold for one false-match rate of all."""

    fmr: str
    scores: tuple[AllPairScores, AllPairScores]

    def fnmr(self, part: Part) -> "list[_Figure]":
        points = [point_at(scores, self.fmr) for scores in self.scores]
        return [
            _Figure(fnmr_of(scores, point.threshold, part), at_rate(scores, self.fmr, point, part))
            for scores, point in zip(self.scores, points, strict=True)
        ]

    def fmrs(self, part: Part) -> "list[_Figure]":
        points = [point_at(scores, self.fmr) for scores in self.scores]
        return [
            _Figure(fmr_of(scores, self.fmr, point.threshold, part), fmr_at_rate(scores, self.fmr, point, part))
            for scores, point in zip(self.scores, points, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Figure:
    """A rate, and how far each draw moves it."""

    rate: float
    influence: Influence


def _groups(gallery: Gallery, attribute: str, values: Mapping[str, str]) -> Iterator[_Compared]:
    """Each value that somebody in the gallery has, in the order of its name."""
    said = [values.get(name) for name in gallery.names]
    distinct = sorted({value for value in said if value is not None})
    number = {value: place for place, value in enumerate(distinct)}
    of_person = np.array([-1 if value is None else number[value] for value in said], np.int32)
    for place, value in enumerate(distinct):
        group, rest = (np.where(kept, of_person, -1) for kept in (of_person == place, of_person != place))
        yield _Compared(attribute, value, Part(gallery, group), Part(gallery, rest))


def _group(one: _Compared, both: _Models, level: float) -> Group:
    group, fmr = one.group, both.fmr
    rejected = accepted = None
    if group.genuine:
        rejected = _rate([both.fnmr(part) for part in one.parts], level, group.genuine if one.tells_fnmr else None)
    if tells_fmr(fmr, group.impostors) is not Support.NOTHING:
        accepted = _rate(
            [both.fmrs(part) for part in one.parts], level, group.impostors if one.tells_fmr(fmr) else None
        )
    return Group(
        attribute=one.attribute,
        value=one.value,
        people=group.people,
        with_genuine=group.with_genuine,
        genuine=group.genuine,
        impostor=group.impostors,
        fnmr=rejected,
        fmr=accepted,
        finding=finding(rejected, accepted),
    )


def _rate(figures: Sequence[Sequence[_Figure]], level: float, comparisons: int | None) -> GroupRate:
    """A group's rate, from the figures of group and rest; without a number of comparisons no change is told."""
    variant, reference = figures[0]
    return GroupRate(
        reference=reference.rate,
        reference_ci=interval(reference.rate, reference.influence, level),
        variant=variant.rate,
        variant_ci=interval(variant.rate, variant.influence, level),
        added=None if comparisons is None else _added(figures, level, comparisons),
    )


def _added(figures: Sequence[Sequence[_Figure]], level: float, comparisons: int) -> Added:
    (variant, reference), (rest_variant, rest_reference) = figures
    added = (variant.rate - reference.rate) - (rest_variant.rate - rest_reference.rate)
    change = (variant.influence - reference.influence) - (rest_variant.influence - rest_reference.influence)
    low, high = interval_of_rise(added, change, comparisons, level)
    return Added(added_pp=100 * added, ci_pp=(100 * low, 100 * high))
