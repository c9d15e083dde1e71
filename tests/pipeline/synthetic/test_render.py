import dataclasses

import numpy as np
import pytest

from ghostface_edge.calibration.similarity import ARCFACE_TEMPLATE
from ghostface_edge.pipeline.synthetic.geometry import camera_for, curve, on_surface
from ghostface_edge.pipeline.synthetic.identity import Identity, draw_identity
from ghostface_edge.pipeline.synthetic.render import render
from ghostface_edge.pipeline.synthetic.view import Occlusion, View, draw_view


def passport(seed: int = 0) -> View:
    view = draw_view(np.random.default_rng(seed), hardness=0.0)
    return dataclasses.replace(view, smile=0.0, mouth_open=0.0, blink=0.0, light=(0.0, 0.0, 1.0), ambient=0.9)


def landmarks(who: Identity) -> np.ndarray:
    nose = who.eye_height + who.nose_length
    x = np.array((-who.eye_spacing, who.eye_spacing, 0, -who.mouth_width, who.mouth_width))
    y = np.array((who.eye_height, who.eye_height, nose, who.mouth_height, who.mouth_height))
    points = on_surface(who, x, y)
    points[2, 2] += who.nose_height
    return points


def test_faces_are_aligned_to_the_template() -> None:
    errors = []
    for number in range(40):
        who = draw_identity(0, 0, number)
        camera = camera_for(who, passport())
        errors.append(np.abs(camera.project(landmarks(who)) - ARCFACE_TEMPLATE).max())
    assert np.mean(errors) < 4.0
    assert max(errors) < 9.0


def test_a_turned_head_moves_its_nose_and_keeps_its_eyes() -> None:
    who = draw_identity(0, 0, 1)
    ahead, aside = passport(), dataclasses.replace(passport(), yaw=0.4)
    moved = camera_for(who, aside).project(landmarks(who)) - camera_for(who, ahead).project(landmarks(who))
    assert moved[2, 0] > 3.0
    assert np.abs(moved[:2]).max() < moved[2, 0]


def test_views_of_one_person_are_nearer_than_people() -> None:
    """Pixel distance under passport conditions, where only the person differs."""
    people = [draw_identity(0, 0, number) for number in range(12)]
    first = np.stack([render(who, passport(1)) for who in people]).astype(float)
    second = np.stack([render(who, passport(2)) for who in people]).astype(float)
    middle = np.s_[:, 30:100, 25:90]
    distance = np.abs(first[middle][:, None] - second[middle][None]).mean((2, 3, 4))
    own, others = distance.diagonal(), distance[~np.eye(12, dtype=bool)]
    assert own.max() < np.median(others)


def test_nuisance_changes_the_picture_but_not_the_person() -> None:
    who = draw_identity(0, 0, 2)
    rng = np.random.default_rng(0)
    pictures = [render(who, draw_view(rng)) for _ in range(4)]
    assert len({picture.tobytes() for picture in pictures}) == 4
    assert repr(who) == repr(draw_identity(0, 0, 2))


@pytest.mark.parametrize("occlusion", list(Occlusion))
def test_every_occlusion_can_be_drawn(occlusion: Occlusion) -> None:
    who, view = draw_identity(0, 0, 3), passport()
    bare, covered = (render(who, dataclasses.replace(view, occlusion=kind)) for kind in (Occlusion.NONE, occlusion))
    assert covered.shape == (112, 112, 3)
    assert (covered != bare).any() == (occlusion is not Occlusion.NONE)


def test_every_style_of_hair_and_beard_is_met_and_nobody_breaks_the_painter() -> None:
    rng = np.random.default_rng(9)
    people = [draw_identity(0, 9, number) for number in range(60)]
    assert {who.hair_style for who in people} == set(range(7))
    assert {who.beard for who in people} == set(range(5))
    deviations = [render(who, draw_view(rng)).std() for who in people]
    assert min(deviations) > 5.0


def test_a_smooth_curve_goes_through_its_keys() -> None:
    keys = np.array([(0.0, 0.0), (1.0, 2.0), (2.0, -1.0), (3.0, 0.5)])
    np.testing.assert_allclose(curve(keys, 7)[::2], keys, atol=1e-12)
    straight = np.column_stack((np.arange(5.0), np.arange(5.0) * 2))
    np.testing.assert_allclose(
        curve(straight, 9)[2:7], np.column_stack((np.arange(1, 3.5, 0.5), np.arange(2, 7))), atol=1e-12
    )
