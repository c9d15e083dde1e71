"""Judge a run by a policy: checks with verdicts, and the verdict on the release.

A verdict is a value: pass, fail or inconclusive. What was not measured never passes.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import chain

from ghostface_edge.reports.case import Case
from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.report import Data, Gate, Report, Role, Verdict
from ghostface_edge.reports.rule_checks import checks_of_rules
from ghostface_edge.reports.run_checks import checks_of_run
from ghostface_edge.reports.variant import Status, Variant
from ghostface_edge.reports.variant_checks import MEASURED, checks_of_variant, not_judged
from ghostface_edge.reports.verdicts import overall
from ghostface_edge.reports.waivers import waive

EXIT_CODES = {
    Verdict.PASS: ExitCode.PASS,
    Verdict.FAIL: ExitCode.GATE_FAILED,
    Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}


def judge(
    variants: Sequence[Variant],
    policy: Policy | None = None,
    *,
    data: Data | None = None,
    baseline: Report | None = None,
    made: date | None = None,
    today: date | None = None,
) -> Gate:
    """Judge every variant; only candidates decide the gate's verdict.

    Args:
        variants: of one report.
        policy: the default policy if None.
        data: of the same report; without it no baseline can be compared with.
        baseline: the report of an earlier release.
        made: day of the same report, where it is known.
        today: decides which waivers hold; the current day if None.
    """
    case = Case(variants, data, policy or Policy.read(), baseline, made=made, clock=today or datetime.now(UTC).date())
    checks = list(chain.from_iterable(checks_of_variant(variant, case) for variant in variants))
    checks = waive([*checks_of_run(case), *checks_of_rules(case, checks), *checks], case.policy.waivers, case.today)
    deciding = [check.verdict for check in checks if check.role is Role.CANDIDATE]
    return Gate(
        verdict=overall(deciding),
        checks=tuple(checks),
        policy=case.policy.name,
        baseline=None if baseline is None else f"{baseline.model.name} ({baseline.tool.started or 'undated'})",
        not_judged=not_judged(case),
    )


def judge_report(
    report: Report, policy: Policy | None = None, *, baseline: Report | None = None, today: date | None = None
) -> Report:
    """Judge a stored report anew, whatever its own gate says."""
    gate = judge(report.variants, policy, data=report.data, baseline=baseline, made=report.tool.day, today=today)
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
