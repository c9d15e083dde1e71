"""Checks of the policy itself: whether its rules judged what would ship.

A limit that nothing was held against, and a model that was held against no limit, are questions left open.
"""

import re
from collections.abc import Sequence
from typing import Final

from ghostface_edge.reports.case import Case, role_of
from ghostface_edge.reports.devices import LOCAL
from ghostface_edge.reports.policy import Rule
from ghostface_edge.reports.report import Check, Role
from ghostface_edge.reports.run_checks import EVERYTHING, whole
from ghostface_edge.reports.variant import Status, Variant

JUDGED: Final = "int8"
"""The check that every quantized variant that would ship met a limit."""
_KIND: Final = re.compile(r"\*-(fp32|fp16|int8)(-.*)?")
"""A pattern of a kind of variants, whatever their runtime: which kinds a run makes is its user's choice."""
_FLOAT: Final = frozenset({"fp32", "fp16"})


def checks_of_rules(case: Case, checks: Sequence[Check]) -> list[Check]:
    """Check that every rule judged something, and that every quantized variant that would ship was judged.

    Args:
        case: what is judged.
        checks: of its variants.
    """
    return [*_idle_rules(case), *_not_judged(case, checks)]


def _idle_rules(case: Case) -> list[Check]:
    found = []
    for rule in case.policy.rules:
        lacking = _lacking(rule, case.variants)
        if lacking is not None:
            patterns, what = lacking
            reason = f"the rule on {rule.name} is for {patterns}, and {what} is called that"
            found.append(whole("rule", f"{rule.name} of {patterns}", None, reason).model_copy(update={"why": rule.why}))
    return found


def _lacking(rule: Rule, variants: Sequence[Variant]) -> tuple[str, str] | None:
    """Patterns that nothing fits though it ought to, and what they are of."""
    devices = {LOCAL, *(variant.device for variant in variants if variant.device is not None)}
    if not any(rule.is_about(device) for device in devices):
        whichever = EVERYTHING in rule.devices
        return None if whichever else (", ".join(rule.devices), "no device that ran")
    by_kind = all(_KIND.fullmatch(pattern) for pattern in rule.variants)
    if by_kind or any(rule.matches(variant) for variant in variants):
        return None
    return ", ".join(rule.variants), "no variant"


def _not_judged(case: Case, checks: Sequence[Check]) -> list[Check]:
    judged = {check.variant for check in checks if check.measured is not None}
    ships = [variant for variant in case.variants if _ships_quantized(variant, case)]
    if not any(variant.id in judged for variant in ships):
        reason = "no rule of the policy judged an INT8 variant that would ship"
        return [whole(JUDGED, "at least 1", 0, reason)]
    return [
        whole(JUDGED, "judged", None, f"{variant.id} would ship, and no rule of the policy judged it")
        for variant in ships
        if variant.id not in judged and variant.status is Status.OK
    ]


def _ships_quantized(variant: Variant, case: Case) -> bool:
    return (
        variant.device is None
        and variant.precision not in _FLOAT
        and role_of(variant, case.variants, case.policy) is Role.CANDIDATE
    )
