"""A run whose processes are killed, and the next one; `nox -s faults` does this everywhere and with other faults."""

import shutil

import pytest

from ...faults.faults import Fault, Victim
from ...faults.job import Folders
from ...faults.moments import Moment, When
from ...faults.reference import Stage, reference_from
from ...faults.trial import Trial, disturb, next_run
from .conftest import arguments_of


@pytest.fixture
def reference(given, cache, finished, tmp_path):
    """An undisturbed run of one variant on a copy of the cache that all tests share."""
    folders = Folders.under(tmp_path / "reference")
    shutil.copytree(cache, folders.cache, dirs_exist_ok=True)
    return reference_from([*map(str, arguments_of(given)), "--targets", "onnxruntime-int8"], folders)


def test_after_a_killed_child_and_a_killed_run_the_next_one_is_as_if_nothing_had_been(reference, tmp_path):
    folders = Folders.under(tmp_path / "killed")
    shutil.copytree(reference.folders.cache, folders.cache, dirs_exist_ok=True)
    (lowered,) = {path.parent for path in folders.cache.glob("artifacts/lower-*/model.onnx")}
    shutil.rmtree(lowered)
    stage = Stage("lower", lowered.name, seconds=1.0, has_children=True)
    child, parent = (
        disturb(Trial(Fault.KILL, victim, Moment(when, stage, 0.2), 0.0), reference, folders)
        for victim, when in ((Victim.CHILD, When.BEGIN), (Victim.PARENT, When.MIDST))
    )
    assert child.landed
    assert child.exit_code == 3, "the only variant failed"
    assert parent.landed
    assert parent.exit_code == -9
    assert [*child.findings, *parent.findings, *next_run(reference, folders)] == []
