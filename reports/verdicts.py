"""Verdicts as a report holds them: every limit judged, who took responsibility for what, and the sum."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ghostface_edge.reports.record import Interval, Record, Text


class Verdict(StrEnum):
    """What the evidence says."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Role(StrEnum):
    """Whether a check decides about the release."""

    CANDIDATE = "candidate"
    COMPARISON = "comparison"
    """Judged and shown, but another variant of the same runtime and precision is the one that would ship."""
    ADVICE = "advice"
    """Judged and shown, but the clause only says what should be."""


class Waiver(Record):
    """A person's decision to ship despite one kind of check, until a day."""

    check: str
    """Name of the checks it covers: a metric, `measured`, `leak`."""
    variants: str
    """Pattern of variant ids."""
    reason: Annotated[str, Field(min_length=1)]
    owner: Annotated[str, Field(min_length=1)]
    expires: date
    """Last day on which it holds."""


class Strength(StrEnum):
    """How a document asks for something."""

    SHALL = "shall"
    SHOULD = "should"


class Source(Record):
    """Where a document says something."""

    title: Text
    section: Text
    date: Text
    url: Text


class Clause(Record):
    """What a document asks for, in short."""

    says: Text
    strength: Strength = Strength.SHALL
    source: Source


class Check(Record):
    """One limit, judged for one variant."""

    name: str
    variant: str
    limit: str
    """As written for a reader: `<= 0.75 pp`."""
    measured: float | None
    """None where nothing was measured."""
    verdict: Verdict
    reason: str
    """One line: what was measured against what, and what it means."""
    role: Role = Role.CANDIDATE
    unit: str = ""
    ci95: Interval | None = None
    set: str | None = None
    """Name of the pairs judged, None for the main ones."""
    why: str = ""
    """Why the policy asks for it."""
    clause: Clause | None = None
    """The document that asks for it, where one does."""
    waiver: Waiver | None = None
    """Whoever took the responsibility for a verdict that was not pass."""


class Gate(Record):
    """The verdict on the release."""

    verdict: Verdict
    checks: tuple[Check, ...]
    policy: str = "default"
    baseline: str | None = None
    """The earlier report compared with."""
    not_judged: tuple[str, ...] = ()
    """Names of rules that were left out because nobody on the images is known."""


def overall(verdicts: Sequence[Verdict]) -> Verdict:
    """Sum up: one failure fails; nothing judged, or one open question, is inconclusive."""
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    if not verdicts or Verdict.INCONCLUSIVE in verdicts:
        return Verdict.INCONCLUSIVE
    return Verdict.PASS
