"""Checks of one variant: whether it was measured, and every rule of the policy that names it.

A figure with an interval fails only if all of the interval breaks the limit and passes only if none of it does.
"""

from ghostface_edge.reports.at_fmr import absence, at_a_rate, lacking
from ghostface_edge.reports.case import Case, role_of
from ghostface_edge.reports.discordant import pairs_to_settle
from ghostface_edge.reports.measured import measure
from ghostface_edge.reports.measurement import Measurement
from ghostface_edge.reports.policy import AT_AN_FMR, OF_TIME, Evidence, Metric, RelativeTo, Rule
from ghostface_edge.reports.report import Check, Role, Verdict
from ghostface_edge.reports.variant import Status, Variant
from ghostface_edge.reports.verdicts import Clause, Strength

MEASURED = "measured"
"""The check that a variant has figures at all."""


def checks_of_variant(variant: Variant, case: Case) -> list[Check]:
    """Check one variant: rules count only where it has figures."""
    role = role_of(variant, case.variants, case.policy)
    rules = [rule for rule in case.policy.rules if rule.matches(variant) and _applies(rule, case)]
    if variant.status is not Status.OK:
        rules = []
    return [_was_measured(variant, role), *(_check(rule, variant, case, role) for rule in rules)]


def not_judged(case: Case) -> tuple[str, ...]:
    """Rules that are left out because nobody on the images is known."""
    return tuple(rule.name for rule in case.policy.rules if _waits_for_names(rule, case))


def _applies(rule: Rule, case: Case) -> bool:
    waits_for_baseline = rule.relative_to is RelativeTo.BASELINE and case.baseline is None
    left_out = waits_for_baseline and case.policy.baseline is Evidence.OPTIONAL
    return not (left_out or _waits_for_names(rule, case))


def _waits_for_names(rule: Rule, case: Case) -> bool:
    return rule.metric in AT_AN_FMR and case.policy.all_pairs is Evidence.OPTIONAL and not case.identified


def advised(role: Role, clause: Clause | None) -> Role:
    """A clause that says what should be does not decide."""
    should = clause is not None and clause.strength is Strength.SHOULD
    return Role.ADVICE if should and role is Role.CANDIDATE else role


def _was_measured(variant: Variant, role: Role) -> Check:
    verdict = {Status.OK: Verdict.PASS, Status.FAILED: Verdict.FAIL, Status.SKIPPED: Verdict.INCONCLUSIVE}
    reason = "was measured" if variant.status is Status.OK else f"{variant.status}: {variant.error}"
    return Check(
        name=MEASURED,
        variant=variant.id,
        limit="status ok",
        measured=None,
        verdict=verdict[variant.status],
        reason=" ".join(f"{variant.id}: {reason}".split()),
        role=role,
    )


def _check(rule: Rule, variant: Variant, case: Case, role: Role) -> Check:
    rule = at_a_rate(rule, variant.all_pairs)
    measurement = measure(rule, variant, case.variants, case.before(variant))
    if measurement is None:
        limit = _limit(rule, "")
        verdict, reason = Verdict.INCONCLUSIVE, f"{rule.name} {_absence(rule, variant, case)}, limit {limit}"
        measurement = None
    else:
        limit = _limit(rule, measurement.unit)
        verdict = place(measurement, rule)
        reason = f"{_phrase(measurement)}, limit {limit}{_outlook(rule, measurement, variant, verdict)}"
    return Check(
        name=rule.name,
        variant=variant.id,
        limit=limit,
        measured=None if measurement is None else measurement.value,
        verdict=verdict,
        reason=f"{variant.id}: {reason}",
        role=advised(role, rule.clause),
        unit="" if measurement is None else measurement.unit,
        ci95=None if measurement is None else measurement.interval,
        set=rule.set,
        why=rule.why,
        clause=rule.clause,
    )


def _absence(rule: Rule, variant: Variant, case: Case) -> str:
    """Say why there is no figure."""
    if rule.relative_to is RelativeTo.BASELINE:
        return "has no baseline to compare with" if case.baseline is None else "is not in a comparable baseline"
    if rule.metric in AT_AN_FMR:
        return absence(rule, variant.all_pairs)
    if rule.metric in OF_TIME and variant.latency is None:
        return "is not known where a CPU is emulated"
    if rule.far is not None:
        return f"needs at least {round(1 / float(rule.far)):,} pairs of different people"
    return "was not measured"


def place(measurement: Measurement, rule: Rule) -> Verdict:
    """Say where a figure lies against the limits."""
    low, high = measurement.interval or (measurement.value, measurement.value)
    upper = float("inf") if rule.max is None else rule.max
    lower = float("-inf") if rule.min is None else rule.min
    if low > upper or high < lower:
        return Verdict.FAIL
    return Verdict.PASS if lower <= low and high <= upper else Verdict.INCONCLUSIVE


def _limit(rule: Rule, unit: str) -> str:
    unit = unit and f" {unit}"
    if rule.max is None:
        return f">= {rule.min:g}{unit}"
    if rule.min is None:
        return f"<= {rule.max:g}{unit}"
    return f"{rule.min:g} to {rule.max:g}{unit}"


def _phrase(measurement: Measurement) -> str:
    unit = measurement.unit and f" {measurement.unit}"
    interval = "" if measurement.interval is None else " [{:.4g}, {:.4g}]".format(*measurement.interval)
    detail = measurement.detail and f" ({measurement.detail})"
    return f"{measurement.name} {measurement.value:.4g}{unit}{interval}{detail}"


def _outlook(rule: Rule, measurement: Measurement, variant: Variant, verdict: Verdict) -> str:
    """Say what would settle an open question."""
    if verdict is not Verdict.INCONCLUSIVE:
        return ""
    if rule.metric in AT_AN_FMR:
        return f"; {lacking(rule, variant.all_pairs)}"
    flipped, pairs = _changed(rule, variant)
    if pairs is not None:
        limits = [limit for limit in (rule.max, rule.min) if limit is not None]
        nearest = min(limits, key=lambda limit: abs(limit - measurement.value))
        needed = pairs_to_settle(measurement.value, nearest, flipped, pairs)
        if needed is not None:
            return f"; {pairs:,} pairs cannot settle it, about {max(needed, pairs + 1):,} would"
    return "; too noisy to tell, measure longer or on more pairs"


def _changed(rule: Rule, variant: Variant) -> tuple[int, int | None]:
    """How many decisions changed, of how many pairs; None where more pairs would settle nothing, or nobody said."""
    result = variant.sets.get(rule.set) if rule.set else None
    versus = result.versus_reference if result else variant.versus_reference
    if versus is None or rule.metric not in {Metric.DROP, Metric.DEVICE_DROP}:
        return 0, None
    there = variant.versus_local if rule.metric is Metric.DEVICE_DROP else None
    return (versus if there is None else there).flipped_pairs, versus.pairs
