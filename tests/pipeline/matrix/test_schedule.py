"""List scheduling, by hand."""

import pytest

from ghostface_edge.pipeline.matrix.schedule import makespan

SECONDS = {"a": 2.0, "b": 3.0, "c": 4.0, "d": 1.0}
NEEDS = {"c": ("a",), "d": ("a", "b", "done before")}


@pytest.mark.parametrize(("workers", "seconds"), [(1, 10.0), (2, 6.0), (8, 6.0)])
def test_tasks_wait_for_what_they_need(workers: int, seconds: float) -> None:
    """On two: a 0-2, b 0-3, c 2-6, d 3-4; c's chain is the shortest time there is."""
    assert makespan(SECONDS, NEEDS, workers) == seconds


def test_nothing_takes_no_time() -> None:
    assert makespan({}, {}, 4) == 0
