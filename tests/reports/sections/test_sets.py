from ghostface_edge.reports.all_pairs.comparison import judge_all_pairs
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.other_sets import OtherSet, keep_thresholds
from ghostface_edge.reports.all_pairs.scores import compare_all
from ghostface_edge.reports.metrics import cosine_scores
from ghostface_edge.reports.renderings.html import render
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.transfer import transfer_thresholds

from ..conftest import Faces, make_faces


def two_sets(report: Report, *, known: bool) -> Report:
    """The report with a further set, whose images are known or not as those of the first."""
    few = make_faces(200, seed=4)

    def gallery(faces: Faces) -> Gallery:
        return Gallery.of([str(place // 2) for place in range(len(faces.embeddings))])

    wide, variants = make_faces(200), []
    scores = cosine_scores(wide.embeddings, wide.index)
    transfers = transfer_thresholds(scores, scores, wide.same)
    for noise, variant in enumerate(report.variants):
        first = judge_all_pairs(compare_all(wide.noisy(noise / 9), gallery(wide))) if known else None
        other = OtherSet(few.index, few.same, gallery(few) if known else None)
        kept = keep_thresholds(first, transfers, {"few": (other, few.noisy(noise / 9))})
        variants.append(variant.model_copy(update={"all_pairs": first, "thresholds": transfers, "one_threshold": kept}))
    further = report.data.pairs.model_copy(update={"name": "few", "count": 200})
    data = report.data.model_copy(update={"further_pairs": (further,)})
    return report.model_copy(update={"variants": tuple(variants), "data": data})


def test_every_set_at_the_threshold_of_the_first(report: Report) -> None:
    wide = two_sets(report, known=True)
    page = render(wide)
    assert "for a false-match rate of 1:1,000." in page
    assert "Chosen for 1:100:" in page
    row = wide.variants[1].one_threshold["few"]["0.001"]
    first = wide.variants[1].all_pairs
    assert first is not None
    assert f"{row.threshold:.4f}" in page
    assert f"{round(row.fmr * 79_600):,} of 79,600" in page
    assert f"{100 * row.fnmr:.2f}" in page
    assert f"{100 * first.fnmr_at_fmr['0.001'].fnmr:.2f}" in page


def test_by_pairs_where_nobody_is_known(report: Report) -> None:
    found = two_sets(report, known=False)
    page, (rate, row) = render(found), *found.variants[0].one_threshold["few"].items()
    transfer = found.variants[0].thresholds[rate]
    assert transfer is not None
    assert row.threshold == transfer.retuned.threshold
    assert f"{round(row.fmr * 100)} of 100" in page


def test_nothing_of_one_set(report: Report) -> None:
    assert "One threshold for all sets" not in render(report)
