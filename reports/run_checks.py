"""Checks of the whole run: what has to be true before any figure counts."""

from fnmatch import fnmatchcase

from ghostface_edge.reports.case import Case, role_of
from ghostface_edge.reports.policy import OpenClause
from ghostface_edge.reports.report import Calibration, Check, Role, Verdict
from ghostface_edge.reports.variant import Status
from ghostface_edge.reports.verdicts import Clause, Strength

REQUIRED = "required"
"""The check that a variant which the policy names was measured."""
CLAUSE = "clause "
"""Before the section of a clause that no report answers, in the name of its check."""
MISSING = "not answerable, this is missing: "
EVERYTHING = "*"
"""In place of a variant id, where a check is about the whole run."""


def checks_of_run(case: Case) -> list[Check]:
    """Check what has to be true before any figure counts."""
    ok = [variant.id for variant in case.variants if variant.status is Status.OK]
    checks = []
    if not ok:
        checks.append(whole("variants", "at least 1", 0, "no variant was measured"))
    if case.ahead is not None:
        reason = f"a report says it was made on {case.ahead}, after the {case.clock} of this machine's clock"
        checks.append(whole("date", f"<= {case.clock}", None, reason))
    if case.data is not None:
        if case.data.pairs.count == 0:
            checks.append(whole("pairs", "at least 1", 0, "no pairs were compared"))
        checks += _leak(case.data.calibration)
    missing = [pattern for pattern in case.policy.require if not any(fnmatchcase(name, pattern) for name in ok)]
    checks += [whole(REQUIRED, pattern, None, f"no variant {pattern} was measured") for pattern in missing]
    return checks + _of_the_baseline(case) + [_open(clause) for clause in case.policy.open_clauses]


def _open(clause: OpenClause) -> Check:
    """A clause that the report does not answer: whoever has the answer may take the responsibility by a waiver."""
    check = whole(f"{CLAUSE}{clause.source.section}", clause.says, None, f"{clause.says}: {MISSING}{clause.missing}")
    known = Clause(says=clause.says, strength=clause.strength, source=clause.source)
    role = Role.ADVICE if clause.strength is Strength.SHOULD else Role.CANDIDATE
    return check.model_copy(update={"clause": known, "role": role})


def _leak(calibration: Calibration) -> list[Check]:
    shared, guard = calibration.identities_shared_with_pairs, calibration.leak_guard
    if not shared:
        return []
    both = f"{shared} people are in the calibration faces and in the pairs"
    if guard is None or shared > len(guard.allowed):
        return [whole("leak", "0 people", shared, f"{both}, so the pairs do not judge fairly")]
    allowed = whole("leak", "0 people", shared, f"{both}, allowed by name: {', '.join(guard.allowed)}")
    return [allowed.model_copy(update={"verdict": Verdict.PASS})]


def _of_the_baseline(case: Case) -> list[Check]:
    if case.baseline is None:
        return []
    if not case.comparable:
        reason = "the baseline was measured on other faces or by another protocol, so it cannot be compared with"
        return [whole("baseline", "same pairs", None, reason)]
    now = {variant.id for variant in case.variants}
    gone = [
        variant.id
        for variant in case.baseline.variants
        if variant.status is Status.OK
        and variant.id not in now
        and role_of(variant, case.baseline.variants, case.policy) is Role.CANDIDATE
    ]
    return [
        whole("baseline", "same variants", None, f"{name} is in the baseline, but not in this run") for name in gone
    ]


def whole(name: str, limit: str, measured: float | None, reason: str) -> Check:
    """A check of the whole run that leaves the question open."""
    return Check(
        name=name, variant=EVERYTHING, limit=limit, measured=measured, verdict=Verdict.INCONCLUSIVE, reason=reason
    )
