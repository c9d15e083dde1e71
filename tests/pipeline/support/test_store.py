import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ghostface_edge.pipeline.support import store as store_module
from ghostface_edge.pipeline.support.store import Store, mark_temporary
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
    assert not artifacts(store)


def test_an_outcome_for_its_caller_only_is_not_used_again(store):
    def build(folder):
        (folder / "out.txt").write_text("one")
        mark_temporary(folder)

    first = store.make("stage", {}, build)
    assert (first.folder / "out.txt").read_text() == "one"
    assert not store.make("stage", {}, writing("two", [])).reused


def test_an_unwritable_cache_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written") as caught:
        Store(tmp_path / "file" / "cache")
    assert "GHOSTFACE_EDGE_CACHE" in caught.value.fix


def test_pruning_removes_the_longest_unused_and_nothing_of_others(tmp_path, monkeypatch):
    """The root may be any folder of the user's, with old files, folders and dangling links in it."""
    for name in ("photos", "stage-0123456789abcdef0123456789abcdef"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").write_text("precious")
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "dangling").symlink_to("nowhere")
    first = Store(tmp_path)
    kept = [first.make("stage", {"a": number}, writing("x" * 100, [])).folder for number in range(4)]
    (kept[0] / "dangling").symlink_to("nowhere")
    for age, folder in enumerate(reversed(kept)):
        os.utime(folder, (1000 - age, 1000 - age))
    monkeypatch.setattr(store_module, "_LIMIT_BYTES", 400)
    first.prune()
    assert artifacts(first) == set(kept), "what this process uses stays"
    del first
    Store(tmp_path).prune()
    assert artifacts(Store(tmp_path)) == set(kept[-2:])
    for name in ("photos", "stage-0123456789abcdef0123456789abcdef"):
        assert (tmp_path / name / "mine.txt").read_text() == "precious"
    assert (tmp_path / "dangling").is_symlink()


def test_what_another_store_uses_is_not_pruned(tmp_path, monkeypatch):
    using, other = Store(tmp_path), Store(tmp_path)
    folder = using.make("stage", {}, writing("used", [])).folder
    monkeypatch.setattr(store_module, "_LIMIT_BYTES", 0)
    other.prune()
    assert (folder / "out.txt").read_text() == "used"
    del using
    other.prune()
    assert not folder.exists()


def test_a_killed_run_leaves_nothing_to_the_next_one(tmp_path):
    script = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from ghostface_edge.pipeline.support.store import Store\n"
        "def build(folder):\n    (folder / 'half.txt').write_text('half')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "Store(Path(sys.argv[1])).make('stage', {}, build)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert list(tmp_path.rglob("half.txt"))
    Store(tmp_path)
    assert not list(tmp_path.rglob("half.txt"))


def test_what_is_still_being_built_is_no_leftover(store):
    def build(folder):
        (folder / "out.txt").write_text("half")
        Store(store.root)
        assert folder.exists()

    assert (store.make("stage", {}, build).folder / "out.txt").exists()


def test_of_two_that_build_the_same_the_first_one_stays(store):
    other = Store(store.root)

    def build(folder):
        (folder / "out.txt").write_text("second")
        other.make("stage", {"a": 1}, writing("first", []))

    assert (store.make("stage", {"a": 1}, build).folder / "out.txt").read_text() == "first"
    assert len(artifacts(store)) == 1


def test_a_folder_of_others_in_its_place_is_refused_and_left_alone(tmp_path):
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts/mine.txt").write_text("precious")
    with pytest.raises(InputError, match=r"holds files of others: mine\.txt"):
        Store(tmp_path)
    assert [path.name for path in (tmp_path / "artifacts").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("package", ["calibration", "pipeline", "reports", "targets"])
def test_every_package_of_ours_decides_what_may_be_used_again(package, monkeypatch, tmp_path):
    before = store_module.code_version()
    whole = store_module.files

    def changed(name):
        if name != f"ghostface_edge.{package}":
            return whole(name)
        (tmp_path / "new.py").touch()
        return tmp_path

    monkeypatch.setattr(store_module, "files", changed)
    store_module.code_version.cache_clear()
    try:
        assert store_module.code_version() != before
    finally:
        store_module.code_version.cache_clear()


def artifacts(store) -> set[Path]:
    return {path for path in store.folder.iterdir() if not path.name.startswith(".ghostface")}
