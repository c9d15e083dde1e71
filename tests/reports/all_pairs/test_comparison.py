import numpy as np
import pytest

from ghostface_edge.reports.all_against_all import FMRS, HISTOGRAM_BINS, Support
from ghostface_edge.reports.all_pairs.comparison import judge_all_pairs
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.scores import compare_all

from .conftest import Drawn, cosines_by_hand, draw_people


def test_figures_are_those_of_a_count_by_hand(exact: Drawn) -> None:
    gallery = Gallery.of(exact.names, [("p000", "p001")])
    variant, reference = (compare_all(some, gallery) for some in (exact.variant, exact.reference))
    found = judge_all_pairs(variant, reference)
    merged = ["p000" if name == "p001" else name for name in exact.names]
    impostor, _ = cosines_by_hand(exact.variant, merged)
    _, genuine = cosines_by_hand(exact.variant, exact.names)
    _, before = cosines_by_hand(exact.reference, exact.names)
    assert (found.images, found.people) == (700, len(set(exact.names)))
    assert (found.genuine, found.impostor) == (len(genuine), len(impostor))
    assert found.genuine + found.impostor + found.ambiguous == 700 * 699 // 2
    assert found.ambiguous == exact.names.count("p000") * exact.names.count("p001")
    assert found.histogram is not None
    for kind, cosines in (("genuine", genuine), ("impostor", impostor)):
        assert getattr(found.histogram, kind) == tuple(np.histogram(cosines, HISTOGRAM_BINS, (-1, 1))[0])
    for fmr, row in found.fnmr_at_fmr.items():
        assert row.fmr == (impostor >= row.threshold).mean() <= float(fmr)
        assert row.fnmr == pytest.approx((genuine < row.threshold).mean())
        assert row.ci95[0] <= row.fnmr <= row.ci95[1]
        assert row.frozen is not None
        assert row.frozen.fmr == (impostor >= row.frozen.threshold).mean()
        assert row.frozen.fnmr == pytest.approx((genuine < row.frozen.threshold).mean())
        assert row.frozen.ci95 is not None
        assert row.frozen.ci95[0] <= row.frozen.fnmr <= row.frozen.ci95[1]
        rejected = (before < row.frozen.threshold).mean()
        assert row.rise_pp == pytest.approx(100 * (row.fnmr - rejected))
        assert row.frozen.rise_pp == pytest.approx(100 * (row.frozen.fnmr - rejected))


def test_what_the_images_cannot_tell_is_said(exact: Drawn) -> None:
    found = judge_all_pairs(compare_all(exact.reference, Gallery.of(exact.names)))
    assert [row.support for row in found.fnmr_at_fmr.values()] == [Support.FIGURE] * 2 + [Support.BOUND]
    assert [*found.fnmr_at_fmr, *found.not_answerable] == list(FMRS)
    assert found.not_answerable["0.000001"].endswith("more comparisons of different people are needed even for a bound")


def test_without_a_reference_nothing_is_said_of_a_rise(exact: Drawn) -> None:
    scores = compare_all(exact.variant, Gallery.of(exact.names))
    alone, against_itself = judge_all_pairs(scores), judge_all_pairs(scores, scores)
    for fmr, row in alone.fnmr_at_fmr.items():
        assert (row.rise_pp, row.rise_ci95_pp, row.frozen) == (None, None, None)
        beside = against_itself.fnmr_at_fmr[fmr]
        assert (row.fnmr, row.ci95, row.threshold) == (beside.fnmr, beside.ci95, beside.threshold)
        assert beside.rise_pp == 0


def test_a_noisier_model_rises() -> None:
    drawn = draw_people(0, 1_000)
    gallery = Gallery.of(drawn.names)
    worse, better = (compare_all(some, gallery) for some in (drawn.variant, drawn.reference))
    row, back = (judge_all_pairs(*pair).fnmr_at_fmr["0.01"] for pair in ((worse, better), (better, worse)))
    assert row.rise_ci95_pp is not None
    assert row.rise_ci95_pp[0] > 0
    assert back.rise_pp == pytest.approx(-(row.rise_pp or 0))
