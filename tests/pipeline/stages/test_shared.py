"""Stages before a store that other machines have filled."""

import dataclasses
import hashlib
import json

import pytest

from ghostface_edge.pipeline.stages.aligned import kept_in
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.shared_store import open_store
from ghostface_edge.pipeline.support.store import Store, mark_temporary

from .test_context import Square


class Listener(Progress):
    def __init__(self):
        super().__init__()
        self.said = []

    def say(self, text):
        self.said.append(text)


@pytest.fixture
def machine(tmp_path):
    """A machine's context, with a store of its own before the shared one."""
    (tmp_path / "shared").mkdir()

    def on(name):
        store = Store(tmp_path / name)
        return StageContext(store, tmp_path / "logs", Listener(), 1, shared=open_store(str(tmp_path / "shared")))

    return on


def test_what_one_machine_made_the_next_takes(machine):
    one, two = Square(7), Square(7)
    assert machine("one").run(one) == machine("two").run(two) == 49
    assert (one.built, two.built) == ([7], [])


def test_what_was_taken_is_one_s_own_from_then_on(machine, tmp_path):
    machine("one").run(Square(7))
    first = machine("two")
    first.run(Square(7))
    (tmp_path / "shared").rename(tmp_path / "away")
    again, stage = machine("two"), Square(7)
    assert again.run(stage) == 49
    assert not stage.built
    assert not again.progress.said, "the shared store was not even asked"
    assert again.ran == first.ran


def test_what_is_no_outcome_of_the_stage_is_made_again_though_all_hashes_are_right(machine, tmp_path):
    machine("one").run(Square(7))
    (binding,) = (tmp_path / "shared/bindings").iterdir()
    document, evil = json.loads(binding.read_text()), b"no number"
    (file,) = document["files"]
    file.update(size=len(evil), sha256=hashlib.sha256(evil).hexdigest())
    (tmp_path / "shared/blobs" / file["sha256"]).write_bytes(evil)
    binding.write_text(json.dumps(document))
    two, stage = machine("two"), Square(7)
    assert two.run(stage) == 49
    assert stage.built == [7]
    assert "is not used and made again: it is no outcome of that stage (ValidationError)" in two.progress.said[0]
    three, stage = machine("three"), Square(7)
    assert three.run(stage) == 49
    assert not stage.built, "what was made again took the place of the bad one"


def test_a_bad_outcome_is_made_again_and_mended_for_all(machine, tmp_path):
    machine("one").run(Square(7))
    for path in (tmp_path / "shared/blobs").iterdir():
        path.write_text("50")
    two, stage = machine("two"), Square(7)
    assert two.run(stage) == 49
    assert stage.built == [7]
    (line,) = two.progress.said
    assert "in the shared store is not used and made again: square.json was changed" in line
    three = Square(7)
    assert machine("three").run(three) == 49
    assert not three.built


def test_a_store_that_is_away_costs_nothing_but_the_work(machine, tmp_path):
    one = machine("one")
    (tmp_path / "shared").rmdir()
    assert [one.run(Square(number)) for number in range(3)] == [0, 1, 4]
    assert len(one.progress.said) == 2, "once for reading, once for writing"


def test_what_is_for_its_caller_only_is_not_shared(machine, tmp_path):
    class Unfinished(Square):
        def build(self, folder, context):
            super().build(folder, context)
            mark_temporary(folder)

    assert machine("one").run(Unfinished(7)) == 49
    assert not list((tmp_path / "shared").iterdir())


def test_a_stage_that_fails_shares_nothing(machine, tmp_path):
    class Failing(Square):
        def build(self, folder, context):
            super().build(folder, context)
            raise KeyboardInterrupt

    one = machine("one")
    with pytest.raises(KeyboardInterrupt):
        one.run(Failing(7))
    assert not list((tmp_path / "shared").iterdir())
    assert not [path for path in one.store.folder.iterdir() if path.is_dir()]


def test_photographs_stay_on_the_machine(machine, tmp_path):
    one = machine("one")
    kept_in(one.store, one.progress)("key", lambda folder: (folder / "face.png").write_bytes(b"somebody"))
    assert not list((tmp_path / "shared").iterdir())


def test_a_context_without_a_shared_store_has_none(machine):
    context = dataclasses.replace(machine("one"), shared=None)
    assert context.run(Square(7)) == 49
    stage = Square(7)
    machine("two").run(stage)
    assert stage.built == [7]
