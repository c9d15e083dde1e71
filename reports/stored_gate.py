"""Whether the gate that a report carries follows from the report's own figures.

In: a report. Out: the first contradiction, or None. By the default policy the report is judged anew. Any other policy
is known by the checks that it left: each is judged anew by the limit that it states, on the figures that stand there.
A figure relative to an earlier report, which is not at hand, has to agree with itself.
"""

import glob
import math
import re
from collections.abc import Sequence
from datetime import date

from ghostface_edge.reports.devices import LOCAL
from ghostface_edge.reports.gate import judge
from ghostface_edge.reports.measurement import Measurement
from ghostface_edge.reports.policy import (
    AT_AN_FMR,
    DEFAULT_FILE,
    SHIPPED,
    Evidence,
    OpenClause,
    Policy,
    RelativeTo,
    Rule,
    Threshold,
)
from ghostface_edge.reports.report import Check, Gate, Report, Role, Verdict
from ghostface_edge.reports.rule_checks import JUDGED
from ghostface_edge.reports.run_checks import CLAUSE, EVERYTHING, MISSING, REQUIRED
from ghostface_edge.reports.variant_checks import MEASURED, advised, place
from ghostface_edge.reports.waivers import waive

_LIMIT = re.compile(r"(?:<= (?P<max>\S+)|>= (?P<min>\S+)|(?P<low>\S+) to (?P<high>\S+))(?: .*)?")
_TO_BASELINE = f" vs {RelativeTo.BASELINE}"
_FROZEN = f" {Threshold.FROZEN}"


def contradiction(report: Report) -> str | None:
    """Say what in a report's gate does not follow from its figures; None where all of it does.

    That the verdict is the sum of the checks, a report says of itself when it is read.
    """
    gate, made = report.gate, report.tool.day or date.min
    try:
        if gate.not_judged and not _could_not_be_judged(gate.not_judged, report):
            return "its gate says that rules could not be judged, which does not follow from the figures"
        judged = judge(report.variants, _policy_of(gate), data=report.data, made=made, today=made)
        anew = {_key(check): check for check in judged.checks}
        roles = {check.variant: check.role for check in judged.checks if check.name == MEASURED}
        anew |= {
            _key(check): _by_itself(check, roles[check.variant])
            for check in gate.checks
            if check.name.endswith(_TO_BASELINE) and check.variant in roles
            if check.measured is None or gate.baseline is not None
        }
    except ValueError as error:
        return f"its gate states what no policy can ask for ({' '.join(str(error).split())})"
    if gate.baseline is not None:
        anew = {key: check for key, check in anew.items() if check.name != JUDGED}  # the baseline's rules judge too
    for check in gate.checks:
        expected = anew.get(_key(check))  # the lowest rate may be asked for by its number too, and then is there twice
        if expected is None and check.variant == EVERYTHING and check.verdict is not Verdict.PASS:
            continue  # a complaint about the policy or the baseline, which are not at hand: it cannot make a pass
        if expected is None or not _follows(check, expected, made):
            return f"its gate's check {check.name} of {check.variant} does not follow from the figures"
    stated = set(map(_key, gate.checks))
    for key, check in anew.items():
        if key not in stated:
            return f"its gate lacks the check {check.name} of {check.variant}"
    return None


def _could_not_be_judged(names: Sequence[str], report: Report) -> bool:
    """Whether rules are of those that a report without names leaves open."""
    rules = [_named(name, None) for name in names]
    return not any(variant.all_pairs for variant in report.variants) and all(
        rule["metric"] in AT_AN_FMR and Rule.model_validate({**rule, "variants": "*", "max": 0}).name == name
        for rule, name in zip(rules, names, strict=True)
    )


def _key(check: Check) -> tuple[str, str, str, str | None]:
    return check.name, check.variant, check.limit, check.set


def _policy_of(gate: Gate) -> Policy:
    """The shipped policy of that name, or one that asks for what the checks say was asked for.

    Raises:
        ValueError: a check is none that any policy asks for.
    """
    if gate.policy in SHIPPED:
        return Policy.read(DEFAULT_FILE.with_name(f"policy.{gate.policy}.yaml"))
    ruled = [check for check in gate.checks if check.variant != EVERYTHING and check.name != MEASURED]
    compared = {glob.escape(check.variant.partition("@")[0]) for check in gate.checks if check.role is Role.COMPARISON}
    return Policy.read().model_copy(
        update={
            "name": gate.policy,
            "all_pairs": Evidence.REQUIRED,
            "comparison": tuple(compared),
            "require": tuple(check.limit for check in gate.checks if check.name == REQUIRED),
            "open_clauses": tuple(_open_clause(check) for check in gate.checks if check.name.startswith(CLAUSE)),
            "rules": tuple(_rule_of(check) for check in ruled if not check.name.endswith(_TO_BASELINE)),
        }
    )


def _rule_of(check: Check) -> Rule:
    limit = _LIMIT.fullmatch(check.limit)
    name, _, device = check.variant.partition("@")
    bounds = limit.groupdict() if limit is not None else {}
    return Rule.model_validate(
        {
            **_named(check.name, check.set),
            "variants": (glob.escape(name),),
            "devices": (glob.escape(device) or LOCAL,),
            "max": bounds.get("max") or bounds.get("high"),
            "min": bounds.get("min") or bounds.get("low"),
            "clause": check.clause,
        }
    )


def _open_clause(check: Check) -> OpenClause:
    """What a check says that no report answers; a waiver's words come after it."""
    words = check.reason.partition(MISSING)[2]
    missing = words.partition("; waived by ")[0].partition("; the waiver of ")[0]
    clause = {} if check.clause is None else check.clause.model_dump()
    return OpenClause.model_validate({**clause, "missing": missing})


def _named(name: str, on_set: str | None) -> dict[str, str | None]:
    """What a rule's name says of it."""
    relation = next((one for one in RelativeTo if name.endswith(f" vs {one}")), RelativeTo.NOTHING)
    figure = name.removesuffix(f" vs {relation}").removesuffix(f" on {on_set}")
    metric, _, rate = figure.removesuffix(_FROZEN).partition("@")
    return {
        "metric": metric,
        "relative_to": relation,
        "fmr" if metric in AT_AN_FMR else "far": rate or None,
        "threshold": Threshold.FROZEN if figure.endswith(_FROZEN) else Threshold.OWN,
        "set": on_set,
    }


def _by_itself(check: Check, role: Role) -> Check:
    """Judge what a check says was measured by the limit that it states.

    Raises:
        ValueError: it states no limit of a policy, or a figure outside its own interval.
    """
    verdict = Verdict.INCONCLUSIVE
    if check.measured is not None:
        low, high = check.ci95 or (check.measured, check.measured)
        if not low <= check.measured <= high:
            raise ValueError(f"{check.name}: {check.measured:g} is not within [{low:g}, {high:g}]")
        verdict = place(Measurement(check.name, check.measured, check.unit, check.ci95), _rule_of(check))
    return check.model_copy(update={"verdict": verdict, "role": advised(role, check.clause)})


def _follows(check: Check, expected: Check, made: date) -> bool:
    """Whether a check says what is expected of it, a waiver that held when the report was made considered."""
    waivers = [check.waiver] if check.waiver is not None else []
    said = {(one.verdict, one.reason) for day in (made, date.max) for one in waive([expected], waivers, day)}
    return (
        (check.verdict, check.reason) in said
        and (check.role, check.unit, check.clause) == (expected.role, expected.unit, expected.clause)
        and _equal(_figures(check), _figures(expected))
    )


def _figures(check: Check) -> list[float]:
    return [figure for figure in (check.measured, *(check.ci95 or ())) if figure is not None]


def _equal(one: Sequence[float], other: Sequence[float]) -> bool:
    """Equal but for what two processors may round differently."""
    return len(one) == len(other) and all(
        math.isclose(mine, theirs, rel_tol=1e-9, abs_tol=1e-12) for mine, theirs in zip(one, other, strict=True)
    )
