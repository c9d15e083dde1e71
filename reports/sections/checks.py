"""Checks: what keeps a variant from passing, in a line each, and every limit with its reason."""

from collections.abc import Sequence

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Align, Block, Bullet, Bullets, Cell, Column, Folded, Note, Reach, Table, Tone
from ghostface_edge.reports.report import Check, Role, Verdict
from ghostface_edge.reports.section import Findings, Section

_COLUMNS = (
    *(Column("Verdict"), Column("Variant"), Column("Check"), Column("Measured"), Column("Limit")),
    Column("Why", Align.WIDE),
)


def checks(findings: Findings) -> Section:
    """What the gate saw."""
    gate = findings.report.gate
    whole = f"all {wording.count(len(gate.checks), 'check')}"
    plain = [check for check in gate.checks if check.clause is None]
    passed = (
        whole if len(plain) == len(gate.checks) else f"{wording.count(len(plain), 'check')} beside the requirements"
    )
    objections = _objections(plain) or [Bullet(passed, Tone.PASS)]
    table = Table(_COLUMNS, [_row(check) for check in gate.checks])
    aside = f"policy {gate.policy}" + (f", against {gate.baseline}" if gate.baseline else "")
    blocks: list[Block] = [
        Bullets(objections, reach=Reach.TERMINAL),
        *(Note(words, reach=Reach.TERMINAL) for words in wording.left_out(gate)),
        Folded(whole.capitalize(), (table,)),
    ]
    return Section("checks", "Checks", blocks, aside=aside)


def _objections(checks: Sequence[Check]) -> list[Bullet]:
    """Sum up what did not pass, or passes by a waiver: one line per variant, its gravest reasons only."""
    found = []
    for variant in dict.fromkeys(check.variant for check in checks):
        open_ = [check for check in checks if check.variant == variant and _objects(check)]
        if not open_:
            continue
        worst = min((check.verdict for check in open_), key=wording.WORST_FIRST.index)
        gravest = [check for check in open_ if check.verdict is worst]
        name = "the whole run" if variant == "*" else variant
        reasons = "; ".join(check.reason.removeprefix(f"{variant}: ") for check in gravest)
        compared = gravest[0].role is Role.COMPARISON
        aside = "for comparison, does not decide" if compared else ""
        found.append(Bullet(f"{name}: {reasons}", Tone(worst.value), aside))
    return found


def _objects(check: Check) -> bool:
    return check.verdict is not Verdict.PASS or check.waiver is not None


def _row(check: Check) -> tuple[Cell | str, ...]:
    measured = f"{wording.number(check.measured, '.4g')} {check.unit}".rstrip()
    bounds = "" if check.ci95 is None else f" [{check.ci95[0]:.4g}, {check.ci95[1]:.4g}]"
    warns = check.role is Role.ADVICE and check.verdict is not Verdict.PASS
    verdict = Cell(check.verdict.value, Tone.INCONCLUSIVE if warns else Tone(check.verdict.value))
    asked = "" if check.clause is None else check.clause.says
    limit = wording.MISSING if check.limit == asked else check.limit  # an open clause has none but its words
    return verdict, check.variant, check.name, measured + bounds, limit, check.why or asked
