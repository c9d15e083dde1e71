"""What an inference's time goes into: arithmetic in integers, float, conversion between them, moving values.

In: a report. Out: one row per variant whose profile says so, the variants of a runtime side by side.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ghostface_edge.reports.evidence import ProfileRole
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.variant import Variant


@dataclass(frozen=True, slots=True)
class TimeShares:
    """Shares of one inference's time, as its runtime's own profiler saw it."""

    variant: Variant
    ms: float
    """The sum of the profile's rows."""
    roles: Mapping[ProfileRole, float]
    delegated: float | None
    """None where the runtime has no delegates."""
    undelegated: tuple[tuple[str, float], ...]
    """Kinds of operators that no delegate runs, with their share, the slowest first."""


def time_shares(report: Report) -> list[TimeShares]:
    """Sum up every profile whose rows all state their role, by runtime."""
    runtimes = list(dict.fromkeys(variant.runtime for variant in report.local_variants))
    found = [shares for variant in report.local_variants if (shares := _shares(variant)) is not None]
    return sorted(found, key=lambda shares: runtimes.index(shares.variant.runtime))


def _shares(variant: Variant) -> TimeShares | None:
    rows = variant.profile
    total = sum(row.ms for row in rows)
    if total <= 0 or any(row.role is None for row in rows):
        return None
    own = [(row.kind, row.ms / total) for row in rows if row.delegated is False]
    return TimeShares(
        variant,
        total,
        {role: sum(row.ms for row in rows if row.role == role) / total for role in ProfileRole},
        None if all(row.delegated is None for row in rows) else sum(row.ms for row in rows if row.delegated) / total,
        tuple(sorted(own, key=lambda kind: -kind[1])),
    )
