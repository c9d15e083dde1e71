"""Every assignment's time follows from those with at most one change of precision."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostface_edge.pipeline.precision_search.assignment import Assignment, assignments, estimate, uniform, with_changes

COUNT = 6
COSTS = st.lists(st.floats(0.01, 1), min_size=COUNT, max_size=COUNT)


@given(int8=COSTS, real=COSTS, into_int8=COSTS, into_float=COSTS)
def test_the_estimate_is_exact_where_costs_add_up(int8, real, into_int8, into_float):
    def cost(assignment):
        total = sum(f if is_float else i for f, i, is_float in zip(real, int8, assignment.floats, strict=True))
        return total + sum((into_float if assignment.floats[at] else into_int8)[at] for at in assignment.changes)

    everything = list(assignments(COUNT, most_changes=COUNT))
    assert len(everything) == len(set(everything)) == 2**COUNT
    few = {one: cost(one) for one in everything if len(one.changes) < 2}
    assert len(few) == 2 * COUNT
    for one in everything:
        assert estimate(one, few) == pytest.approx(cost(one))


def test_assignments_come_with_the_fewest_changes_first():
    numbers = [len(one.changes) for one in assignments(COUNT, most_changes=2)]
    assert numbers == sorted(numbers)
    assert len(numbers) == 2 * (1 + comb(5, 1) + comb(5, 2))


def test_labels_tell_assignments_apart():
    assert with_changes(5, True, (2, 3)).label == "f2i1f2"
    assert uniform(5, is_float=False).label == "i5"
    assert Assignment((False, True, True)).changes == (1,)
    everything = list(assignments(COUNT, most_changes=COUNT))
    assert len({one.label for one in everything}) == len(everything)
