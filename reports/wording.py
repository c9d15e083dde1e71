"""How figures are written for people, alike in every rendering."""

from dataclasses import dataclass

from ghostface_edge.reports.evidence import ProfileRole
from ghostface_edge.reports.record import Interval
from ghostface_edge.reports.report import Gate, Report, Role, Verdict
from ghostface_edge.reports.time_shares import TimeShares
from ghostface_edge.reports.variant import Variant

MISSING = "–"
COLUMNS = (
    "Variant",
    "Verdict",
    "Accuracy %",
    "Drop pp",
    "95 % interval",
    "TAR@FAR=1e-3 %",
    "Cosine",
    "p50 ms",
    "× FP32",
    "Size KB",
)
_WORST_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
_NAMED_KINDS = 4
MEANING = {
    Verdict.PASS: "Every check of a variant that would ship passed.",
    Verdict.FAIL: "At least one variant that would ship breaks a limit by more than its noise.",
    Verdict.INCONCLUSIVE: "Nothing that would ship is known to break a limit, but not everything is shown to keep it.",
}


def row(report: Report, variant: Variant) -> tuple[str, ...]:
    """Write one variant's figures, in the order of COLUMNS."""
    accuracy, versus, latency = variant.accuracy, variant.versus_reference, variant.latency
    if accuracy is None or versus is None or latency is None or variant.artifact is None:
        return (variant.id, variant.status.value, *[MISSING] * (len(COLUMNS) - 2))
    return (
        variant.id,
        verdict_of(report, variant),
        f"{100 * accuracy.mean:.2f} ± {100 * accuracy.standard_error:.2f}",
        f"{versus.drop_pp:+.2f}",
        interval(versus.ci95_pp),
        percent(accuracy.tar_at_far.get("0.001")),
        f"{versus.cosine_mean:.4f}",
        f"{latency.p50_ms:.2f}",
        f"{latency.versus_fp32:.2f}",
        f"{variant.artifact.bytes / 1000:,.0f}",
    )


@dataclass(frozen=True, slots=True)
class Objection:
    """What keeps one variant from passing, in one line."""

    variant: str
    verdict: Verdict
    role: Role
    text: str


def objections(gate: Gate) -> list[Objection]:
    """Sum up what did not pass, or passes by a waiver: one line per variant, its gravest reasons only."""
    found = []
    for variant in dict.fromkeys(check.variant for check in gate.checks):
        checks = [
            check
            for check in gate.checks
            if check.variant == variant and (check.verdict is not Verdict.PASS or check.waiver is not None)
        ]
        checks.sort(key=lambda check: _WORST_FIRST.index(check.verdict))
        if checks:
            name = "the whole run" if variant == "*" else variant
            gravest = [check for check in checks if check.verdict is checks[0].verdict]
            reasons = "; ".join(check.reason.removeprefix(f"{variant}: ") for check in gravest)
            found.append(Objection(name, checks[0].verdict, checks[0].role, f"{name}: {reasons}"))
    return found


def verdict_of(report: Report, variant: Variant) -> str:
    """Sum up a variant's own checks, worst first."""
    verdicts = [check.verdict for check in report.gate.checks if check.variant == variant.id]
    return next((verdict.value for verdict in _WORST_FIRST if verdict in verdicts), MISSING)


def is_comparison(report: Report, variant: Variant) -> bool:
    """Whether the gate judged the variant for comparison only."""
    return any(check.role is Role.COMPARISON for check in report.gate.checks if check.variant == variant.id)


def is_integer(variant: Variant) -> bool:
    """Whether the variant is meant to compute in integers, so that float arithmetic in it is an island."""
    return variant.precision not in {"fp32", "fp16"}


def percent(fraction: float | None) -> str:
    """Write a fraction as percent, a figure that cannot be measured as a dash."""
    return MISSING if fraction is None else f"{100 * fraction:.2f}"


def interval(bounds: Interval | None) -> str:
    """Write an interval in the unit it has."""
    return MISSING if bounds is None else f"{bounds[0]:+.2f} … {bounds[1]:+.2f}"


def islands(shares: TimeShares) -> str:
    """Say how much of a variant's time is not arithmetic in integers, and how much is left to the runtime itself."""
    integer, in_float, quantize, layout = (_share(shares.roles[role]) for role in ProfileRole)
    text = (
        f"{shares.variant.id}: {integer} of {shares.ms:.2f} ms is arithmetic in integers; float islands take "
        f"{in_float}, reorders and other moves {layout}, quantizing and dequantizing {quantize}."
    )
    if shares.delegated is None:
        return text
    own = [f"{kind} ({_share(share)})" for kind, share in shares.undelegated[:_NAMED_KINDS]]
    if len(shares.undelegated) > _NAMED_KINDS:
        own.append(f"{len(shares.undelegated) - _NAMED_KINDS} further kinds")
    return f"{text} XNNPACK runs {_share(shares.delegated)}; not delegated: {', '.join(own) or 'nothing'}."


def latency_search(variant: Variant) -> str | None:
    """Say what a search for the fastest precisions gained."""
    found = variant.latency_search
    if found is None:
        return None
    if found.float_share == 0:
        return (
            f"{variant.id}: none of {found.measured:,} assignments of precision to layers timed on this host beat INT8 "
            f"throughout beyond chance, so it stays (cosine {found.cosine:.4f} on held-out calibration faces)."
        )
    low, high = found.versus_int8_ci95
    gain = "" if high < 1 else ", which is no gain beyond chance"
    return (
        f"{variant.id}: of {found.measured:,} assignments of precision to layers timed on this host, the fastest whose "
        f"cosine on held-out calibration faces keeps {found.cosine_limit:g} (it has {found.cosine:.4f}) takes "
        f"{found.versus_int8:.2f} × [{low:.2f}, {high:.2f}] the time of the same network wholly in INT8{gain}; "
        f"{_share(found.float_share)} of its MACs run in float."
    )


def _share(fraction: float) -> str:
    if 0 < fraction < 0.0005:
        return "under 0.1 %"
    return "nothing" if fraction == 0 else f"{100 * fraction:.1f} %"


def probability(value: float) -> str:
    """Write what a p-value is, with its sign of relation."""
    return "< 1e-16" if value < 1e-16 else f"= {value:.2g}"


def heat(loss_pp: float) -> int:
    """Grade a loss for colouring: -1 a gain, 0 nothing, up to 5."""
    if loss_pp < -0.1:
        return -1
    return sum(loss_pp > step for step in (0.1, 0.5, 1, 5, 20))


def detectable(report: Report) -> str:
    """Write the smallest drop each measured variant's comparison would show."""
    smallest = [
        (variant.id, variant.versus_reference.detectable_drop_pp)
        for variant in report.variants
        if variant.versus_reference is not None and variant.versus_reference.detectable_drop_pp is not None
    ]
    return ", ".join(f"{drop:.2f} pp for {name}" for name, drop in smallest) or MISSING
