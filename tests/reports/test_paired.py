import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from ghostface_edge.reports.discordant import detectable_drop, mcnemar, pairs_to_settle
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.metrics import cosine_scores, verification_accuracy
from ghostface_edge.reports.paired import compare


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (1, 0), (5, 5), (12, 3), (69, 34), (400, 10), (1_015, 723)])
def test_mcnemar_agrees_with_statsmodels(lost: int, gained: int) -> None:
    expected = statsmodels_mcnemar([[0, lost], [gained, 0]], exact=True).pvalue if lost + gained else 1.0
    assert mcnemar(lost, gained) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(gained, lost) == mcnemar(lost, gained)


def test_comparison_fits_the_accuracies(faces) -> None:
    embeddings = faces.noisy(1.2)
    variant, reference = (cosine_scores(rows, faces.index) for rows in (embeddings, faces.embeddings))
    versus = compare(variant, reference, faces.same, embeddings, faces.embeddings, seed=3)
    drop = verification_accuracy(reference, faces.same).mean - verification_accuracy(variant, faces.same).mean
    assert versus.drop_pp == pytest.approx(100 * drop, abs=1e-9)
    assert versus.drop_pp > 1
    assert versus.ci95_pp[0] < versus.drop_pp < versus.ci95_pp[1]
    assert versus.p_value == mcnemar(versus.lost_pairs, versus.flipped_pairs - versus.lost_pairs)
    assert versus.cosine_min <= versus.cosine_p01 <= versus.cosine_mean < 1
    assert versus == compare(variant, reference, faces.same, embeddings, faces.embeddings, seed=3)


def test_drop_with_uneven_folds_is_the_difference_of_means() -> None:
    rng = np.random.default_rng(0)
    same = rng.random(97) < 0.5
    reference, variant = same + rng.normal(0, 0.4, 97), same + rng.normal(0, 0.6, 97)
    embeddings = np.ones((3, 2), np.float32)
    versus = compare(variant, reference, same, embeddings, embeddings, seed=0)
    expected = verification_accuracy(reference, same).mean - verification_accuracy(variant, same).mean
    assert versus.drop_pp == pytest.approx(100 * expected, abs=1e-9)


def test_the_same_model_has_lost_nothing(faces) -> None:
    scores = cosine_scores(faces.embeddings, faces.index)
    versus = compare(scores, scores, faces.same, faces.embeddings, faces.embeddings, seed=0)
    assert (versus.drop_pp, versus.flipped_pairs, versus.p_value) == (0.0, 0, 1.0)
    assert versus.cosine_min == pytest.approx(1.0)
    assert versus.tar_drop_pp["0.001"] is not None
    assert versus.tar_drop_pp["0.001"].drop_pp == 0.0


def test_detectable_drop_has_its_power() -> None:
    rng = np.random.default_rng(0)
    pairs, share = 6_000, 0.01
    drop = detectable_drop(int(share * pairs), pairs) / 100
    lost = rng.binomial(pairs, (share + drop) / 2, 2_000)
    gained = rng.binomial(pairs, (share - drop) / 2, 2_000)
    shown = np.mean([mcnemar(*flips) < 0.05 for flips in zip(lost, gained, strict=True)])
    assert shown == pytest.approx(0.8, abs=0.05)


def test_pairs_to_settle() -> None:
    assert pairs_to_settle(0.5, 0.5, 10, 1_000) is None
    near, far = pairs_to_settle(0.7, 0.75, 40, 6_000), pairs_to_settle(0.1, 0.75, 40, 6_000)
    assert near is not None
    assert far is not None
    assert near > 100 * far


def test_unequal_shapes_are_refused() -> None:
    embeddings = np.ones((3, 2), np.float32)
    with pytest.raises(InputError, match=r"embeddings \(3, 2\) and \(2, 2\)"):
        compare(np.zeros(20), np.zeros(20), np.arange(20) % 2 == 0, embeddings, embeddings[:2], seed=0)
