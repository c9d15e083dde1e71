import numpy as np
import pytest

from ghostface_edge.reports.metrics import cosine_scores
from ghostface_edge.reports.transfer import operating_point, transfer_thresholds


def test_a_shifted_model_breaks_a_frozen_threshold(faces) -> None:
    reference = cosine_scores(faces.embeddings, faces.index)
    transfer = transfer_thresholds(reference + 0.1, reference, faces.same)["0.01"]
    assert transfer is not None
    assert transfer.reference.far <= 0.01
    assert transfer.frozen.threshold == transfer.reference.threshold
    assert transfer.frozen.far > transfer.reference.far
    assert transfer.frozen.frr < transfer.reference.frr
    # a shift loses nothing once the threshold follows it
    assert transfer.retuned.threshold == pytest.approx(transfer.reference.threshold + 0.1)
    assert (transfer.retuned.far, transfer.retuned.frr) == (transfer.reference.far, transfer.reference.frr)


def test_too_few_impostors() -> None:
    scores, same = np.linspace(0, 1, 400), np.arange(400) % 2 == 0
    transfer = transfer_thresholds(scores, scores, same)
    assert transfer["0.001"] is None
    assert transfer["0.01"] is not None


def test_operating_point_counts() -> None:
    point = operating_point(np.array([0.9, 0.2, 0.6, 0.1]), np.array([True, True, False, False]), 0.5)
    assert (point.far, point.frr) == (0.5, 0.5)
