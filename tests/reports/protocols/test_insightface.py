import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.protocols.flip import flip_sum
from ghostface_edge.reports.protocols.insightface import insightface_accuracy, insightface_tar, squared_distances


def test_distances_by_hand():
    embeddings = np.array([[2, 0], [0, 3], [-1, 0]], np.float32)
    index = np.array([[0, 0], [0, 1], [0, 2]])
    assert squared_distances(embeddings, index) == pytest.approx([0, 2, 4])


def test_flip_sum():
    assert flip_sum(np.ones((2, 3), np.float32), np.full((2, 3), 2, np.float32)).tolist() == [[3, 3, 3]] * 2
    with pytest.raises(InputError, match="mirrored faces"):
        flip_sum(np.ones((2, 3), np.float32), np.ones((1, 3), np.float32))


def test_accuracy_by_hand():
    """Two folds of four. Fold 1 is judged at fold 2's threshold and the other way round.

    Fold 1: genuine 0.50 and 0.90, impostors 1.00 and 1.50; its first best threshold is 0.91.
    Fold 2: genuine 0.60 and 1.20, impostors 1.30 and 0.95; 0.61 gets three of four right, none gets four.
    """
    distances = np.array([0.50, 0.90, 1.00, 1.50, 0.60, 1.20, 1.30, 0.95])
    same = np.array([True, True, False, False] * 2)
    result = insightface_accuracy(distances, same, folds=2)
    assert result.thresholds == pytest.approx((0.61, 0.91))
    assert result.folds == (0.75, 0.75)
    assert (result.mean, result.standard_deviation) == (0.75, 0.0)
    assert result.protocol == "InsightFace 10-fold"


def test_the_comparison_is_strict_and_the_deviation_is_the_populations():
    distances = np.array([1.0, 3.0, 1.0, 3.0, 1.0, 1.0])
    same = np.array([True, False, True, False, True, False])
    result = insightface_accuracy(distances, same, folds=3)
    # above 1.00 the first threshold that accepts 1.0 is 1.01; for the last fold the others agree on it too
    assert result.thresholds == pytest.approx((1.01, 1.01, 1.01))
    assert result.folds == (1.0, 1.0, 0.5)
    assert result.standard_deviation == pytest.approx(np.sqrt(2) / 6)


def test_tar_interpolates_between_thresholds():
    """Both training folds hold impostors at 1.0006 and 2.0006: half of them below 1.001, so FAR 0.5 is met at 1.001."""
    distances = np.array([0.5, 1.0006, 1.0006, 2.0006] * 2)
    same = np.array([True, True, False, False] * 2)
    result = insightface_tar(distances, same, 0.5, folds=2)
    assert (result.mean, result.standard_deviation) == (1.0, 0.0)
    assert result.far == 0.5
    # a quarter: half of the way from 1.000 to 1.001, and 1.0006 lies above 1.0005
    assert insightface_tar(distances, same, 0.25, folds=2) is None
    four = np.concatenate([distances[:4], [1.0006, 2.0006], distances[4:], [1.0006, 2.0006]])
    labels = np.concatenate([same[:4], [False, False], same[4:], [False, False]])
    quarter = insightface_tar(four, labels, 0.25, folds=2)
    assert quarter.mean == 0.5
    assert quarter.far == 0.0


def test_tar_refuses_what_the_impostors_cannot_support():
    distances = np.linspace(0, 2, 40)
    same = np.tile([True, False], 20)
    assert insightface_tar(distances, same, 1 / 18) is not None
    assert insightface_tar(distances, same, 1 / 19) is None


def test_agrees_with_an_independent_loop():
    rng = np.random.default_rng(3)
    same = np.tile([True, True, False, False], 25)
    distances = np.where(same, rng.normal(1.1, 0.3, 100), rng.normal(1.6, 0.3, 100)).clip(0, 4)
    thresholds = np.arange(0, 4, 0.01)
    expected = []
    for fold in range(10):
        test = np.zeros(100, np.bool_)
        test[fold * 10 : fold * 10 + 10] = True
        counts = [((distances[~test] < threshold) == same[~test]).sum() for threshold in thresholds]
        expected.append(((distances[test] < thresholds[np.argmax(counts)]) == same[test]).mean())
    result = insightface_accuracy(distances, same)
    assert result.folds == pytest.approx(expected)
    assert result.mean == pytest.approx(np.mean(expected))
    assert result.standard_deviation == pytest.approx(np.std(expected))
