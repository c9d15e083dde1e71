import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostface_edge.calibration.similarity import (
    ARCFACE_TEMPLATE,
    DegenerateLandmarksError,
    align,
    similarity_transform,
)


def moved(points, scale, degrees, shift):
    angle = np.deg2rad(degrees)
    rotation = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ rotation.T + np.asarray(shift)


@given(st.floats(0.2, 20), st.floats(-180, 180), st.floats(-500, 500), st.floats(-500, 500))
def test_undoes_any_similarity(scale, degrees, x, y):
    points = moved(ARCFACE_TEMPLATE, scale, degrees, (x, y))
    transform = similarity_transform(points, ARCFACE_TEMPLATE)
    assert np.allclose(points @ transform[:, :2].T + transform[:, 2], ARCFACE_TEMPLATE, atol=1e-6)


def test_a_known_transform():
    """Half the size and 10 to the right: the inverse doubles and subtracts 20."""
    transform = similarity_transform(ARCFACE_TEMPLATE / 2 + np.array([10.0, 0.0]), ARCFACE_TEMPLATE)
    assert np.allclose(transform, [[2, 0, -20], [0, 2, 0]])


def test_never_mirrors():
    mirrored = ARCFACE_TEMPLATE * np.array([-1.0, 1.0])
    transform = similarity_transform(mirrored, ARCFACE_TEMPLATE)
    assert np.linalg.det(transform[:, :2]) > 0


def test_least_squares_beats_its_neighbours():
    points = moved(ARCFACE_TEMPLATE, 1.3, 8, (20, 30)) + np.random.default_rng(0).normal(0, 2, (5, 2))
    best = similarity_transform(points, ARCFACE_TEMPLATE)

    def loss(transform):
        return np.square(points @ transform[:, :2].T + transform[:, 2] - ARCFACE_TEMPLATE).sum()

    for scale, degrees in ((1.01, 0), (0.99, 0), (1, 1), (1, -1)):
        turned = similarity_transform(moved(points, 1 / scale, -degrees, (0, 0)), ARCFACE_TEMPLATE)
        assert loss(best) <= loss(turned) + 1e-9


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), 7.3), np.full((5, 2), np.nan)])
def test_refuses_points_that_fix_nothing(points):
    with pytest.raises(DegenerateLandmarksError):
        similarity_transform(points, ARCFACE_TEMPLATE)


def test_align_puts_landmarks_on_the_template_and_black_outside():
    photo = np.full((60, 60, 3), 100, np.uint8)
    landmarks = ARCFACE_TEMPLATE / 2
    for x, y in landmarks.round().astype(int):
        photo[y - 1 : y + 2, x - 1 : x + 2] = (255, 0, 0)
    face = align(photo, landmarks)
    assert face.shape == (112, 112, 3)
    for x, y in ARCFACE_TEMPLATE.round().astype(int):
        assert face[y, x, 0] > 180
        assert face[y, x, 1] < 60
    beyond = align(photo, ARCFACE_TEMPLATE / 2 + 40)
    assert (beyond[-20:, -20:] == 0).all()
