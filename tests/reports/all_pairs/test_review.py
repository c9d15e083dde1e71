import numpy as np

from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.operating_points import point_at
from ghostface_edge.reports.all_pairs.review import review
from ghostface_edge.reports.all_pairs.scores import compare_all
from ghostface_edge.reports.review import LISTED, reached

from .conftest import Drawn


def test_the_extreme_scores_are_those_of_the_whole_matrix(exact: Drawn) -> None:
    gallery = Gallery.of(exact.names, [("p000", "p001")])
    scores = compare_all(exact.reference, gallery)
    found = review(scores)
    rows = exact.reference.astype(np.float64) / np.linalg.norm(exact.reference, axis=1, keepdims=True)
    cosines, names = rows @ rows.T, np.array(exact.names)
    first, second = np.triu_indices(len(names), 1)
    same, one = names[first] == names[second], np.isin(names, ["p000", "p001"])
    strangers = ~same & ~(one[first] & one[second])
    assert len(found.impostor) == len(found.genuine) == LISTED
    assert [it.cosine for it in found.impostor] == sorted(cosines[first, second][strangers])[: -LISTED - 1 : -1]
    assert [it.cosine for it in found.genuine] == sorted(cosines[first, second][same])[:LISTED]
    for kind, listed in (("impostor", found.impostor), ("genuine", found.genuine)):
        for it in listed:
            assert it.cosine == cosines[it.images]
            assert it.names == tuple(names[list(it.images)])
            assert (it.names[0] == it.names[1]) == (kind == "genuine")
    assert found.thresholds == {fmr: point_at(scores, fmr).cosine for fmr in ("0.01", "0.001", "0.0001")}


def test_the_strictest_rate_that_takes_a_score_for_a_match() -> None:
    thresholds = {"0.01": 0.2, "0.001": 0.3, "0.0001": 0.4}
    found = [reached(cosine, thresholds) for cosine in (0.9, 0.4, 0.39, 0.2, 0.1)]
    assert found == ["0.0001", "0.0001", "0.001", "0.01", None]
    assert reached(0.9, {}) is None


def test_few_comparisons_are_all_listed() -> None:
    found = review(compare_all(np.eye(4, dtype=np.float32), Gallery.of(["a", "a", "b", "c"])))
    assert (len(found.impostor), len(found.genuine), found.thresholds) == (5, 1, {})
    nobody = review(compare_all(np.empty((0, 4), np.float32), Gallery.of([])))
    assert (nobody.impostor, nobody.genuine) == ((), ())
