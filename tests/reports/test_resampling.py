import numpy as np
import pytest

from ghostface_edge.reports.metrics import cosine_scores
from ghostface_edge.reports.resampling import bootstrap_drop, tar_drop


def _intervals_that_hold(pairs: int, per_cluster: int, lost: float, gained: float, trials: int) -> float:
    rng = np.random.default_rng(0)
    clusters = np.arange(pairs) // per_cluster
    weights = np.ones(pairs)
    held = 0
    for trial in range(trials):
        # a third of the people carry all the changes: pairs of one person are dependent
        fragile = (rng.random(pairs // per_cluster) < 1 / 3)[clusters] if per_cluster > 1 else np.full(pairs, 1 / 3)
        draw = rng.random(pairs)
        change = np.where(draw < 3 * lost * fragile, 1, np.where(draw > 1 - 3 * gained * fragile, -1, 0))
        low, high = bootstrap_drop(change, weights, clusters, seed=trial)
        held += low <= 100 * (lost - gained) <= high
    return held / trials


@pytest.mark.parametrize(("pairs", "per_cluster"), [(1_000, 1), (1_000, 4)])
def test_interval_covers_the_truth(pairs: int, per_cluster: int) -> None:
    assert 0.93 <= _intervals_that_hold(pairs, per_cluster, lost=0.02, gained=0.008, trials=500) <= 0.97


def test_no_flip_is_no_certainty() -> None:
    low, high = bootstrap_drop(np.zeros(60, int), np.ones(60), np.arange(60), seed=0)
    assert low < -2
    assert high > 2
    low, high = bootstrap_drop(np.zeros(6_000, int), np.ones(6_000), np.arange(6_000), seed=0)
    assert -0.06 < low < high < 0.06


def test_clusters_that_move_together_widen_the_interval() -> None:
    lost = (np.arange(6_000) // 10 % 10 == 0).astype(int)
    weights = np.ones(6_000)
    alone = np.diff(bootstrap_drop(lost, weights, np.arange(6_000), seed=0))
    together = np.diff(bootstrap_drop(lost, weights, np.arange(6_000) // 10, seed=0))
    assert together / alone == pytest.approx(np.sqrt(10), rel=0.1)


def test_tar_drop_resamples_what_it_measures(faces) -> None:
    reference = cosine_scores(faces.embeddings, faces.index)
    variant = cosine_scores(faces.noisy(1.6), faces.index)
    drop = tar_drop(variant, reference, faces.same, np.arange(2_000), far=0.01, seed=0)
    assert drop is not None
    assert drop.drop_pp > 3
    assert drop.ci95_pp[0] < drop.drop_pp < drop.ci95_pp[1]
