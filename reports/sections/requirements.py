"""Requirements: per clause of a document whether it is met, not met, or what is missing to tell."""

from collections.abc import Iterator, Sequence

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Bullet, Bullets, Note, Reach, Tone
from ghostface_edge.reports.report import Check, Role, Verdict
from ghostface_edge.reports.run_checks import EVERYTHING
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.verdicts import Clause, Strength

_READING = (
    "Met means met on these images: comparisons of people who did not try to be taken for each other, photographed as "
    "this set was, not as a product's camera sees its users. What should be, does not decide."
)


def requirements(findings: Findings) -> Section | None:
    """A line per clause, and the documents that the clauses are of."""
    checks = [check for check in findings.report.gate.checks if check.clause is not None]
    if not checks:
        return None
    answered_first = sorted(checks, key=lambda check: check.variant == EVERYTHING)
    clauses = list(dict.fromkeys(check.clause for check in answered_first if check.clause is not None))
    clauses.sort(key=lambda clause: clause.source.section)
    blocks = (
        Bullets(
            [_line(clause, [check for check in checks if check.clause == clause]) for clause in clauses],
            reach=Reach.TERMINAL,
        ),
        Note(f"Of {'; '.join(_documents(clauses))}.", reach=Reach.TERMINAL),
        Note(_READING, soft=True, reach=Reach.TERMINAL),
    )
    return Section("requirements", "Requirements", blocks, aside=findings.report.gate.policy)


def _line(clause: Clause, checks: Sequence[Check]) -> Bullet:
    """What would ship decides; where all stand for comparison, they are all there is."""
    ships = [check for check in checks if check.role is not Role.COMPARISON] or list(checks)
    worst = min((check.verdict for check in ships), key=wording.WORST_FIRST.index)
    warns = clause.strength is Strength.SHOULD and worst is not Verdict.PASS
    asked = f"{clause.source.section}, {clause.strength}: {clause.says}"
    return Bullet(f"{asked}: {'; '.join(_answers(clause, ships))}", Tone.CAREFUL if warns else Tone(worst.value))


def _answers(clause: Clause, checks: Sequence[Check]) -> Iterator[str]:
    """The worst first, variants with the same answer together."""
    for verdict in wording.WORST_FIRST:
        variants: dict[str, list[str]] = {}
        for check in checks:
            if check.verdict is verdict:
                plain = verdict is Verdict.PASS and check.waiver is None
                reason = check.reason.removeprefix(f"{check.variant}: ").removeprefix(f"{clause.says}: ")
                variants.setdefault(check.name if plain else reason, []).append(check.variant)
        for reason, names in variants.items():
            if EVERYTHING in names:
                yield reason
            else:
                who = f"{'for' if verdict is Verdict.INCONCLUSIVE else 'by'} {', '.join(names)}"
                yield f"{wording.ANSWER[verdict]} {who} ({reason})"


def _documents(clauses: Sequence[Clause]) -> list[str]:
    sources = (clause.source for clause in clauses)
    return list(dict.fromkeys(f"{source.title} ({source.date}, {source.url})" for source in sources))
