"""Profiles: where an artifact's time goes, by kind of operator; what a runtime's own profiler gives, in one form."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ghostface_edge.reports.evidence import ProfileRole, ProfileRow

PROFILE_RUNS: Final = 50
WARM_UP_RUNS: Final = 10


@dataclass(frozen=True, slots=True)
class OperatorSample:
    """One execution of one operator."""

    name: str
    """Of the operator; unique within the artifact."""
    kind: str
    role: ProfileRole
    microseconds: float
    delegated: bool | None = None
    """Whether a delegate runs it; None where the runtime has none."""


def group(samples: Iterable[OperatorSample]) -> tuple[ProfileRow, ...]:
    """Rows by kind, role and who runs it, the slowest first; per operator the median over runs counts."""
    times: dict[tuple[str, ProfileRole, bool | None, str], list[float]] = defaultdict(list)
    for sample in samples:
        times[sample.kind, sample.role, sample.delegated, sample.name].append(sample.microseconds)
    calls: dict[tuple[str, ProfileRole, bool | None], int] = defaultdict(int)
    total_ms: dict[tuple[str, ProfileRole, bool | None], float] = defaultdict(float)
    for (kind, role, delegated, _), spent in times.items():
        calls[kind, role, delegated] += 1
        total_ms[kind, role, delegated] += float(np.median(spent)) / 1e3
    rows = [
        ProfileRow(kind=kind, role=role, calls=calls[kind, role, delegated], ms=ms, delegated=delegated)
        for (kind, role, delegated), ms in total_ms.items()
    ]
    return tuple(sorted(rows, key=lambda row: -row.ms))
