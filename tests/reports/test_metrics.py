import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import (
    best_threshold,
    cosine_scores,
    cosines,
    roc,
    tar_at_far,
    threshold_at_far,
    verification_accuracy,
)

# few distinct values, so that ties are the rule
_TIED_SCORES = hnp.arrays(np.float64, st.integers(20, 60), elements=st.integers(-4, 4).map(lambda step: step / 4))


def _labels(count: int) -> np.ndarray:
    return np.arange(count) % 3 == 0


def test_separable_scores_are_perfect() -> None:
    same = _labels(60)
    accuracy = verification_accuracy(np.where(same, 0.8, 0.1), same)
    assert (accuracy.mean, accuracy.standard_error, accuracy.auc, accuracy.eer) == (1.0, 0.0, 1.0, 0.0)
    assert accuracy.threshold == pytest.approx(0.45)


def test_view_2_by_hand() -> None:
    # the first fold is cut between 0.35 and 0.7, which loses 0.4; the second between 0.2 and 0.4, which lets 0.35 in
    scores = np.array([0.9, 0.4, 0.1, 0.2, 0.8, 0.7, 0.35, 0.2])
    same = np.array([True, True, False, False, True, True, False, False])
    accuracy = verification_accuracy(scores, same, folds=2)
    assert accuracy.folds == (0.75, 0.75)
    assert accuracy.mean == 0.75
    assert accuracy.standard_error == 0.0


@given(_TIED_SCORES)
def test_roc_counts_what_each_threshold_accepts(scores: np.ndarray) -> None:
    same = _labels(len(scores))
    far, tar, thresholds = roc(scores, same)
    assert thresholds.tolist() == [np.inf, *np.unique(scores)[::-1]]
    np.testing.assert_allclose(far, [(scores[~same] >= threshold).mean() for threshold in thresholds], atol=1e-12)
    np.testing.assert_allclose(tar, [(scores[same] >= threshold).mean() for threshold in thresholds], atol=1e-12)


@given(_TIED_SCORES)
def test_auc_is_mann_whitney(scores: np.ndarray) -> None:
    same = _labels(len(scores))
    statistic = stats.mannwhitneyu(scores[same], scores[~same]).statistic / (same.sum() * (~same).sum())
    assert verification_accuracy(scores, same).auc == pytest.approx(statistic, abs=1e-12)


@given(_TIED_SCORES)
def test_no_threshold_is_better(scores: np.ndarray) -> None:
    same = _labels(len(scores))
    best = ((scores >= best_threshold(scores, same)) == same).sum()
    candidates = [*np.unique(scores), scores.max() + 1]
    assert best == max(((scores >= threshold) == same).sum() for threshold in candidates)


@given(_TIED_SCORES, st.sampled_from([0.1, 0.25, 0.5]))
def test_threshold_at_far_keeps_its_promise(scores: np.ndarray, far: float) -> None:
    same = _labels(len(scores))
    threshold = threshold_at_far(scores, same, far)
    assert threshold is not None
    assert (scores[~same] >= threshold).mean() <= far
    lower = scores[scores < threshold]
    if len(lower):
        assert (scores[~same] >= lower.max()).mean() > far
    assert tar_at_far(scores, same, far) == (scores[same] >= threshold).mean()


def test_far_needs_one_impostor() -> None:
    scores = np.linspace(0, 1, 2_000)
    same = np.arange(2_000) >= 1_001
    assert tar_at_far(scores, same, 0.001) == 1.0
    assert tar_at_far(scores[2:], same[2:], 0.001) is None
    accuracy = verification_accuracy(scores[2:], same[2:])
    assert accuracy.tar_at_far == {"0.01": 1.0, "0.001": None}


def test_eer_on_the_polyline() -> None:
    # accepting 2 of 4 impostors takes all genuine pairs, accepting 1 takes 3 of 4
    scores = np.array([0.9, 0.8, 0.7, 0.4, 0.75, 0.5, 0.2, 0.1])
    same = np.array([True] * 4 + [False] * 4)
    assert verification_accuracy(scores, same, folds=2).eer == pytest.approx(0.25)


def test_order_of_ties_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    scores, same = rng.integers(0, 5, 400) / 5, rng.random(400) < 0.5
    shuffled = np.concatenate([fold[rng.permutation(40)] for fold in np.arange(400).reshape(10, 40)])
    assert verification_accuracy(scores, same) == verification_accuracy(scores[shuffled], same[shuffled])


def test_cosines() -> None:
    embeddings = np.array([[3, 4], [4, 3], [-30, -40]], np.float32)
    np.testing.assert_allclose(cosine_scores(embeddings, np.array([[0, 1], [0, 2]])), [0.96, -1.0], atol=1e-12)
    np.testing.assert_allclose(cosines(embeddings[[0, 0]], embeddings[1:3]), [0.96, -1.0], atol=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_embeddings_without_direction_are_named(value: float) -> None:
    embeddings = np.ones((5, 4), np.float32)
    embeddings[3] = value
    with pytest.raises(InputError, match="1 of 5 embeddings are zero or not finite, the first is row 3"):
        cosine_scores(embeddings, np.array([[0, 1]]))


@pytest.mark.parametrize(
    ("scores", "same", "message"),
    [
        (np.array([]), np.array([], bool), "there are no pairs"),
        (np.full(20, np.nan), np.arange(20) % 2 == 0, "20 of 20 scores are not finite"),
        (np.zeros(20), np.ones(20, bool), "20 of 20 pairs are of one person"),
        (np.zeros(20), np.ones(19, bool), r"\(20,\) scores for \(19,\) pairs"),
    ],
)
def test_what_cannot_be_judged_is_refused(scores: np.ndarray, same: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        verification_accuracy(scores, same)
