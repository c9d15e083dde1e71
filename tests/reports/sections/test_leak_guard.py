from ghostface_edge.reports.blocks import Reach
from ghostface_edge.reports.provenance import LeakGuard
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings, shown
from ghostface_edge.reports.sections.leak_guard import leak_guard


def _guarded(report: Report, guard: LeakGuard | None) -> Findings:
    calibration = report.data.calibration.model_copy(update={"leak_guard": guard})
    return Findings(report.model_copy(update={"data": report.data.model_copy(update={"calibration": calibration})}))


def test_what_was_found_and_who_was_left_out(report: Report) -> None:
    guard = LeakGuard(
        checked=("by name", "by embedding"),
        found=("Ada: by name", "Bea: by name"),
        allowed=("Bea",),
        excluded=("Ada",),
        stranger_bound=0.8312,
    )
    (section,) = shown(_guarded(report, guard), (leak_guard,), Reach.COMMENT)
    assert section.blocks[0].text == (
        "Calibration faces against pairs, by name, by embedding: 2 found; embeddings count as near-duplicates from a "
        "cosine of 0.831; left out of calibration: Ada; allowed by name: Bea."
    )


def test_nothing_found_is_for_the_page_only(report: Report) -> None:
    clean = _guarded(report, LeakGuard(checked=("by name",)))
    assert shown(clean, (leak_guard,), Reach.COMMENT) == []
    (section,) = shown(clean, (leak_guard,), Reach.PAGE)
    assert section.blocks[0].text == "Calibration faces against pairs, by name: nothing found."
    assert leak_guard(_guarded(report, None)) is None
