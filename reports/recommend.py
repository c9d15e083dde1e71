"""Which file to ship on a device, and why not each of the others.

In: a report with its gate, and the name of a device. Out: a `Recommendation`. A file may ship there if it ran there, if
this host's checks hold for it, and if nothing was lost on the way; of those the fastest one ships, of equally fast
ones the smallest. Where a CPU is emulated no time counts, and instructions per face stand in for it.
"""

import math
from collections.abc import Sequence
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from ghostface_edge.reports import wording
from ghostface_edge.reports.devices import LOCAL
from ghostface_edge.reports.errors import ExitCode, InputError
from ghostface_edge.reports.gate import EXIT_CODES
from ghostface_edge.reports.measurement import Measurement
from ghostface_edge.reports.policy import Metric, Policy
from ghostface_edge.reports.record import AtLeastOne, Fraction, Positive, Record, Sha256, Text
from ghostface_edge.reports.report import Report, Verdict
from ghostface_edge.reports.variant import Status, Variant
from ghostface_edge.reports.variant_checks import place
from ghostface_edge.reports.verdicts import overall

_ALIKE: Final = 1.05
"""Costs within this factor are equal: runs differ by as much."""
_BEST_FIRST: Final = (Verdict.PASS, Verdict.INCONCLUSIVE)


class Yardstick(StrEnum):
    """What makes one file better than another."""

    TIME = "p50_ms"
    INSTRUCTIONS = "instructions_per_face"
    SIZE = "bytes"
    """Where neither is known."""


_MOST: Final = {
    Yardstick.TIME: "the fastest there",
    Yardstick.INSTRUCTIONS: "the fewest instructions there",
    Yardstick.SIZE: "the smallest",
}


class Considered(Record):
    """One file on the device, with what it was chosen by or left for."""

    variant: Text
    """Its id on this host."""
    verdict: Verdict
    """Of its evidence, here and there."""
    why: str
    path: Text | None = None
    sha256: Sha256 | None = None
    bytes: AtLeastOne | None = None
    accuracy: Fraction | None = None
    """This host's, on all pairs, as `fnmr`; what was lost on the way is judged."""
    fmr: Text | None = None
    fnmr: Fraction | None = None
    """At that false-match rate, of this host."""
    p50_ms: Positive | None = None
    instructions_per_face: Positive | None = None


class Recommendation(Record):
    """What to ship on one device."""

    device: Text
    verdict: Verdict
    """pass: the choice may ship; inconclusive: of no file it is settled whether it may; fail: none may."""
    by: Yardstick
    chosen: Considered | None
    others: tuple[Considered, ...]

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with."""
        return EXIT_CODES[self.verdict]


def recommend(report: Report, device: str) -> Recommendation:
    """Choose the file to ship on a device.

    Args:
        report: with the device's rows.
        device: its name; `local` is this host.

    Raises:
        InputError: nothing ran on a device of that name.
    """
    ran = list(dict.fromkeys(variant.device or LOCAL for variant in report.variants))
    if device not in ran:
        near = get_close_matches(device, ran, 1)
        known = f"give one of {', '.join(ran)}, or run on it with `ghostface-edge run --devices`"
        raise InputError(
            f"nothing in the report ran on {device!r}", fix=f"did you mean `{near[0]}`?" if near else known
        )
    return choose(device, considered(report, device))


def considered(report: Report, device: str) -> list[Considered]:
    """Every file of a report with what is known of it on a device."""
    rows = {variant.local_id: variant for variant in report.variants if (variant.device or LOCAL) == device}
    return [_judged(report, local, rows.get(local.id)) for local in report.local_variants]


def choose(device: str, judged: Sequence[Considered]) -> Recommendation:
    """Choose among files that were judged for a device."""
    verdict = next((one for one in _BEST_FIRST if any(file.verdict is one for file in judged)), Verdict.FAIL)
    able = [] if verdict is Verdict.FAIL else [file for file in judged if file.verdict is verdict]
    by = next((one for one in Yardstick if any(getattr(file, one) is not None for file in able)), Yardstick.SIZE)
    best = _best(able, by)
    return Recommendation(
        device=device,
        verdict=verdict,
        by=by,
        chosen=None if best is None else _because(best, _praise(best, able, by)),
        others=tuple(
            file if best is None or file not in able else _because(file, _beaten(file, best, by))
            for file in judged
            if file is not best
        ),
    )


def _judged(report: Report, local: Variant, row: Variant | None) -> Considered:
    """What is known of a file there, and what speaks against it."""
    verdict, why = _evidence(report, local, row)
    ran = row if row is not None and row.status is Status.OK else None
    known: dict[str, object] = {}
    if local.artifact is not None:
        known |= {"path": local.artifact.path, "sha256": local.artifact.sha256, "bytes": local.artifact.deployed_bytes}
    if local.all_pairs is not None and (fmr := local.all_pairs.lowest_told) is not None:
        known |= {"fmr": fmr, "fnmr": local.all_pairs.fnmr_at_fmr[fmr].fnmr}
    if local.accuracy is not None:
        known |= {"accuracy": local.accuracy.mean}
    if ran is not None:
        known |= {"instructions_per_face": ran.instructions_per_face}
        known |= {"p50_ms": None if ran.latency is None else ran.latency.p50_ms}
    return Considered.model_validate({"variant": local.id, "verdict": verdict, "why": why, **known})


def _evidence(report: Report, local: Variant, row: Variant | None) -> tuple[Verdict, str]:
    if row is None:
        return Verdict.FAIL, "did not run there"
    if row.status is not Status.OK:
        return Verdict.FAIL, wording.without_figures(row)
    if wording.is_comparison(report, local):
        return Verdict.FAIL, "kept for comparison"
    found = [("here", _of_the_gate(report, local))]
    if row is not local:
        found += [("there", _of_the_gate(report, row)), ("there", _loss(report, row))]
    verdict = overall([one for _, (one, _) in found])
    return verdict, "; ".join(f"{where}: {why}" for where, (one, why) in found if one is verdict and why)


def _of_the_gate(report: Report, variant: Variant) -> tuple[Verdict, str]:
    return wording.verdict_of(report, variant) or Verdict.INCONCLUSIVE, wording.objections(report, variant)


def _loss(report: Report, row: Variant) -> tuple[Verdict, str]:
    """What was lost on the way, by the default policy's limit where the report's own asked for none."""
    asked = any(check.variant == row.id and check.name == Metric.DEVICE_DROP for check in report.gate.checks)
    if asked or row.versus_local is None:
        return Verdict.PASS, ""
    (rule,) = (rule for rule in Policy.read().rules if rule.metric is Metric.DEVICE_DROP)
    lost = row.versus_local
    verdict = place(Measurement(rule.name, lost.drop_pp, "pp", lost.ci95_pp), rule)
    interval = wording.interval(lost.ci95_pp)
    return verdict, "" if verdict is Verdict.PASS else f"{lost.drop_pp:+.2f} pp lost ({interval})"


def _figure(file: Considered, by: Yardstick) -> float:
    figure = getattr(file, by)
    return math.inf if figure is None else float(figure)


def _best(able: Sequence[Considered], by: Yardstick) -> Considered | None:
    least = min((_figure(file, by) for file in able), default=0.0)
    alike = [file for file in able if _figure(file, by) <= _ALIKE * least]
    return min(alike, key=lambda file: (file.bytes or math.inf, _figure(file, by)), default=None)


def _because(file: Considered, reason: str) -> Considered:
    return file.model_copy(update={"why": f"{reason}; {file.why}" if file.why else reason})


def _praise(best: Considered, able: Sequence[Considered], by: Yardstick) -> str:
    if len(able) == 1:
        return f"the only one that may ship there: {cost(best, by)}"
    alike = any(file is not best and _figure(file, by) <= _ALIKE * _figure(best, by) for file in able)
    if alike and by is not Yardstick.SIZE:
        return f"{_MOST[by]} within 5 %, {cost(best, by)}, and the smallest of those"
    return f"{_MOST[by]}: {cost(best, by)}"


def _beaten(file: Considered, best: Considered, by: Yardstick) -> str:
    mine, least = _figure(file, by), _figure(best, by)
    if mine == math.inf:
        return "its cost there is not known"
    if by is not Yardstick.SIZE and mine <= _ALIKE * least:
        return f"costs the same within 5 %, but is larger: {cost(file, Yardstick.SIZE)}"
    return f"{cost(file, by)}, {mine / least:.2f} times that of {best.variant}"


def cost(file: Considered, by: Yardstick) -> str:
    """Write what a file costs; a dash where that is not known."""
    figure = getattr(file, by)
    if figure is None:
        return wording.MISSING
    match by:
        case Yardstick.TIME:
            return f"{figure:.2f} ms"
        case Yardstick.INSTRUCTIONS:
            return f"{figure / 1e6:.1f} M instructions per face"
        case Yardstick.SIZE:
            return f"{figure / 1000:,.0f} KB"
