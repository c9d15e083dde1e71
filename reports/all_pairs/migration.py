"""A new model meets templates that an old one enrolled: what that costs, and who should be enrolled again.

In: scores of one gallery, of the old model alone, of the new one alone, and of the new one's probes with the old one's
templates. Out: FNMR at the old model's thresholds, which are deployed, and at thresholds made for the mixture; people
by name.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.all_against_all import FMRS, Support, lowest_told, missing
from ghostface_edge.reports.all_pairs.intervals import Influence, at_rate, at_threshold, interval, interval_of_rise
from ghostface_edge.reports.all_pairs.operating_points import Point, at, point_at, support
from ghostface_edge.reports.all_pairs.scores import AllPairScores

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Generations:
    """Scores of one gallery by two releases of a network."""

    old: AllPairScores
    """Enrolled and searched for by the old model."""
    mixed: AllPairScores
    """Enrolled by the old one, searched for by the new one."""
    new: AllPairScores
    """Everybody enrolled again."""


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What a threshold does, and the rise of FNMR over the old model at its own."""

    threshold: float
    fmr: float
    fnmr: float
    ci95: Interval
    rise_pp: float
    rise_ci95_pp: Interval


@dataclass(frozen=True, slots=True)
class MigrationAtFmr:
    """One false-match rate."""

    support: Support
    old_fnmr: float
    """Of the old model alone."""
    at_old_threshold: AtThreshold
    """Old templates, and the threshold that is deployed."""
    at_new_threshold: AtThreshold
    """Old templates, and a threshold made for them."""
    enrolled_again: AtThreshold
    """New templates, and the new model's own threshold."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a new template would serve better."""

    name: str
    missed: float
    """Share of the person's comparisons that the old template and the old threshold reject."""
    missed_once_enrolled_again: float
    """The same of the new model alone at its own threshold."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What becomes of templates that the old model enrolled."""

    genuine: int
    impostor: int
    at_fmr: dict[str, MigrationAtFmr]
    not_answerable: dict[str, str]
    fmr: str | None
    """At which `enrol_again` holds: the strictest rate that is a figure, or the loosest where all are bounds."""
    people: int
    """With two images or more."""
    enrol_again: tuple[Person, ...]
    """Those who gain most first."""


def judge_migration(by: Generations) -> Migration:
    """Judge the mixture at every false-match rate that the images can tell."""
    gallery = by.old.gallery
    told = [fmr for fmr in FMRS if support(by.old, fmr) is not Support.NOTHING]
    judged_at = lowest_told({fmr: support(by.old, fmr) for fmr in told})
    return Migration(
        genuine=by.mixed.genuine,
        impostor=by.mixed.impostors,
        at_fmr={fmr: _at_fmr(by, fmr) for fmr in told},
        not_answerable={fmr: missing(fmr, gallery.genuine, gallery.impostors) for fmr in FMRS if fmr not in told},
        fmr=judged_at,
        people=int(np.count_nonzero(gallery.images_of > 1)),
        enrol_again=() if judged_at is None else _enrol_again(by, judged_at),
    )


def _at_fmr(by: Generations, fmr: str) -> MigrationAtFmr:
    deployed = point_at(by.old, fmr)
    kept, own = at(by.mixed, deployed.threshold), point_at(by.mixed, fmr)
    again = point_at(by.new, fmr)
    before = at_rate(by.old, fmr, deployed)
    frozen = at_threshold(by.mixed, deployed.threshold)
    return MigrationAtFmr(
        support=support(by.old, fmr),
        old_fnmr=deployed.fnmr,
        at_old_threshold=_judged(by, kept, deployed, frozen, frozen - at_threshold(by.old, deployed.threshold)),
        at_new_threshold=_judged(by, own, deployed, moved := at_rate(by.mixed, fmr, own), moved - before),
        enrolled_again=_judged(by, again, deployed, moved := at_rate(by.new, fmr, again), moved - before),
    )


def _judged(by: Generations, point: Point, deployed: Point, influence: Influence, change: Influence) -> AtThreshold:
    rise = point.fnmr - deployed.fnmr
    low, high = interval_of_rise(rise, change, by.old.gallery.genuine)
    return AtThreshold(
        threshold=point.cosine,
        fmr=point.fmr,
        fnmr=point.fnmr,
        ci95=interval(point.fnmr, influence),
        rise_pp=100 * rise,
        rise_ci95_pp=(100 * low, 100 * high),
    )


def _enrol_again(by: Generations, fmr: str) -> tuple[Person, ...]:
    """People of whom the old template and threshold reject more than a new one and its threshold would."""
    now, again = _missed(by.mixed, point_at(by.old, fmr).threshold), _missed(by.new, point_at(by.new, fmr).threshold)
    gain = np.nan_to_num(now - again)
    order = np.argsort(-gain, kind="stable")
    names = by.old.gallery.names
    return tuple(Person(names[who], float(now[who]), float(again[who])) for who in order.tolist() if gain[who] > 0)


def _missed(scores: AllPairScores, threshold: int) -> NDArray[np.float64]:
    """(P,), share of each person's comparisons below a threshold; NaN of people with one image."""
    people = len(scores.gallery.names)
    missed = np.bincount(scores.genuine_person[scores.genuine_bin < threshold], minlength=people)
    with np.errstate(invalid="ignore"):
        share: NDArray[np.float64] = missed / np.bincount(scores.genuine_person, minlength=people)
    return share
