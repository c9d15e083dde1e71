import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.protocols.best_threshold import best_threshold_accuracy


def test_by_hand():
    """Twenty impostors 0.00 to 0.19: the tenth that is tried is 0.18 and 0.19. At 0.18 one impostor is let in."""
    impostors = np.arange(20) / 100
    genuine = np.array([0.185, 0.187, 0.5, 0.6])
    scores, same = np.concatenate([impostors, genuine]), np.arange(24) >= 20
    result = best_threshold_accuracy(scores, same)
    assert result.threshold == 0.18
    assert result.accuracy == pytest.approx((19 + 4) / 24)
    assert result.protocol == "GhostFaceNets best threshold"


def test_equal_scores_are_rejected_and_lower_thresholds_are_not_tried():
    """A threshold of 0.5 would be perfect, but only the two highest impostors are tried."""
    scores = np.array([0.9] * 5 + [0.1] * 18 + [0.9, 0.95])
    same = np.arange(25) < 5
    result = best_threshold_accuracy(scores, same)
    assert result.threshold == 0.95
    assert result.accuracy == pytest.approx(20 / 25)


def test_needs_both_kinds():
    with pytest.raises(InputError, match="one kind"):
        best_threshold_accuracy(np.ones(3), np.ones(3, np.bool_))
