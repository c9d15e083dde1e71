import pytest

from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.errors import InputError


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "cache")


def writing(text, calls):
    def build(folder):
        calls.append(folder)
        (folder / "out.txt").write_text(text)

    return build


def test_a_stage_is_built_once_per_inputs(store):
    calls = []
    first = store.make("stage", {"a": 1}, writing("one", calls))
    again = store.make("stage", {"a": 1}, writing("one", calls))
    other = store.make("stage", {"a": 2}, writing("two", calls))
    assert (first.reused, again.reused, other.reused) == (False, True, False)
    assert len(calls) == 2
    assert again.folder == first.folder != other.folder
    assert (again.folder / "out.txt").read_text() == "one"


@pytest.mark.parametrize("harm", ["changed", "missing", "no manifest"])
def test_a_damaged_artifact_is_built_again(store, harm):
    calls = []
    folder = store.make("stage", {}, writing("good", calls)).folder
    if harm == "changed":
        (folder / "out.txt").write_text("bad")
    elif harm == "missing":
        (folder / "out.txt").unlink()
    else:
        (folder / "manifest.json").unlink()
    stored = store.make("stage", {}, writing("good", calls))
    assert not stored.reused
    assert (stored.folder / "out.txt").read_text() == "good"


def test_an_interrupted_stage_leaves_nothing(store):
    def build(folder):
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.make("stage", {}, build)
    assert list(store.root.iterdir()) == []


def test_an_unwritable_cache_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written") as caught:
        Store(tmp_path / "file" / "cache")
    assert "GHOSTFACE_EDGE_CACHE" in caught.value.fix
