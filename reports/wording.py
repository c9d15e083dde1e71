"""Wording of figures and verdicts for people, alike in every section."""

from ghostface_edge.reports.blocks import Cell, Tone
from ghostface_edge.reports.record import Interval
from ghostface_edge.reports.report import Gate, Report, Role, Verdict
from ghostface_edge.reports.variant import Variant
from ghostface_edge.reports.verdicts import Strength

MISSING = "–"
MEANING = {
    Verdict.PASS: "Every check of a variant that would ship passed.",
    Verdict.FAIL: "At least one variant that would ship breaks a limit by more than its noise.",
    Verdict.INCONCLUSIVE: "Nothing that would ship is known to break a limit, but not everything is shown to keep it.",
}
ANSWER = {Verdict.PASS: "met", Verdict.FAIL: "not met", Verdict.INCONCLUSIVE: "not answerable"}
"""Of a document's clause."""
WORST_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
_LOSSES = (Tone.NOTHING, Tone.LOSS_1, Tone.LOSS_2, Tone.LOSS_3, Tone.LOSS_4, Tone.LOSS_5)
_COMPARED = "For comparison: another variant of this runtime and precision decides"


def verdict_of(report: Report, variant: Variant) -> Verdict | None:
    """Sum up a variant's own checks, worst first; what only should be is left out."""
    own = [check for check in report.gate.checks if check.variant == variant.id]
    verdicts = {check.verdict for check in own if check.clause is None or check.clause.strength is Strength.SHALL}
    return next((verdict for verdict in WORST_FIRST if verdict in verdicts), None)


def objections(report: Report, variant: Variant) -> str:
    """Write the reasons of a variant's gravest checks; empty where all passed."""
    verdict = verdict_of(report, variant)
    if verdict is None:
        return "not judged"
    reasons = (check.reason for check in report.gate.checks if check.variant == variant.id and check.verdict is verdict)
    return "" if verdict is Verdict.PASS else "; ".join(reason.removeprefix(f"{variant.id}: ") for reason in reasons)


def without_figures(variant: Variant) -> str:
    """Write in one line why a variant has no figures."""
    return " ".join(f"{variant.status}: {variant.error}".split())


def is_comparison(report: Report, variant: Variant) -> bool:
    """Whether the gate judged the variant for comparison only."""
    return any(check.role is Role.COMPARISON for check in report.gate.checks if check.variant == variant.id)


def compared(report: Report, variant: Variant) -> str:
    """Say why a variant's row stands back; empty where it does not."""
    return _COMPARED if is_comparison(report, variant) else ""


def on_a_busy_machine(report: Report) -> str:
    """Say, in a sentence that follows others, that times are those of a busy machine; empty where they are not."""
    busy = any(variant.latency and variant.latency.beside_other_work for variant in report.variants)
    return " Times were taken while this machine did other work of a matrix: an idle one is faster." if busy else ""


def left_out(gate: Gate) -> list[str]:
    """Say which rules could not be judged; nothing where all were."""
    if not gate.not_judged:
        return []
    return [f"Not judged, since it is not known who is on the images: {', '.join(gate.not_judged)}"]


def is_integer(variant: Variant) -> bool:
    """Whether the variant is meant to compute in integers, so that float arithmetic in it is float fallback."""
    return variant.precision not in {"fp32", "fp16"}


def number(value: float | None, spec: str) -> str:
    """Write a figure, one that is not known as a dash."""
    return MISSING if value is None else format(value, spec)


def percent(fraction: float | None) -> str:
    """Write a fraction as percent, a figure that cannot be measured as a dash."""
    return number(None if fraction is None else 100 * fraction, ".2f")


def interval(bounds: Interval | None) -> str:
    """Write an interval in the unit it has."""
    return MISSING if bounds is None else f"{bounds[0]:+.2f} … {bounds[1]:+.2f}"


def percents(fractions: Interval) -> str:
    """Write an interval of fractions as percent."""
    return " … ".join(percent(fraction) for fraction in fractions)


def small_percent(fraction: float) -> str:
    """Write a fraction of whatever size as percent, three digits that count."""
    return f"{100 * fraction:.3g}"


def probability(value: float) -> str:
    """Write what a p-value is, with its sign of relation."""
    return "< 1e-16" if value < 1e-16 else f"= {value:.2g}"


def share(fraction: float) -> str:
    """Write a share of a whole as percent, in words where it is next to nothing."""
    if 0 < fraction < 0.0005:
        return "under 0.1 %"
    return "nothing" if fraction == 0 else f"{100 * fraction:.1f} %"


def count(amount: int, noun: str) -> str:
    """Write a number with its noun in the right form."""
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"


def enumeration(names: list[str]) -> str:
    """Join names as in a sentence."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def loss(loss_pp: float, *, suffix: str = "", hover: str = "") -> Cell:
    """Write a loss in percentage points, coloured by how grave it is."""
    grade = sum(loss_pp > step for step in (0.1, 0.5, 1, 5, 20))
    return Cell(f"{loss_pp:+.2f}{suffix}", tone=Tone.GAIN if loss_pp < -0.1 else _LOSSES[grade], hover=hover)
