"""`gate --explain`: every check with what it means, why it is asked for, and how the verdict came about."""

from collections.abc import Iterator

from ghostface_edge.reports import wording
from ghostface_edge.reports.printable import printable
from ghostface_edge.reports.report import Gate, Role, Verdict


def explain(gate: Gate) -> str:
    """Write a gate's checks by variant, with reasons."""
    return "\n".join(map(printable, _lines(gate))) + "\n"


def _lines(gate: Gate) -> Iterator[str]:
    yield f"{gate.verdict.value}: {wording.MEANING[gate.verdict]}"
    yield f"policy: {gate.policy}" + (f", baseline: {gate.baseline}" if gate.baseline else "")
    yield from wording.left_out(gate)
    for variant in dict.fromkeys(check.variant for check in gate.checks):
        checks = [check for check in gate.checks if check.variant == variant]
        compared = any(check.role is Role.COMPARISON for check in checks)
        yield ""
        name = "the whole run" if variant == "*" else variant
        yield name + (" (for comparison: another variant of its runtime and precision decides)" if compared else "")
        for check in checks:
            yield f"  {check.verdict.value:<12}  {check.reason.removeprefix(variant + ': ')}"
            if check.clause is not None:
                source = check.clause.source
                yield f"{'':16}{wording.ANSWER[check.verdict]}, {check.clause.strength}: {check.clause.says}"
                yield f"{'':16}{source.title}, {source.section} ({source.date}, {source.url})"
            if check.why:
                yield f"{'':16}because {check.why}"
            if check.verdict is Verdict.INCONCLUSIVE and check.ci95 is not None:
                low, high = check.ci95
                yield f"{'':16}the true value lies between {low:.4g} and {high:.4g} (95 %), the limit within"
