"""Checks of the policy itself: whether its rules judged what would ship.

A limit that nothing was held against, and a model that was held against no limit, are questions left open.
"""

import re
from collections.abc import Sequence
from typing import Final

from ghostface_edge.reports.case import Case, role_of
from ghostface_edge.reports.report import Check, Role
from ghostface_edge.reports.run_checks import whole
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
        by_kind = all(_KIND.fullmatch(pattern) for pattern in rule.variants)
        if by_kind or any(rule.matches(variant.id) for variant in case.variants):
            continue
        patterns = ", ".join(rule.variants)
        reason = f"the rule on {rule.name} is for {patterns}, and no variant is called that"
        found.append(whole("rule", f"{rule.name} of {patterns}", None, reason).model_copy(update={"why": rule.why}))
    return found


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
    return variant.precision not in _FLOAT and role_of(variant, case.variants, case.policy) is Role.CANDIDATE
