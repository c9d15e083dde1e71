"""Who is it? Probes searched in a gallery: rank-1 to rank-k, and TPIR at a false-positive identification rate.

In: one model's embeddings, and who of them is enrolled and who is searched for. Out: closed-set rates over the mated
probes, open-set rates at thresholds set by the others, what a variant lost, with 95 % intervals that take the people
searched for as the draws; who is enrolled is given.
Source: ISO/IEC 19795-1, terms; Whitelam et al. 2017, IJB-B, section on 1:N.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.all_against_all import Support, missing
from ghostface_edge.reports.all_pairs.intervals import Influence, interval, interval_of_rise, of_people
from ghostface_edge.reports.all_pairs.operating_points import surely_below
from ghostface_edge.reports.metrics import normalized
from ghostface_edge.reports.protocols.enrolment import Enrolment

RANKS, FPIRS = (1, 5), ("0.1", "0.01")
_OF_ONE, _OF_TWO = "probes of people who are enrolled", "probes of people who are not"
_CHUNK = 512
_WINDOW = 1.5
"""The slope of TPIR is taken between the rate over this and the rate times this."""
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Search:
    """What one model finds for every probe."""

    enrolment: Enrolment
    top: NDArray[np.float64]
    """(Q,), the highest cosine."""
    own_rank: NDArray[np.int64]
    """(Q,), of the probe's own person; a tie counts against it, and who is not enrolled is behind everybody."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A fraction of the mated probes, and what is lost of it against the reference, if there is one."""

    rate: float
    ci95: Interval
    drop_pp: float | None = None
    drop_ci95_pp: Interval | None = None


@dataclass(frozen=True, slots=True)
class RateAtFpir(Rate):
    """Own person most alike, and at or above the lowest threshold that lets that fraction of strangers pass."""

    support: Support = Support.FIGURE
    threshold: float = 0.0
    fpir: float = 0.0


@dataclass(frozen=True, slots=True)
class Identification:
    """1:N, as far as the probes can tell."""

    enrolled: int
    mated: int
    """Probes of people who are enrolled."""
    mated_people: int
    non_mated: int
    ambiguous_people: int
    """Left out because they may be somebody else."""
    rank: dict[str, Rate]
    tpir: dict[str, RateAtFpir]
    """By FPIR."""
    not_answerable: dict[str, str] = field(default_factory=dict)
    """By FPIR, what is missing."""
    protocol: str = "1:N: the first image of everybody who has several is enrolled, people of one image are strangers"


def search(embeddings: NDArray[np.float32], enrolment: Enrolment) -> Search:
    """Search every probe among those enrolled, by cosine.

    Args:
        embeddings: float32 (images, E), of any length, in the caller's order.
        enrolment: who is enrolled and who is searched for.

    Raises:
        InputError: an embedding is zero or not finite.
    """
    gallery = normalized(embeddings[enrolment.enrolled])
    top, own_rank = np.empty(len(enrolment.probes)), np.empty(len(enrolment.probes), np.int64)
    for start in range(0, len(top), _CHUNK):
        part = slice(start, start + _CHUNK)
        cosines = normalized(embeddings[enrolment.probes[part]]) @ gallery.T
        is_own = enrolment.enrolled_person == enrolment.probe_person[part, None]
        own = np.where(is_own, cosines, -np.inf).max(axis=1)
        top[part] = cosines.max(axis=1)
        own_rank[part] = 1 + ((cosines >= own[:, None]) & ~is_own).sum(axis=1)
    return Search(enrolment, top, own_rank)


def judge_identification(
    model: Search, reference: Search | None = None, ranks: Sequence[int] = RANKS, fpirs: Sequence[str] = FPIRS
) -> Identification:
    """Rates of one model, and what it lost against a reference on the same probes, each at its own threshold."""
    enrolment = model.enrolment
    mated = int(enrolment.mated.sum())
    strangers = len(enrolment.mated) - mated
    answerable = [fpir for fpir in fpirs if Support.of(fpir, mated, strangers) is not Support.NOTHING]
    return Identification(
        enrolled=len(enrolment.enrolled),
        mated=mated,
        mated_people=_mated_people(enrolment),
        non_mated=strangers,
        ambiguous_people=enrolment.ambiguous,
        rank={
            str(rank): Rate(
                *_rate(_at_rank(model, rank), None if reference is None else _at_rank(reference, rank), mated)
            )
            for rank in ranks
        },
        tpir={fpir: _tpir(model, reference, fpir) for fpir in answerable},
        not_answerable={
            fpir: missing(fpir, mated, strangers, of_one=_OF_ONE, of_two=_OF_TWO)
            for fpir in fpirs
            if fpir not in answerable
        },
    )


def _tpir(model: Search, reference: Search | None, fpir: str) -> RateAtFpir:
    mated = model.enrolment.mated
    threshold = _threshold(model, _allowed(model, fpir))
    before = None if reference is None else _at_fpir(reference, fpir)
    return RateAtFpir(
        *_rate(_at_fpir(model, fpir), before, int(mated.sum())),
        support=Support.of(fpir, int(mated.sum()), int((~mated).sum())),
        threshold=threshold,
        fpir=float((model.top[~mated] >= threshold).mean()),
    )


def _rate(
    own: "_Missed", before: "_Missed | None", mated: int
) -> tuple[float, Interval, float | None, Interval | None]:
    """Fields of a rate."""
    low, high = interval(own.rate, own.influence)
    if before is None:
        return 1 - own.rate, (1 - high, 1 - low), None, None
    drop = own.rate - before.rate
    lost = interval_of_rise(drop, own.influence - before.influence, mated)
    return 1 - own.rate, (1 - high, 1 - low), 100 * drop, (100 * lost[0], 100 * lost[1])


@dataclass(frozen=True, slots=True)
class _Missed:
    """Share of the mated probes that are not found, and how far each person moves it."""

    rate: float
    influence: Influence


def _at_rank(model: Search, rank: int) -> _Missed:
    return _missed(model, model.own_rank > rank)


def _at_fpir(model: Search, fpir: str) -> _Missed:
    """The threshold errs too: each stranger above it moves it, by the slope of the tradeoff."""
    allowed, strangers = _allowed(model, fpir), ~model.enrolment.mated
    threshold = _threshold(model, allowed)
    found, passed = _not_found(model, threshold), model.top[strangers] >= threshold
    strict, loose = (
        _threshold(model, min(round(allowed * factor), len(passed) - 1)) for factor in (1 / _WINDOW, _WINDOW)
    )
    between = float((model.top[strangers] >= loose).mean() - (model.top[strangers] >= strict).mean())
    slope = (_not_found(model, strict).rate - _not_found(model, loose).rate) / between if between > 0 else 0.0
    moved = slope * (passed - passed.mean()) / len(passed)
    person = found.influence.person + np.bincount(
        model.enrolment.probe_person[strangers], moved, len(found.influence.person)
    )
    return _Missed(found.rate, of_people(person, found.influence.draws))


def _not_found(model: Search, threshold: float) -> _Missed:
    return _missed(model, (model.own_rank > 1) | (model.top < threshold))


def _missed(model: Search, lost: NDArray[np.bool_]) -> _Missed:
    """`lost` (Q,) says which probes are not found; those of strangers do not count."""
    enrolment = model.enrolment
    person, mine = enrolment.probe_person[enrolment.mated], lost[enrolment.mated]
    rate = float(mine.mean())
    moved = np.bincount(person, (mine - rate) / len(mine), enrolment.people)
    return _Missed(rate, of_people(moved.astype(np.float64, copy=False), _mated_people(enrolment)))


def _mated_people(enrolment: Enrolment) -> int:
    return len(np.unique(enrolment.probe_person[enrolment.mated]))


def _allowed(model: Search, fpir: str) -> int:
    """How many strangers may pass; where only a bound is known, few enough to keep the rate with 95 % confidence."""
    mated = int(model.enrolment.mated.sum())
    strangers = len(model.top) - mated
    expected = float(fpir) * strangers
    if Support.of(fpir, mated, strangers) is Support.BOUND:
        return surely_below(expected)
    return math.floor(expected * (1 + 1e-12))


def _threshold(model: Search, allowed: int) -> float:
    """The lowest threshold that so many strangers reach at most."""
    strangers = np.sort(model.top[~model.enrolment.mated])[::-1]
    return float(np.nextafter(strangers[allowed], np.inf))
