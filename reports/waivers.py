"""Waivers: a named person takes the responsibility for a verdict, until a day."""

from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatchcase

from ghostface_edge.reports.report import Check, Verdict, Waiver

NEVER_WAIVED = frozenset({"variants", "pairs", "baseline", "date", "rule", "int8"})
"""Checks without which there is no evidence to take responsibility for."""


def waive(checks: Sequence[Check], waivers: Sequence[Waiver], today: date) -> list[Check]:
    """Let waivers turn what did not pass into a pass; an expired one makes it a failure, and says so.

    A check that passes by itself needs no waiver and keeps its verdict.
    """
    return [_waived(check, waivers, today) for check in checks]


def _waived(check: Check, waivers: Sequence[Waiver], today: date) -> Check:
    covering = [
        waiver
        for waiver in waivers
        if check.verdict is not Verdict.PASS
        and check.name not in NEVER_WAIVED
        and fnmatchcase(check.name, waiver.check)
        and fnmatchcase(check.variant, waiver.variants)
    ]
    if not covering:
        return check
    waiver = max(covering, key=lambda candidate: candidate.expires)
    held = waiver.expires >= today
    state = f"waived by {waiver.owner} until" if held else f"the waiver of {waiver.owner} expired on"
    return check.model_copy(
        update={
            "verdict": Verdict.PASS if held else Verdict.FAIL,
            "reason": f"{check.reason}; {state} {waiver.expires}: {waiver.reason}",
            "waiver": waiver,
        }
    )
