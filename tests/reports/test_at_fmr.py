"""Limits at a false-match rate: figure, bound, or what is missing."""

import pytest

from ghostface_edge.reports.all_against_all import FMRS, AllPairs, FnmrAtFmr, FrozenThreshold, Support, missing
from ghostface_edge.reports.explain import explain
from ghostface_edge.reports.gate import judge
from ghostface_edge.reports.policy import Policy
from ghostface_edge.reports.renderings import markdown
from ghostface_edge.reports.renderings.html import render
from ghostface_edge.reports.report import Check, Gate, Report, Variant, Verdict

GENUINE, IMPOSTOR = 600, 300_000
"""A figure down to 1:10,000, a bound at 1:100,000, nothing below."""


def _row(fmr: str, support: Support, fnmr: float, rise_pp: float) -> FnmrAtFmr:
    frozen = FrozenThreshold(
        threshold=0.4,
        fmr=2.5 * float(fmr),
        fnmr=fnmr / 2,
        ci95=(fnmr / 2 - 0.01, fnmr / 2 + 0.01),
        rise_pp=2 * rise_pp,
        rise_ci95_pp=(2 * rise_pp - 1, 2 * rise_pp),
    )
    return FnmrAtFmr(
        support=support,
        threshold=0.4,
        fmr=float(fmr) / 2,
        fnmr=fnmr,
        ci95=(fnmr - 0.02, fnmr + 0.02),
        rise_pp=rise_pp,
        rise_ci95_pp=(rise_pp - 0.5, rise_pp + 0.5),
        frozen=frozen,
    )


def known(genuine: int = GENUINE, impostor: int = IMPOSTOR, rise_pp: float = 1.0) -> AllPairs:
    """FNMR 6, 8, 10 … % at 1e-2, 1e-3, 1e-4 …, as far as so many comparisons tell."""
    supports = {fmr: Support.of(fmr, genuine, impostor) for fmr in FMRS}
    rows = {
        fmr: _row(fmr, support, 0.06 + 0.02 * at, rise_pp)
        for at, (fmr, support) in enumerate(supports.items())
        if support is not Support.NOTHING
    }
    nothing = {fmr: missing(fmr, genuine, impostor) for fmr in FMRS if fmr not in rows}
    counts = {"images": 1200, "people": 600, "genuine": genuine, "impostor": impostor}
    return AllPairs(**counts, eer=0.01, fnmr_at_fmr=rows, not_answerable=nothing)


def with_all_pairs(variants: list[Variant], found: AllPairs) -> list[Variant]:
    return [variant.model_copy(update={"all_pairs": found}) for variant in variants]


def _policy(**rule: object) -> Policy:
    rules = [{"variants": "onnxruntime-int8", **rule}]
    return Policy.model_validate({"schema_version": 1, "name": "test", "rules": rules})


def _judged(variants: list[Variant], **rule: object) -> Check:
    (check,) = [check for check in judge(variants, _policy(**rule)).checks if check.name.startswith(("fmr", "fnmr"))]
    return check


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [(0.13, Verdict.PASS), (0.11, Verdict.INCONCLUSIVE), (0.09, Verdict.INCONCLUSIVE), (0.07, Verdict.FAIL)],
)
def test_a_figure_is_judged_by_its_interval(variants: list[Variant], limit: float, verdict: Verdict) -> None:
    check = _judged(with_all_pairs(variants, known()), metric="fnmr_at_fmr", fmr="0.0001", max=limit)
    assert (check.name, check.measured, check.verdict) == ("fnmr_at_fmr@0.0001", pytest.approx(0.10), verdict)
    assert check.ci95 == pytest.approx((0.08, 0.12))
    assert "at the threshold for FMR 1:10,000: FNMR 0.1 [0.08, 0.12]" in check.reason
    assert ("too few people to tell" in check.reason) == (verdict is Verdict.INCONCLUSIVE)


def test_a_bound_shows_that_fnmr_is_low_but_never_that_it_is_high(variants: list[Variant]) -> None:
    identified = with_all_pairs(variants, known())
    low = _judged(identified, metric="fnmr_at_fmr", fmr="0.00001", max=0.15)
    assert (low.verdict, low.ci95) == (Verdict.PASS, pytest.approx((0.0, 0.14)))
    assert "a bound by the rule of 3" in low.reason
    high = _judged(identified, metric="fnmr_at_fmr", fmr="0.00001", max=0.01)
    assert high.verdict is Verdict.INCONCLUSIVE
    assert high.reason.endswith("; 2,700,000 more comparisons of different people are needed for a figure")


def test_a_rise_between_two_bounds_is_not_known(variants: list[Variant]) -> None:
    check = _judged(with_all_pairs(variants, known()), metric="fnmr_rise_pp", fmr="0.00001", max=99)
    assert (check.measured, check.verdict) == (None, Verdict.INCONCLUSIVE)
    assert "is not answerable: 2,700,000 more comparisons of different people are needed for a figure" in check.reason


def test_a_rate_that_nothing_supports_says_what_is_missing(variants: list[Variant]) -> None:
    identified = with_all_pairs(variants, known())
    for metric in ("fmr", "fnmr_at_fmr", "fnmr_rise_pp"):
        check = _judged(identified, metric=metric, fmr="0.000001", max=99)
        assert (check.measured, check.verdict) == (None, Verdict.INCONCLUSIVE)
        assert "is not answerable: 2,700,000 more comparisons of different people are needed even" in check.reason


def test_without_names_nothing_is_known(variants: list[Variant]) -> None:
    check = _judged(variants, metric="fnmr_rise_pp", fmr="lowest", max=99)
    assert (check.name, check.verdict) == ("fnmr_rise_pp@lowest", Verdict.INCONCLUSIVE)
    assert "fnmr_rise_pp@lowest needs to know who is on the images, limit <= 99" in check.reason


def test_the_lowest_rate_is_the_lowest_that_is_a_figure_and_it_is_named(variants: list[Variant]) -> None:
    check = _judged(with_all_pairs(variants, known()), metric="fnmr_rise_pp", fmr="lowest", max=3)
    assert (check.name, check.measured, check.verdict) == ("fnmr_rise_pp@0.0001", 1.0, Verdict.PASS)
    assert "at the threshold for FMR 1:10,000: rise of FNMR 1 pp [0.5, 1.5], limit <= 3 pp" in check.reason


def test_without_a_reference_there_is_no_rise(variants: list[Variant]) -> None:
    found = known()
    alone = found.fnmr_at_fmr["0.0001"].model_copy(update={"rise_pp": None, "rise_ci95_pp": None, "frozen": None})
    identified = with_all_pairs(variants, found.model_copy(update={"fnmr_at_fmr": {"0.0001": alone}}))
    for rule in ({"metric": "fnmr_rise_pp"}, {"metric": "fnmr_rise_pp", "threshold": "frozen"}):
        check = _judged(identified, fmr="0.0001", max=99, **rule)
        assert (check.measured, check.verdict) == (None, Verdict.INCONCLUSIVE)
        assert "was not measured" in check.reason
    for metric in ("fmr", "fnmr_at_fmr"):
        assert _judged(identified, metric=metric, fmr="0.0001", max=1).verdict is Verdict.PASS
        kept = _judged(identified, metric=metric, fmr="0.0001", threshold="frozen", max=1)
        assert (kept.measured, kept.verdict) == (None, Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("genuine", "impostor", "lacks"),
    [(29, 10**6, "1 more comparisons of a person with itself"), (600, 2_999, "1 more comparisons of different people")],
)
def test_too_few_for_any_figure(variants: list[Variant], genuine: int, impostor: int, lacks: str) -> None:
    check = _judged(with_all_pairs(variants, known(genuine, impostor)), metric="fnmr_rise_pp", fmr="lowest", max=99)
    assert (check.name, check.verdict) == ("fnmr_rise_pp@lowest", Verdict.INCONCLUSIVE)
    assert f"has no figure at any false-match rate: {lacks}" in check.reason
    assert " at 1:100, limit" in check.reason


def test_the_references_threshold_kept(variants: list[Variant]) -> None:
    identified = with_all_pairs(variants, known())
    rise = _judged(identified, metric="fnmr_rise_pp", fmr="0.0001", threshold="frozen", max=3)
    assert (rise.name, rise.measured, rise.ci95) == ("fnmr_rise_pp@0.0001 frozen", 2.0, (1.0, 2.0))
    assert "at the reference's threshold for FMR 1:10,000: rise of FNMR 2 pp" in rise.reason
    share = _judged(identified, metric="fnmr_at_fmr", fmr="0.0001", threshold="frozen", max=0.061)
    assert (share.measured, share.ci95, share.verdict) == (0.05, pytest.approx((0.04, 0.06)), Verdict.PASS)
    low = _judged(identified, metric="fnmr_at_fmr", fmr="0.00001", threshold="frozen", max=0.08)
    assert (low.ci95, low.verdict) == (pytest.approx((0.0, 0.07)), Verdict.PASS)
    rate = _judged(identified, metric="fmr", fmr="0.0001", threshold="frozen", max=0.0001)
    assert (rate.measured, rate.verdict) == (pytest.approx(2.5e-4), Verdict.FAIL)
    bound = _judged(identified, metric="fmr", fmr="0.00001", threshold="frozen", max=1)
    assert (bound.measured, bound.verdict) == (None, Verdict.INCONCLUSIVE)


def test_a_false_match_rate_is_what_the_threshold_gives_or_what_the_bound_excludes(variants: list[Variant]) -> None:
    identified = with_all_pairs(variants, known())
    figure = _judged(identified, metric="fmr", fmr="0.0001", max=0.0001)
    assert (figure.measured, figure.ci95, figure.verdict) == (pytest.approx(5e-5), None, Verdict.PASS)
    bound = _judged(identified, metric="fmr", fmr="0.00001", max=0.00002)
    assert (bound.ci95, bound.verdict) == ((0.0, 1e-5), Verdict.PASS)
    # five false matches in a million were seen, but the rule of 3 excludes no less than the rate asked for
    strict = _judged(identified, metric="fmr", fmr="0.00001", max=0.000006)
    assert strict.verdict is Verdict.INCONCLUSIVE


def test_against_the_variants_of_an_earlier_release(report: Report) -> None:
    before, now = (
        report.model_copy(update={"variants": tuple(with_all_pairs(list(report.variants), known(rise_pp=rise)))})
        for rise in (1.0, 4.0)
    )
    policy = _policy(metric="fnmr_rise_pp", fmr="lowest", relative_to="baseline", max=1)
    gate = judge(now.variants, policy, data=now.data, baseline=before)
    (check,) = [check for check in gate.checks if check.name.startswith(("fmr", "fnmr"))]
    assert (check.name, check.measured, check.verdict) == ("fnmr_rise_pp@0.0001 vs baseline", 3.0, Verdict.FAIL)
    gate = judge(now.variants, policy, data=now.data, baseline=report)
    (check,) = [check for check in gate.checks if check.name.startswith(("fmr", "fnmr"))]
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "is not in a comparable baseline" in check.reason


def _default(variants: list[Variant]) -> tuple[Gate, list[Check]]:
    gate = judge(variants)
    return gate, [check for check in gate.checks if check.name.startswith("fnmr") and check.variant.endswith("int8")]


@pytest.mark.parametrize(("rise_pp", "verdict"), [(2.4, Verdict.PASS), (2.6, Verdict.INCONCLUSIVE), (4, Verdict.FAIL)])
def test_the_default_policy_judges_int8_where_a_lock_works(
    variants: list[Variant], rise_pp: float, verdict: Verdict
) -> None:
    gate, (check,) = _default(with_all_pairs(variants, known(rise_pp=rise_pp)))
    assert (check.name, check.verdict, gate.verdict) == ("fnmr_rise_pp@0.0001", verdict, verdict)
    assert gate.not_judged == ()


def test_where_nobody_is_known_the_default_rule_is_left_out_and_it_is_said(report: Report) -> None:
    gate, checks = _default(list(report.variants))
    assert (checks, gate.not_judged, gate.verdict) == ([], ("fnmr_rise_pp@lowest",), Verdict.PASS)
    said = "Not judged, since it is not known who is on the images: fnmr_rise_pp@lowest"
    judged = report.model_copy(update={"gate": gate})
    assert said in explain(gate)
    assert said.replace("_", r"\_") in markdown.render(judged)
    assert said in render(judged)
    identified = judge(with_all_pairs(list(report.variants), known()))
    assert "Not judged" not in explain(identified)
