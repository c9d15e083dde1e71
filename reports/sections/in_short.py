"""In short, what a release manager asks: ship or not, which file, what it costs, what it loses, what to look at.

The verdict is the gate's and the file is the one that `recommend` would choose on this host; nothing is judged anew.
"""

from collections.abc import Sequence
from typing import Final

from ghostface_edge.reports import wording
from ghostface_edge.reports.all_against_all import spelt
from ghostface_edge.reports.blocks import Definitions, Reach, Span, Style, Words
from ghostface_edge.reports.devices import LOCAL
from ghostface_edge.reports.errors import ExitCode
from ghostface_edge.reports.gate import exit_code
from ghostface_edge.reports.printable import shortened
from ghostface_edge.reports.recommend import Considered, recommend
from ghostface_edge.reports.report import Check, Report, Role, Verdict
from ghostface_edge.reports.section import Section
from ghostface_edge.reports.variant import Variant

_SHIP: Final = {Verdict.PASS: "yes", Verdict.FAIL: "no", Verdict.INCONCLUSIVE: "not settled"}
_NOT_MADE: Final = "A variant that would ship could not be made or run."
_NONE: Final = "no file is known to be fit to ship"
_LONGEST: Final = 160
"""Characters of a check's reason; the section of checks has all."""


def in_short(report: Report) -> Section:
    """Five lines, also where there is nothing to ship."""
    chosen = recommend(report, LOCAL).chosen if report.local_variants else None
    row = next((variant for variant in report.local_variants if chosen and variant.id == chosen.variant), None)
    lines: tuple[tuple[str, Words], ...] = (
        ("Ship", _ship(report)),
        ("File", _file(report, chosen)),
        ("Costs", _NONE if row is None else _costs(row)),
        ("Loses", _NONE if row is None else _losses(row)),
        ("Look at", _look_at(report, row)),
    )
    return Section("in-short", "In short", (Definitions(lines, reach=Reach.TERMINAL),))


def _ship(report: Report) -> Words:
    verdict = report.gate.verdict
    why = _NOT_MADE if exit_code(report) is ExitCode.TOOL_FAILED else wording.MEANING[verdict]
    return Span(_SHIP[verdict], Style.STRONG), f", {why[0].lower()}{why[1:-1]}"


def _file(report: Report, chosen: Considered | None) -> Words:
    if chosen is None:
        return "none: of no file the checks hold"
    words: tuple[str | Span, ...] = (Span(chosen.variant, Style.STRONG),)
    if chosen.path is not None:
        words += (", ", Span(chosen.path, to=chosen.path))
    if chosen.verdict is not Verdict.PASS:
        return (*words, ", once its open checks are settled")
    return words if report.gate.verdict is Verdict.PASS else (*words, ": its own checks hold, the release's do not")


def _costs(row: Variant) -> str:
    parts = []
    if row.latency is not None:
        parts.append(f"{row.latency.p50_ms:.2f} ms a face, {row.latency.versus_fp32:.2f} × FP32's")
        if row.latency.versus_fp32_ci95 is not None:
            low, high = row.latency.versus_fp32_ci95
            parts[-1] += f" ({low:.2f} … {high:.2f})"
    if row.artifact is not None:
        size, fp32 = row.artifact.deployed_bytes, row.artifact.fp32_bytes
        parts.append(f"{size / 1000:,.0f} KB" + (f", {size / fp32:.2f} × FP32's" if fp32 else ""))
    return "; ".join(parts)


def _losses(row: Variant) -> str:
    parts = []
    if row.versus_reference is not None:
        lost = row.versus_reference
        parts.append(f"{lost.drop_pp:+.2f} pp of accuracy ({wording.interval(lost.ci95_pp)})")
    fmr = None if row.all_pairs is None else row.all_pairs.lowest_told
    rate = None if row.all_pairs is None or fmr is None else row.all_pairs.fnmr_at_fmr[fmr]
    if fmr is None or rate is None or rate.rise_pp is None:
        parts.append("what it adds to FNMR is not known")
    else:
        bounds = f" ({wording.interval(rate.rise_ci95_pp)})" if rate.rise_ci95_pp else ""
        parts.append(f"FNMR {rate.rise_pp:+.2f} pp{bounds} at FMR {spelt(fmr)}")
    return "; ".join(parts)


def _look_at(report: Report, row: Variant | None) -> Words:
    """The gravest of what decides against shipping; else what somebody answers for; else what changed."""
    deciding = [check for check in report.gate.checks if check.role is Role.CANDIDATE]
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        open_ = [check for check in deciding if check.verdict is verdict]
        if open_:
            return _reasons(open_)
    waived = [check for check in deciding if check.waiver is not None]
    if waived:
        return Span(wording.count(len(waived), "check"), Style.PLAIN, "#checks"), " passed by a waiver"
    changed = 0 if row is None or row.versus_reference is None else row.versus_reference.flipped_pairs
    decisions = f"{wording.count(changed, 'decision')} that changed"
    place = "#flips" if row is not None and row.flips else "#variants"
    return "nothing is open; of interest: ", Span(decisions, Style.PLAIN, place)


def _reasons(checks: Sequence[Check]) -> Words:
    first = Span(shortened(checks[0].reason, _LONGEST), Style.PLAIN, "#checks")
    return (first, f"; {len(checks) - 1} more") if len(checks) > 1 else first
