"""A place to run is a command that starts a far side; every stage then runs there."""

import os

import pytest

from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.targets.places.place import LOCAL, Place

POLITE = Place("polite", ("nice", "-n", "7", *LOCAL.command))


class Niceness:
    def read(self) -> int:
        return os.nice(0)


@pytest.mark.parametrize(("place", "rise"), [(LOCAL, 0), (POLITE, 7)])
def test_a_stage_runs_where_its_context_says(place, rise, tmp_path):
    (tmp_path / "logs").mkdir()
    context = StageContext(Store(tmp_path / "store"), tmp_path / "logs", Progress(), threads=1, place=place)
    with context.open(Niceness, label="niceness") as niceness:
        assert niceness.read() == min(os.nice(0) + rise, 19)
