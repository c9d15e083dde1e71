"""Judge variants by a policy: checks with verdicts, and the verdict on the release.

A verdict is a value: pass, fail or inconclusive. What was not measured never passes. A figure with an interval
fails only if all of the interval breaks the limit and passes only if none of it does.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ghostface_edge.reports.measured import Measurement, measure
from ghostface_edge.reports.paired import pairs_to_settle
from ghostface_edge.reports.policy import Metric, Policy, Rule
from ghostface_edge.reports.report import Check, Gate, Role, Verdict
from ghostface_edge.reports.variant import Status, Variant


def judge(variants: Sequence[Variant], policy: Policy | None = None) -> Gate:
    """Judge every variant; only candidates decide the gate's verdict.

    Args:
        variants: of one report.
        policy: the default policy if None.
    """
    policy = policy or Policy.read()
    checks: list[Check] = []
    for variant in variants:
        role = role_of(variant, variants, policy)
        checks.append(_was_measured(variant, role))
        if variant.status is Status.OK:
            checks += [_check(rule, variant, variants, role) for rule in policy.rules if rule.matches(variant.id)]
    deciding = [check.verdict for check in checks if check.role is Role.CANDIDATE]
    return Gate(verdict=overall(deciding), checks=tuple(checks), policy=policy.name)


def overall(verdicts: Sequence[Verdict]) -> Verdict:
    """Sum up: one failure fails; nothing judged, or one open question, is inconclusive."""
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    if not verdicts or Verdict.INCONCLUSIVE in verdicts:
        return Verdict.INCONCLUSIVE
    return Verdict.PASS


def role_of(variant: Variant, variants: Sequence[Variant], policy: Policy) -> Role:
    """Whether a variant would ship, or only stands beside the one that would."""

    def compared_only(name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in policy.comparison)

    ships_instead = (
        other.runtime == variant.runtime and other.precision == variant.precision and not compared_only(other.id)
        for other in variants
    )
    return Role.COMPARISON if compared_only(variant.id) and any(ships_instead) else Role.CANDIDATE


def _was_measured(variant: Variant, role: Role) -> Check:
    verdict = {Status.OK: Verdict.PASS, Status.FAILED: Verdict.FAIL, Status.SKIPPED: Verdict.INCONCLUSIVE}
    reason = (
        f"{variant.id} was measured"
        if variant.status is Status.OK
        else f"{variant.id} {variant.status}: {variant.error}"
    )
    return Check(
        name="measured",
        variant=variant.id,
        limit="status ok",
        measured=None,
        verdict=verdict[variant.status],
        reason=" ".join(f"{variant.id}: {reason}".split()),
        role=role,
    )


def _check(rule: Rule, variant: Variant, variants: Sequence[Variant], role: Role) -> Check:
    measurement = measure(rule.metric, variant, variants)
    unit = f" {measurement.unit}" if measurement and measurement.unit else ""
    limit = _limit(rule, unit)
    if measurement is None:
        return Check(
            name=rule.metric,
            variant=variant.id,
            limit=limit,
            measured=None,
            verdict=Verdict.INCONCLUSIVE,
            reason=f"{variant.id}: {rule.metric} was not measured, so {limit} is not shown",
            role=role,
        )
    low, high = measurement.interval or (measurement.value, measurement.value)
    verdict = _place(low, high, rule)
    return Check(
        name=rule.metric,
        variant=variant.id,
        limit=limit,
        measured=measurement.value,
        verdict=verdict,
        reason=f"{variant.id}: {_phrase(measurement)}, limit {limit}{_outlook(rule, measurement, variant, verdict)}",
        role=role,
        unit=measurement.unit,
        ci95=measurement.interval,
    )


def _place(low: float, high: float, rule: Rule) -> Verdict:
    """Say where an interval lies against the limits."""
    upper = float("inf") if rule.max is None else rule.max
    lower = float("-inf") if rule.min is None else rule.min
    if low > upper or high < lower:
        return Verdict.FAIL
    return Verdict.PASS if lower <= low and high <= upper else Verdict.INCONCLUSIVE


def _limit(rule: Rule, unit: str) -> str:
    if rule.max is None:
        return f">= {rule.min:g}{unit}"
    if rule.min is None:
        return f"<= {rule.max:g}{unit}"
    return f"{rule.min:g} to {rule.max:g}{unit}"


def _phrase(measurement: Measurement) -> str:
    unit = f" {measurement.unit}" if measurement.unit else ""
    interval = "" if measurement.interval is None else " [{:.4g}, {:.4g}]".format(*measurement.interval)
    detail = f" ({measurement.detail})" if measurement.detail else ""
    return f"{measurement.name} {measurement.value:.4g}{unit}{interval}{detail}"


def _outlook(rule: Rule, measurement: Measurement, variant: Variant, verdict: Verdict) -> str:
    """Say what would settle an open question."""
    if verdict is not Verdict.INCONCLUSIVE:
        return ""
    versus = variant.versus_reference
    if rule.metric is Metric.DROP and versus is not None and versus.pairs is not None:
        nearest = min(
            (limit for limit in (rule.max, rule.min) if limit is not None), key=lambda x: abs(x - measurement.value)
        )
        needed = pairs_to_settle(measurement.value, nearest, versus.flipped_pairs, versus.pairs)
        if needed is not None:
            return f"; {versus.pairs:,} pairs cannot settle it, about {max(needed, versus.pairs + 1):,} would"
    return "; too noisy to tell, measure longer or on more pairs"
