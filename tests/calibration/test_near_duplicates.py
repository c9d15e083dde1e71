import numpy as np
import pytest

from ghostface_edge.calibration.near_duplicates import nearest_faces, stranger_bound


def strangers(dimensions: int, pairs: int, seed: int = 0) -> np.ndarray:
    """Cosines of random directions: the fewer dimensions, the more alike strangers are."""
    rng = np.random.default_rng(seed)
    half = (dimensions - 1) / 2  # a cosine of random directions is a beta variable, stretched to [-1, 1]
    return 2 * rng.beta(half, half, pairs) - 1


@pytest.mark.parametrize("dimensions", [24, 64, 256])
def test_strangers_stay_below_the_bound_that_another_sample_of_them_gave(dimensions: int) -> None:
    bound = stranger_bound(strangers(dimensions, 3000), 10**6)
    assert bound is not None
    assert strangers(dimensions, 10**6, seed=1).max() < bound < 1


def test_a_network_that_tells_people_apart_less_well_gets_a_higher_bound() -> None:
    bounds = [stranger_bound(strangers(dimensions, 3000), 10**6) or 0 for dimensions in (256, 64, 24, 8)]
    assert bounds == sorted(bounds)


def test_more_comparisons_raise_the_bound() -> None:
    scores = strangers(64, 3000)
    bounds = [stranger_bound(scores, count) or 0 for count in (10, 10**4, 10**7)]
    assert bounds == sorted(set(bounds))


@pytest.mark.parametrize("scores", [strangers(64, 299), np.zeros(1000), np.ones(1000)])
def test_scores_that_say_nothing_give_no_bound(scores: np.ndarray) -> None:
    assert stranger_bound(scores, 10) is None


def test_nearest() -> None:
    rng = np.random.default_rng(3)
    own, others = rng.normal(size=(300, 8)).astype(np.float32), rng.normal(size=(20, 8)).astype(np.float32)
    others[5] = 7 * own[299]
    found = nearest_faces(own, others)
    assert (found.place[299], found.cosine[299]) == (5, pytest.approx(1))
