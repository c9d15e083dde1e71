"""Where an artifact's time goes, by kind of operator; what a runtime's own profiler gives, in one form."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

PROFILE_RUNS: Final = 50
WARM_UP_RUNS: Final = 10


class Role(StrEnum):
    """What an operator's time is spent on."""

    INTEGER = "integer"
    """Arithmetic on 8-bit integers."""
    FLOAT = "float"
    """Arithmetic in floating point; in an INT8 artifact, an island."""
    QUANTIZE = "quantize"
    """From float to integers and back."""
    LAYOUT = "layout"
    """Moving values: reorders, transposes."""


@dataclass(frozen=True, slots=True)
class OperatorSample:
    """One execution of one operator."""

    name: str
    """Of the operator; unique within the artifact."""
    kind: str
    role: Role
    microseconds: float
    delegated: bool | None = None
    """Whether a delegate runs it; None where the runtime has none."""


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """All operators of one kind."""

    kind: str
    """As the runtime calls it, with the kernel where it says so."""
    role: Role
    calls: int
    """In one inference."""
    ms: float
    """Of one inference: the sum of each operator's median."""
    delegated: bool | None = None
    """Whether a delegate runs them; None where the runtime has none."""


def group(samples: Iterable[OperatorSample]) -> tuple[ProfileRow, ...]:
    """Rows by kind, role and who runs it, the slowest first; per operator the median over runs counts."""
    times: dict[tuple[str, Role, bool | None, str], list[float]] = defaultdict(list)
    for sample in samples:
        times[sample.kind, sample.role, sample.delegated, sample.name].append(sample.microseconds)
    calls: dict[tuple[str, Role, bool | None], int] = defaultdict(int)
    total_ms: dict[tuple[str, Role, bool | None], float] = defaultdict(float)
    for (kind, role, delegated, _), spent in times.items():
        calls[kind, role, delegated] += 1
        total_ms[kind, role, delegated] += float(np.median(spent)) / 1e3
    rows = [
        ProfileRow(kind, role, calls[kind, role, delegated], ms, delegated)
        for (kind, role, delegated), ms in total_ms.items()
    ]
    return tuple(sorted(rows, key=lambda row: -row.ms))


def shares(rows: Iterable[ProfileRow]) -> dict[Role, float]:
    """Each role's share of the time."""
    known = tuple(rows)
    total = sum(row.ms for row in known) or 1.0
    return {role: sum(row.ms for row in known if row.role is role) / total for role in Role}
