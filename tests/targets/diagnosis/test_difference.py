import numpy as np
import pytest

from ghostface_edge.targets.diagnosis.difference import Form, channel_axis, compare, grid_step

RNG = np.random.default_rng(3)
INTEGERS = RNG.integers(-100, 100, (2, 5, 5, 6)).astype(np.int8)
FLOATS = RNG.normal(size=(2, 6, 5, 5)).astype(np.float32)


def changed(values, place, by):
    values = values.copy()
    values[place] += by
    return values


def test_integers_differ_by_the_byte_and_floats_beyond_the_order_of_their_sums():
    assert compare(INTEGERS, INTEGERS.copy()) is None
    assert compare(INTEGERS, changed(INTEGERS, (0, 0, 0, 0), 1)).largest == 1
    largest = np.abs(FLOATS).max()
    assert compare(FLOATS, FLOATS + np.float32(1e-5 * largest)) is None
    assert compare(FLOATS, FLOATS + np.float32(1e-3 * largest)).share == 1


def test_a_difference_says_how_many_how_far_which_side_and_where():
    found = compare(INTEGERS, changed(INTEGERS, (0, slice(None), 0, 4), -1))
    assert (found.share, found.largest, found.raised, found.channel) == (5 / INTEGERS.size, 1, 0, 4)
    assert found.is_one_step
    assert str(found) == "1.67% of its values differ there, by up to 1 step, all lower, in channel 4 only"
    assert compare(INTEGERS, changed(changed(INTEGERS, (0, 0, 0, 4), 3), (0, 0, 0, 1), -2)).channel is None


@pytest.mark.parametrize(
    ("there", "form"),
    [
        (INTEGERS[:, :0], Form.EMPTY),
        (INTEGERS[:1], Form.SHAPE),
        (INTEGERS.astype(np.float32), Form.SHAPE),
        (np.zeros_like(INTEGERS), Form.ZERO),
        (np.full_like(INTEGERS, 7), Form.CONSTANT),
        (np.stack([INTEGERS[0], np.full_like(INTEGERS[1], 7)]), Form.CONSTANT),
    ],
)
def test_what_meets_the_eye_comes_first(there, form):
    assert compare(INTEGERS, there).form is form


def test_a_tensor_of_few_steps_may_become_constant_by_rounding():
    here = np.array([[3, 4, 3, 3]], np.int8)
    assert compare(here, np.full_like(here, 3)).form is Form.VALUES


def test_not_a_number_is_told_only_where_it_is_none_here():
    assert compare(FLOATS, changed(FLOATS, (0, 0, 0, 0), np.nan)).form is Form.NAN


def test_grids_of_floats_are_found():
    step = np.float32(0.037)
    assert grid_step(INTEGERS * step) == pytest.approx(step, rel=1e-4)
    assert grid_step(FLOATS) is None
    assert grid_step(INTEGERS) == 1


def test_channels_are_the_axis_that_is_no_side_of_the_map():
    assert [channel_axis(shape) for shape in ((2, 5, 5, 6), (2, 6, 5, 5), (2, 512), (2, 6, 1, 1), (2, 1, 1, 6))] == [
        3,
        1,
        1,
        1,
        3,
    ]
