"""Judge a run by a policy: checks with verdicts, and the verdict on the release.

A verdict is a value: pass, fail or inconclusive. What was not measured never passes. A figure with an interval
fails only if all of the interval breaks the limit and passes only if none of it does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from itertools import chain

from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.measured import Measurement, measure
from ghostface_edge.reports.paired import pairs_to_settle
from ghostface_edge.reports.policy import Baseline, Metric, Policy, RelativeTo, Rule
from ghostface_edge.reports.report import Calibration, Check, Data, Gate, Report, Role, Verdict
from ghostface_edge.reports.variant import Status, Variant
from ghostface_edge.reports.waivers import waive

EXIT_CODES = {
    Verdict.PASS: ExitCode.PASS,
    Verdict.FAIL: ExitCode.GATE_FAILED,
    Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}
MEASURED = "measured"
"""The check that a variant has figures at all."""
EVERYTHING = "*"
"""In place of a variant id, where a check is about the whole run."""


@dataclass(frozen=True, slots=True)
class _Case:
    """What is judged, against what."""

    variants: Sequence[Variant]
    data: Data | None
    policy: Policy
    baseline: Report | None

    def before(self, variant: Variant) -> Variant | None:
        """The same variant in the baseline, if the two runs can be compared at all."""
        if self.baseline is None or not self.comparable:
            return None
        return next((other for other in self.baseline.variants if other.id == variant.id), None)

    @property
    def comparable(self) -> bool:
        """Whether the baseline was measured on the same pairs."""
        if self.baseline is None or self.data is None:
            return False
        before, now = self.baseline.data.pairs, self.data.pairs
        return (before.sha256, before.count, before.protocol) == (now.sha256, now.count, now.protocol)


def judge(
    variants: Sequence[Variant],
    policy: Policy | None = None,
    *,
    data: Data | None = None,
    baseline: Report | None = None,
    today: date | None = None,
) -> Gate:
    """Judge every variant; only candidates decide the gate's verdict.

    Args:
        variants: of one report.
        policy: the default policy if None.
        data: of the same report; without it no baseline can be compared with.
        baseline: the report of an earlier release.
        today: decides which waivers hold; the current day if None.
    """
    policy = policy or Policy.read()
    case = _Case(variants, data, policy, baseline)
    checks = [*_of_the_run(case), *chain.from_iterable(_of_variant(variant, case) for variant in variants)]
    checks = waive(checks, policy.waivers, today or datetime.now(UTC).date())
    deciding = [check.verdict for check in checks if check.role is Role.CANDIDATE]
    return Gate(
        verdict=overall(deciding),
        checks=tuple(checks),
        policy=policy.name,
        baseline=None if baseline is None else f"{baseline.model.name} ({baseline.tool.started or 'undated'})",
    )


def judge_report(
    report: Report, policy: Policy | None = None, *, baseline: Report | None = None, today: date | None = None
) -> Report:
    """Judge a stored report anew, whatever its own gate says."""
    gate = judge(report.variants, policy, data=report.data, baseline=baseline, today=today)
    return report.model_copy(update={"gate": gate})


def exit_code(report: Report) -> ExitCode:
    """What a command that made or judged this report ends with.

    A variant that would ship and failed to be made is the tool's fault, unless someone took the responsibility for it
    by a waiver; one that stands for comparison does not decide. Otherwise the verdict decides.
    """
    failed = {variant.id for variant in report.variants if variant.status is Status.FAILED}
    for check in report.gate.checks:
        decides = check.role is Role.CANDIDATE and check.verdict is Verdict.FAIL
        if decides and check.name == MEASURED and check.variant in failed:
            return ExitCode.TOOL_FAILED
    return EXIT_CODES[report.gate.verdict]


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


def _of_the_run(case: _Case) -> list[Check]:
    """Check what has to be true before any figure counts."""
    ok = [variant.id for variant in case.variants if variant.status is Status.OK]
    checks = []
    if not ok:
        checks.append(_whole("variants", "at least 1", 0, "no variant was measured"))
    if case.data is not None:
        if case.data.pairs.count == 0:
            checks.append(_whole("pairs", "at least 1", 0, "no pairs were compared"))
        checks += _leak(case.data.calibration)
    missing = [pattern for pattern in case.policy.require if not any(fnmatchcase(name, pattern) for name in ok)]
    checks += [_whole("required", pattern, None, f"no variant {pattern} was measured") for pattern in missing]
    return checks + _of_the_baseline(case)


def _leak(calibration: Calibration) -> list[Check]:
    shared, guard = calibration.identities_shared_with_pairs, calibration.leak_guard
    if not shared:
        return []
    both = f"{shared} people are in the calibration faces and in the pairs"
    if guard is None or shared > len(guard.allowed):
        return [_whole("leak", "0 people", shared, f"{both}, so the pairs do not judge fairly")]
    allowed = _whole("leak", "0 people", shared, f"{both}, allowed by name: {', '.join(guard.allowed)}")
    return [allowed.model_copy(update={"verdict": Verdict.PASS})]


def _of_the_baseline(case: _Case) -> list[Check]:
    if case.baseline is None:
        return []
    if not case.comparable:
        reason = "the baseline was measured on other pairs or by another protocol, so it cannot be compared with"
        return [_whole("baseline", "same pairs", None, reason)]
    now = {variant.id for variant in case.variants}
    gone = [
        variant.id
        for variant in case.baseline.variants
        if variant.status is Status.OK
        and variant.id not in now
        and role_of(variant, case.baseline.variants, case.policy) is Role.CANDIDATE
    ]
    return [
        _whole("baseline", "same variants", None, f"{name} is in the baseline, but not in this run") for name in gone
    ]


def _whole(name: str, limit: str, measured: float | None, reason: str) -> Check:
    return Check(
        name=name, variant=EVERYTHING, limit=limit, measured=measured, verdict=Verdict.INCONCLUSIVE, reason=reason
    )


def _of_variant(variant: Variant, case: _Case) -> list[Check]:
    role = role_of(variant, case.variants, case.policy)
    rules = [rule for rule in case.policy.rules if rule.matches(variant.id) and _applies(rule, case)]
    if variant.status is not Status.OK:
        rules = []
    return [_was_measured(variant, role), *(_check(rule, variant, case, role) for rule in rules)]


def _applies(rule: Rule, case: _Case) -> bool:
    waits_for_baseline = rule.relative_to is RelativeTo.BASELINE and case.baseline is None
    return not (waits_for_baseline and case.policy.baseline is Baseline.OPTIONAL)


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


def _check(rule: Rule, variant: Variant, case: _Case, role: Role) -> Check:
    measurement = measure(rule, variant, case.variants, case.before(variant))
    if measurement is None:
        limit = _limit(rule, "")
        verdict, reason = Verdict.INCONCLUSIVE, f"{rule.name} {_absence(rule, case)}, limit {limit}"
        measurement = None
    else:
        limit = _limit(rule, measurement.unit)
        verdict = _place(measurement, rule)
        reason = f"{_phrase(measurement)}, limit {limit}{_outlook(rule, measurement, variant, verdict)}"
    return Check(
        name=rule.name,
        variant=variant.id,
        limit=limit,
        measured=None if measurement is None else measurement.value,
        verdict=verdict,
        reason=f"{variant.id}: {reason}",
        role=role,
        unit="" if measurement is None else measurement.unit,
        ci95=None if measurement is None else measurement.interval,
        set=rule.set,
        why=rule.why,
    )


def _absence(rule: Rule, case: _Case) -> str:
    """Say why there is no figure."""
    if rule.relative_to is RelativeTo.BASELINE:
        return "has no baseline to compare with" if case.baseline is None else "is not in a comparable baseline"
    if rule.far is not None:
        return f"needs at least {round(1 / float(rule.far)):,} pairs of different people"
    return "was not measured"


def _place(measurement: Measurement, rule: Rule) -> Verdict:
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
    result = variant.sets.get(rule.set) if rule.set else None
    versus = result.versus_reference if result else variant.versus_reference
    if rule.metric is Metric.DROP and versus is not None and versus.pairs is not None:
        limits = [limit for limit in (rule.max, rule.min) if limit is not None]
        nearest = min(limits, key=lambda limit: abs(limit - measurement.value))
        needed = pairs_to_settle(measurement.value, nearest, versus.flipped_pairs, versus.pairs)
        if needed is not None:
            return f"; {versus.pairs:,} pairs cannot settle it, about {max(needed, versus.pairs + 1):,} would"
    return "; too noisy to tell, measure longer or on more pairs"
