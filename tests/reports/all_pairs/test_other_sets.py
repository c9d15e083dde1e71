import numpy as np
import pytest

from ghostface_edge.reports.all_pairs.comparison import judge_all_pairs
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.other_sets import OtherSet, keep_thresholds
from ghostface_edge.reports.all_pairs.scores import compare_all
from ghostface_edge.reports.metrics import cosine_scores
from ghostface_edge.reports.transfer import transfer_thresholds

from ..conftest import make_faces
from .conftest import Drawn, cosines_by_hand

FEW = make_faces(200, seed=4)


def halves(drawn: Drawn) -> tuple[Drawn, Drawn]:
    """Two sets of other people each."""
    first = [number for number, name in enumerate(drawn.names) if name < "p080"]
    second = [number for number, name in enumerate(drawn.names) if name >= "p080"]
    return tuple(  # type: ignore[return-value]
        Drawn([drawn.names[place] for place in half], drawn.reference[half], drawn.variant[half])
        for half in (first, second)
    )


def test_equal_to_a_count_by_hand_over_all_images(exact: Drawn) -> None:
    chosen_on, other = halves(exact)
    first = judge_all_pairs(compare_all(chosen_on.variant, Gallery.of(chosen_on.names)))
    known = OtherSet(np.zeros((0, 2), np.int64), np.zeros(0, np.bool_), Gallery.of(other.names))
    found = keep_thresholds(first, {}, {"other": (known, other.variant)})["other"]
    assert {*found} == {fmr for fmr, row in first.fnmr_at_fmr.items() if row.support == "figure"}
    assert len(found) >= 2
    impostor, genuine = cosines_by_hand(other.variant, other.names)
    for fmr, row in found.items():
        assert row.threshold == first.fnmr_at_fmr[fmr].threshold
        assert (row.genuine, row.impostor) == (len(genuine), len(impostor))
        assert row.fmr * len(impostor) == pytest.approx((impostor >= row.threshold).sum(), abs=1e-6)
        assert row.fnmr * len(genuine) == pytest.approx((genuine < row.threshold).sum(), abs=1e-6)


@pytest.mark.parametrize("first_known", [True, False])
def test_by_pairs_where_nobody_is_known(exact: Drawn, first_known: bool) -> None:
    """Also where the other set is known and the first is not: a threshold of pairs is none of all images."""
    first = judge_all_pairs(compare_all(exact.variant, Gallery.of(exact.names))) if first_known else None
    scores = cosine_scores(FEW.embeddings, FEW.index)
    transfers = transfer_thresholds(scores, scores, FEW.same)
    gallery = None if first_known else Gallery.of([str(place // 2) for place in range(len(FEW.embeddings))])
    other = OtherSet(FEW.index, FEW.same, gallery)
    found = keep_thresholds(first, transfers, {"few": (other, FEW.embeddings)})["few"]
    assert found
    for rate, row in found.items():
        transfer = transfers[rate] if not first_known else None
        assert (row.genuine, row.impostor) == (100, 100)
        assert row.fmr == (scores[~FEW.same] >= row.threshold).sum() / 100
        assert row.fnmr == (scores[FEW.same] < row.threshold).sum() / 100
        if transfer is not None:
            assert (row.threshold, row.fmr, row.fnmr) == (
                transfer.retuned.threshold,
                transfer.retuned.far,
                transfer.retuned.frr,
            )


def test_nothing_where_the_first_set_supports_no_figure() -> None:
    first = judge_all_pairs(compare_all(np.eye(9, dtype=np.float32), Gallery.of(list("aabbccdde"))))
    other = OtherSet(FEW.index, FEW.same, None)
    assert keep_thresholds(first, {}, {"few": (other, FEW.embeddings)}) == {}
