import numpy as np
import pytest

from ghostface_edge.reports.history.changes import MOST, first_of_new_levels, noise


def drawn(*levels: tuple[float, int], seed: int = 0) -> list[float]:
    generator = np.random.default_rng(seed)
    return [float(value) for middle, count in levels for value in generator.normal(middle, 1.0, count)]


def test_noise_is_what_intervals_state_or_what_runs_differ_by() -> None:
    values = drawn((50.0, 400))
    assert noise(values, [(value - 9.8, value + 9.8) for value in values]) == pytest.approx(5.0)
    assert noise(values, [(value - 0.1, value + 0.1) for value in values]) == pytest.approx(1.0, rel=0.1)
    assert noise(values, [None] * 400) == pytest.approx(1.0, rel=0.1)


def test_a_step_adds_nothing_to_the_noise() -> None:
    assert noise([1.0] * 10 + [9.0] * 10, [(0.9, 1.1)] * 20) == pytest.approx(0.1 / 1.96)


def test_figures_without_an_interval_are_known_to_a_thousandth() -> None:
    assert noise([1000.0] * 5, [None] * 5) == 1.0
    assert noise([1000.0] * 5, [(1000.0, 1000.0)] * 5) == 1.0
    assert noise([7.0], [None]) == 0.007


def test_a_level_begins_where_the_figures_move() -> None:
    values = drawn((0, 12), (8, 12), (-4, 12))
    assert first_of_new_levels(values, 1.0, of_series=1) == [12, 24]


def test_one_bad_run_is_no_change_and_two_are() -> None:
    values = [*drawn((0, 20)), 9.0]
    assert first_of_new_levels(values, 1.0, of_series=1) == []
    assert first_of_new_levels([*values, 9.0], 1.0, of_series=1) == [20]


def test_a_bad_run_in_the_middle_pulls_no_level() -> None:
    values = drawn((0, 30))
    values[15] = 100.0
    assert first_of_new_levels(values, 1.0, of_series=1) == []


def test_with_more_series_a_change_has_to_be_clearer() -> None:
    values = [0.0] * 8 + [1.0] * 8
    assert first_of_new_levels(values, 1.0, of_series=1) == [8]
    assert first_of_new_levels(values, 1.0, of_series=100) == []


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_so_few_runs_tell_nothing(count: int) -> None:
    assert first_of_new_levels([1.0, 99.0, 99.0][:count], 0.1, of_series=1) == []


def test_only_the_newest_runs_are_looked_at() -> None:
    values = [0.0] * 10 + [50.0] * (MOST - 10) + [99.0] * 10
    assert first_of_new_levels(values, 1.0, of_series=1) == [MOST]
