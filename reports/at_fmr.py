"""What a policy's rule says at a false-match rate: its figure, or what is missing.

In: a rule with `fmr`, and a variant's comparisons of all images, where there are some. A rate that is only bounded has
a threshold stricter than it asks for: there the false matches are at most as many as it allows, and the false
non-matches at least as many as it costs. A rise is a difference of two such, and is not bounded at all.
"""

from ghostface_edge.reports.all_against_all import FMRS, AllPairs, FnmrAtFmr, Support, missing, spelt
from ghostface_edge.reports.measurement import Measurement
from ghostface_edge.reports.policy import LOWEST, Metric, Rule, Threshold

_BOUND = "a bound by the rule of 3"


def at_a_rate(rule: Rule, found: AllPairs | None) -> Rule:
    """Name the rate where a rule asks for the lowest that is a figure; the rule as it is where none is."""
    if rule.fmr != LOWEST or found is None:
        return rule
    lowest = found.lowest_told
    is_figure = lowest is not None and found.fnmr_at_fmr[lowest].support is Support.FIGURE
    return rule.model_copy(update={"fmr": lowest}) if is_figure else rule


def figure_at_fmr(rule: Rule, found: AllPairs | None) -> Measurement | None:
    """A rule's figure; None where the comparisons do not tell."""
    fmr = rule.fmr or LOWEST
    row = None if found is None else found.fnmr_at_fmr.get(fmr)
    if row is None:
        return None
    if rule.metric is Metric.FNMR:
        return _fnmr(row, rule, fmr)
    if rule.metric is Metric.FMR:
        return _fmr(row, rule, fmr)
    return _rise(row, rule, fmr)


def absence(rule: Rule, found: AllPairs | None) -> str:
    """Say why there is no figure."""
    if found is None:
        return "needs to know who is on the images"
    fmr = rule.fmr or LOWEST
    if fmr == LOWEST:
        lacks = missing(FMRS[0], found.genuine, found.impostor, Support.FIGURE)
        return f"has no figure at any false-match rate: {lacks} at {spelt(FMRS[0])}"
    if fmr in found.not_answerable:
        return f"is not answerable: {found.not_answerable[fmr]}"
    if found.fnmr_at_fmr[fmr].support is Support.BOUND:
        return f"is not answerable: {lacking(rule, found)}"
    return "was not measured"


def lacking(rule: Rule, found: AllPairs | None) -> str:
    """Say what a figure that does not settle its limit lacks."""
    fmr = rule.fmr or LOWEST
    if found is not None and fmr in found.fnmr_at_fmr and found.fnmr_at_fmr[fmr].support is Support.BOUND:
        return missing(fmr, found.genuine, found.impostor, Support.FIGURE)
    return "too few people to tell"


def _fnmr(row: FnmrAtFmr, rule: Rule, fmr: str) -> Measurement | None:
    """At a threshold that is too strict, more is rejected than the rate asks for."""
    part = row.frozen if rule.threshold is Threshold.FROZEN else row
    if part is None or part.ci95 is None:
        return None
    name = f"{_place(rule, fmr)}: FNMR"
    if row.support is Support.BOUND:
        return Measurement(name, part.fnmr, "", (0.0, part.ci95[1]), _BOUND)
    return Measurement(name, part.fnmr, "", part.ci95)


def _fmr(row: FnmrAtFmr, rule: Rule, fmr: str) -> Measurement | None:
    """What the threshold gives on these images; of the reference's, no bound is known on another model."""
    name, bound = f"{_place(rule, fmr)}: FMR", row.support is Support.BOUND
    if rule.threshold is Threshold.FROZEN:
        return None if bound or row.frozen is None else Measurement(name, row.frozen.fmr)
    return Measurement(name, row.fmr, "", (0.0, float(fmr)), _BOUND) if bound else Measurement(name, row.fmr)


def _rise(row: FnmrAtFmr, rule: Rule, fmr: str) -> Measurement | None:
    part = row.frozen if rule.threshold is Threshold.FROZEN else row
    if row.support is Support.BOUND or part is None or part.rise_pp is None:
        return None
    return Measurement(f"{_place(rule, fmr)}: rise of FNMR", part.rise_pp, "pp", part.rise_ci95_pp)


def _place(rule: Rule, fmr: str) -> str:
    whose = "the reference's" if rule.threshold is Threshold.FROZEN else "the"
    return f"at {whose} threshold for FMR {spelt(fmr)}"
