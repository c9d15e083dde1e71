import hashlib
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ghostface_edge.pipeline.support import file_lock
from ghostface_edge.pipeline.support.seal import Seal
from ghostface_edge.pipeline.support.store import Store, mark_temporary
from ghostface_edge.reports.errors import InputError, ToolError


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


def rewrite_manifest(folder):
    """What a stranger can do who knows everything but the key."""
    content = json.loads((folder / "manifest.json").read_text())
    text = (folder / "out.txt").read_bytes()
    content["entries"] = {"out.txt": [len(text), hashlib.sha256(text).hexdigest()]}
    entries = json.dumps(content["entries"], sort_keys=True)
    content["hmac"] = Seal(bytes(32)).sign("artifact", folder.name, entries)
    (folder / "manifest.json").write_text(json.dumps(content))


HARMS = {
    "changed": lambda folder: (folder / "out.txt").write_text("evil"),
    "changed with its manifest": lambda folder: ((folder / "out.txt").write_text("evil"), rewrite_manifest(folder)),
    "longer": lambda folder: (folder / "out.txt").write_text("a longer one"),
    "missing": lambda folder: (folder / "out.txt").unlink(),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "a manifest of brackets": lambda folder: (folder / "manifest.json").write_text("[" * 100_000),
    "a manifest of another kind": lambda folder: (folder / "manifest.json").write_text("[1, 2]"),
    "a manifest that is a folder": lambda folder: (
        (folder / "manifest.json").unlink(),
        (folder / "manifest.json").mkdir(),
    ),
    "a manifest that is a pipe": lambda folder: (
        (folder / "manifest.json").unlink(),
        os.mkfifo(folder / "manifest.json"),
    ),
    "a manifest that is a link": lambda folder: (
        (folder / "manifest.json").rename(folder.parents[2] / "manifest.json"),
        (folder / "manifest.json").symlink_to(folder.parents[2] / "manifest.json"),
    ),
    "a file more": lambda folder: (folder / "more.txt").write_text("more"),
    "a huge file more": lambda folder: os.truncate(touched(folder / "more.txt"), 5 << 40),
    "a folder more": lambda folder: (folder / "more").mkdir(),
    "a link more": lambda folder: (folder / "more").symlink_to("out.txt"),
    "a pipe more": lambda folder: os.mkfifo(folder / "more"),
    "a link instead": lambda folder: (
        (folder / "out.txt").rename(folder.parents[2] / "out.txt"),
        (folder / "out.txt").symlink_to(folder.parents[2] / "out.txt"),
    ),
}


def touched(path):
    path.touch()
    return path


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_artifact_is_built_again_and_that_is_said(store, harm):
    folder = store.make("stage", {}, writing("good", [])).folder
    HARMS[harm](folder)
    said = []
    stored = Store(store.root).make("stage", {}, writing("good", []), say=said.append)
    assert not stored.reused
    assert [path.name for path in sorted(stored.folder.iterdir())] == ["manifest.json", "out.txt"]
    assert (stored.folder / "out.txt").read_text() == "good"
    (line,) = said
    assert f"{folder.name} in the cache is not used and made again: " in line
    assert Store(store.root).make("stage", {}, writing("good", [])).reused


def test_an_artifact_under_another_s_name_is_not_used(store):
    """A whole artifact, sealed by this very user, but for other inputs."""
    one = store.make("stage", {"a": 1}, writing("one", [])).folder
    two = store.make("stage", {"a": 2}, writing("two", [])).folder
    shutil.rmtree(two)
    shutil.copytree(one, two)
    stored = store.make("stage", {"a": 2}, writing("two", []))
    assert not stored.reused
    assert (stored.folder / "out.txt").read_text() == "two"


def test_an_artifact_that_another_user_s_key_sealed_is_not_used(tmp_path):
    theirs, ours = Store(tmp_path / "theirs"), Store(tmp_path / "ours")
    folder = theirs.make("stage", {}, writing("evil", [])).folder
    shutil.copytree(folder, ours.folder / folder.name)
    assert not ours.make("stage", {}, writing("good", [])).reused


@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "looping link", "pipe"])
def test_what_is_in_the_place_of_an_artifact_makes_way(store, kind):
    folder = store.make("stage", {}, writing("good", [])).folder
    elsewhere = store.root / "elsewhere"
    folder.rename(elsewhere)
    if kind == "file":
        folder.write_text("in the way")
    elif kind == "pipe":
        os.mkfifo(folder)
    else:
        folder.symlink_to({"link": elsewhere, "dangling link": "nowhere", "looping link": folder}[kind])
    said = []
    stored = Store(store.root).make("stage", {}, writing("good", []), say=said.append)
    assert not stored.reused
    assert said
    assert not stored.folder.is_symlink()
    assert (elsewhere / "out.txt").read_text() == "good", "nothing is removed through a link"
    assert len(artifacts(store)) == 1


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
    assert not first.reused
    assert (first.folder / "out.txt").read_text() == "one"
    assert not store.make("stage", {}, writing("two", [])).reused


def test_an_outcome_for_its_caller_only_goes_with_the_store(tmp_path):
    code = """
import sys
from pathlib import Path
from ghostface_edge.pipeline.support.store import Store, mark_temporary

stored = Store(Path(sys.argv[1])).make("stage", {}, mark_temporary)
store = Store(Path(sys.argv[1]))
stored = store.make("stage", {}, mark_temporary)
assert stored.folder.is_dir()
"""
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    assert [path.name for path in (tmp_path / "artifacts").iterdir() if path.is_dir()] == []


def test_inputs_are_the_same_in_any_order(store):
    folder = store.make("stage", {"a": 1, "b": 2}, writing("one", [])).folder
    assert store.make("stage", {"b": 2, "a": 1}, writing("two", [])).folder == folder
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.make("stage", {"a": float("nan")}, writing("three", []))


def test_an_artifact_of_several_files_and_folders_is_used_again(store):
    def build(folder):
        for name in ("b", "a", "d", "c"):
            (folder / name).mkdir()
            (folder / name / "out.txt").write_text(name)

    assert not store.make("stage", {}, build).reused
    assert Store(store.root).make("stage", {}, build).reused


def test_an_artifact_that_is_held_alone_is_made_again(store):
    folder = store.make("stage", {}, writing("one", [])).folder
    shutil.copytree(folder, folder.with_name("copy"))
    shutil.rmtree(folder)
    folder.with_name("copy").rename(folder)
    lock = file_lock.try_exclusive(folder / "manifest.json")
    said = []
    stored = Store(store.root).make("stage", {}, writing("two", []), say=said.append)
    os.close(lock)
    assert said == [f"{folder.name} in the cache is not used and made again: it cannot be locked"]
    assert (stored.folder / "out.txt").read_text() == "two"


def test_an_error_of_what_is_built_stays_what_it_is(store, tmp_path):
    def build(folder):
        (tmp_path / "nothing").read_bytes()

    with pytest.raises(FileNotFoundError):
        store.make("stage", {}, build)


def test_what_cannot_be_locked_is_not_built_and_leaves_nothing(tmp_path):
    """The system takes paths of 4,095 characters, and that of the lock is longer than those before it."""
    root = tmp_path
    while len(str(root)) < 4058 - 256:
        root /= "x" * 200
    store = Store(root / ("x" * (4057 - len(str(root)))))
    with pytest.raises(InputError, match="cannot be written: File name too long"):
        store.make("stage", {}, writing("good", []))
    with pytest.raises(InputError, match="cannot be written: File name too long"), store.scratch():
        pytest.fail("it cannot be locked")
    assert not artifacts(store)


def test_a_cache_is_where_the_user_wants_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(tmp_path / "a/b/c"))
    assert Store().folder == tmp_path / "a/b/c/artifacts"


@pytest.mark.parametrize("kind", ["a file", "below a file", "a dangling link"])
def test_an_unwritable_cache_is_bad_input(tmp_path, kind):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(InputError, match="cannot be written") as caught:
        Store(tmp_path / {"a file": "file", "below a file": "file/cache", "a dangling link": "link"}[kind])
    assert "GHOSTFACE_EDGE_CACHE" in caught.value.fix


@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "of another user"])
def test_the_folder_of_artifacts_is_the_user_s_own(tmp_path, kind):
    (tmp_path / "elsewhere").mkdir()
    place = tmp_path / "artifacts"
    if kind == "file":
        place.touch()
    elif kind == "of another user":
        place.mkdir()
        try:
            os.chown(place, os.geteuid() + 1, -1)
        except OSError:
            pytest.skip("only root can give a folder away")
    else:
        place.symlink_to("elsewhere" if kind == "link" else "nowhere")
    with pytest.raises(InputError, match="is a link, a file or somebody else's folder"):
        Store(tmp_path)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe"])
def test_the_mark_is_a_file(tmp_path, kind):
    (tmp_path / "artifacts").mkdir()
    mark = tmp_path / "artifacts/.ghostface-edge-artifacts"
    (tmp_path / "mine.txt").write_text("precious")
    if kind == "folder":
        mark.mkdir()
    elif kind == "pipe":
        os.mkfifo(mark)
    else:
        mark.symlink_to(tmp_path / ("mine.txt" if kind == "link" else "nowhere"))
    with pytest.raises(InputError, match=r"cannot be written|holds files of others: \.ghostface-edge-artifacts"):
        Store(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("mode", [0o755, 0o701, 0o500])
def test_nobody_else_sees_into_the_cache(tmp_path, mode):
    Store(tmp_path).folder.chmod(mode)
    Store(tmp_path)
    assert stat.S_IMODE((tmp_path / "artifacts").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / ".ghostface-edge-key").stat().st_mode) == 0o600


def test_a_key_that_others_may_know_is_replaced_and_nothing_it_sealed_is_used(tmp_path):
    Store(tmp_path).make("stage", {}, writing("good", []))
    key = tmp_path / ".ghostface-edge-key"
    old = key.read_bytes()
    key.chmod(0o644)
    assert not Store(tmp_path).make("stage", {}, writing("good", [])).reused
    assert key.read_bytes() != old
    assert Store(tmp_path).make("stage", {}, writing("good", [])).reused


def test_a_cache_that_is_taken_away_during_a_run_is_an_error_of_ours(store):
    shutil.rmtree(store.folder)
    with pytest.raises(InputError, match=f"{store.folder}/.* cannot be written"):
        store.make("stage", {}, writing("good", []))


def test_leftovers_go_whatever_they_are_and_no_link_is_followed(store, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("precious")
    (store.folder / ".partial-file").touch()
    (store.folder / ".partial-link").symlink_to(elsewhere)
    (store.folder / ".partial-dangling").symlink_to("nowhere")
    (store.folder / ".partial-folder/below").mkdir(parents=True)
    (store.folder / ".partial-folder/link").symlink_to(elsewhere)
    os.mkfifo(store.folder / ".partial-pipe")
    (store.folder / ".partial-closed").mkdir(mode=0)
    Store(store.root)
    assert not artifacts(store)
    assert (elsewhere / "mine.txt").read_text() == "precious"


def test_scratch_is_private_and_goes_with_its_block(store):
    with store.scratch() as folder:
        (folder / "face").write_text("secret")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        Store(store.root)
        assert folder.exists(), "it is in use"
    assert not artifacts(store)


def test_pruning_removes_the_longest_unused_and_nothing_of_others(tmp_path):
    """The root may be any folder of the user's, with old files, folders and dangling links in it."""
    for name in ("photos", "stage-0123456789abcdef0123456789abcdef"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").write_text("precious")
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "dangling").symlink_to("nowhere")
    first = Store(tmp_path)
    kept = made(first, 4)
    (kept[0] / "dangling").symlink_to("nowhere")
    os.utime(kept[0], (1000, 1000))
    first.prune(250_000)
    assert artifacts(first) == set(kept), "what this process uses stays"
    del first
    Store(tmp_path).prune(250_000)
    assert artifacts(Store(tmp_path)) == set(kept[-2:])
    for name in ("photos", "stage-0123456789abcdef0123456789abcdef"):
        assert (tmp_path / name / "mine.txt").read_text() == "precious"
    assert (tmp_path / "dangling").is_symlink()


@pytest.mark.parametrize(("less", "kept"), [(0, 4), (1, 3)])
def test_as_much_as_fits_is_kept(tmp_path, less, kept):
    folders = made(Store(tmp_path), 4)
    blocks = sum(path.stat().st_blocks for folder in folders for path in folder.iterdir())
    Store(tmp_path).prune(512 * blocks - less)
    assert artifacts(Store(tmp_path)) == set(folders[-kept:])


def test_only_artifacts_are_pruned(tmp_path):
    (folder,) = made(Store(tmp_path), 1)
    (folder.parent / "photos").mkdir()
    (folder.parent / "photos/mine.txt").write_text("precious")
    before = set(folder.parent.iterdir()) - {folder}
    Store(tmp_path).prune(0)
    assert set(folder.parent.iterdir()) == before


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("place", ["artifacts", "artifacts/{newest}", "."])
def test_one_stray_file_does_not_empty_the_cache(tmp_path, place, sparse):
    *others, newest = made(Store(tmp_path), 4)
    stray = tmp_path / place.format(newest=newest.name) / "stray"
    if sparse:
        os.truncate(touched(stray), 5 << 30)
    else:
        stray.write_bytes(bytes(500_000))
    os.utime(newest, (5000, 5000))
    Store(tmp_path).prune(450_000)
    assert set(others) <= artifacts(Store(tmp_path))


def test_one_artifact_beyond_the_limit_that_is_in_use_evicts_no_other(tmp_path):
    small = made(Store(tmp_path), 3)
    store = Store(tmp_path)
    large = store.make("stage", {"large": True}, writing("x" * 500_000, [])).folder
    store.prune(450_000)
    assert artifacts(store) == {*small, large}
    del store
    Store(tmp_path).prune(450_000)
    assert artifacts(Store(tmp_path)) == set(small)


def test_a_link_named_like_an_artifact_is_not_followed(tmp_path):
    store = Store(tmp_path / "cache")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/large").write_bytes(bytes(500_000))
    (store.folder / f"stage-{'0' * 32}").symlink_to(tmp_path / "mine")
    store.prune(1000)
    assert (tmp_path / "mine/large").exists()


def test_what_another_store_uses_is_not_pruned(tmp_path):
    using, other = Store(tmp_path), Store(tmp_path)
    folder = using.make("stage", {}, writing("used", [])).folder
    other.prune(0)
    assert (folder / "out.txt").read_text() == "used"
    del using
    other.prune(0)
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


def test_three_files_of_others_are_named(tmp_path):
    (tmp_path / "artifacts").mkdir()
    for number in range(5):
        (tmp_path / f"artifacts/mine-{number}").touch()
    with pytest.raises(InputError, match=r"holds files of others: (mine-\d, ){2}mine-\d \("):
        Store(tmp_path)


def test_a_file_too_large_for_the_disk_is_an_error_of_ours_and_leaves_nothing(store):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(ToolError, match=f"the cache folder {store.root} cannot be written: File too large"):
            store.make("stage", {}, writing("x" * 20_000, []))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not artifacts(store)


def made(store, count) -> list[Path]:
    """Artifacts of 100 kB, the oldest first."""
    folders = [store.make("stage", {"a": number}, writing("x" * 98_000, [])).folder for number in range(count)]
    for age, folder in enumerate(folders):
        os.utime(folder, (1000 + age, 1000 + age))
    return folders


def artifacts(store) -> set[Path]:
    return {path for path in store.folder.iterdir() if not path.name.startswith(".ghostface")}


def test_the_users_limit_is_kept_to(tmp_path, monkeypatch):
    folders = made(Store(tmp_path), 4)
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE_LIMIT", "250K")
    Store(tmp_path).prune()
    assert artifacts(Store(tmp_path)) == set(folders[-2:])
