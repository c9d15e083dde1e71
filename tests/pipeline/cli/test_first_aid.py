"""`doctor` and `cache`, as a user in trouble calls them."""

import json
import os
import pty
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from ghostface_edge.pipeline.cli import first_aid
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.pipeline.tools.doctor import look_at_cache
from ghostface_edge.pipeline.tools.finding import State
from ghostface_edge.reports.errors import GhostfaceEdgeError, InputError


def test_a_whole_core_is_0_and_what_is_missing_has_its_line(cli, hiding, tmp_path):
    home = {"HOME": str(tmp_path), "GHOSTFACE_EDGE_CACHE": str(tmp_path / "cache")}
    done = cli("doctor", "--json", **hiding("torch", "tflite_micro"), **home)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["core_works"]
    found = {each["name"]: each for group in told["findings"].values() for each in group}
    assert found["tflite-micro"]["state"] == "missing"
    assert found["tflite-micro"]["fix"] == "pip install 'ghostface-edge[micro]'"
    assert found["onnxruntime"]["uses"]
    assert "onnxruntime" in found["onnxruntime"]["versions"]
    assert "in ~/cache" in found["cache"]["says"]
    assert found["detector"]["fix"] == "ghostface-edge fetch yunet"
    assert str(tmp_path) not in done.stdout


def test_a_broken_core_is_3_and_names_the_package(cli, hiding):
    done = cli("doctor", **hiding("h5py"))
    assert done.returncode == 3
    assert "packages: broken · h5py: ModuleNotFoundError" in done.stdout
    assert done.stdout.rstrip().endswith("What I ran, what came of it, and what I expected:")
    assert "Traceback" not in done.stderr


def test_a_cache_that_cannot_be_used_breaks_the_core(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(tmp_path / "file"))
    (found,) = look_at_cache()
    assert (found.state, found.is_core) == (State.BROKEN, True)
    assert found.fix.startswith("set GHOSTFACE_EDGE_CACHE")


@pytest.fixture
def filled(tmp_path, monkeypatch):
    """A cache's root with three artifacts of 100 KB, and what was fetched."""
    store = Store(tmp_path / "cache")
    for number in range(3):
        folder = store.make("embed", {"n": number}, lambda folder: (folder / "out").write_bytes(bytes(100_000))).folder
        os.utime(folder, (number, number))
    (store.root / "downloads").mkdir()
    (store.root / "downloads/lfw.bin").write_bytes(bytes(1000))
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE", str(store.root))
    return store.root


def look_at_artifacts(root):
    return len([path for path in (root / "artifacts").iterdir() if path.name.startswith("embed")])


def cache(*arguments):
    """What `cache` prints, or the error that it ends with."""
    app = typer.Typer()
    app.command()(first_aid.cache)
    done = CliRunner().invoke(app, arguments)
    if isinstance(done.exception, GhostfaceEdgeError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_cache_tells_what_it_holds_and_keeps_to_its_limit(filled, monkeypatch):
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE_LIMIT", "250K")
    told = json.loads(cache("info", "--json"))
    assert (told["artifacts"], told["limit_bytes"]) == (3, 250 * 1024)
    assert {each["name"] for each in told["beside"]} == {"downloads", ".ghostface-edge-key"}
    shown = cache("info")
    assert "3 artifacts" in shown
    assert "what `fetch` brought" in shown
    told = json.loads(cache("prune", "--json"))
    assert told["artifacts"] == 2
    assert told["removed_bytes"] >= 100_000


def test_clearing_keeps_what_cannot_be_made_again_unless_all_is_to_go(filled):
    with pytest.raises(InputError, match="--all is nothing to `cache prune`"):
        cache("prune", "--all")
    with pytest.raises(InputError, match="nobody to ask") as refused:
        cache("clear")
    assert "--yes" in refused.value.fix
    assert json.loads(cache("clear", "--yes", "--json"))["artifacts"] == 0
    assert (filled / "downloads/lfw.bin").is_file()
    assert (filled / ".ghostface-edge-key").is_file()
    cache("clear", "--yes", "--all")
    assert {path.name for path in filled.iterdir()} == {"artifacts"}


def test_what_is_in_use_stays(filled):
    using = Store(filled)
    folder = using.make("embed", {"in": "use"}, lambda folder: (folder / "out").write_bytes(bytes(10))).folder
    assert "1 artifacts" in cache("clear", "--yes")
    assert (folder / "out").is_file()


@pytest.mark.parametrize("verb", [("info",), ("prune",), ("clear", "--yes")])
def test_a_limit_that_is_no_size_is_refused(filled, monkeypatch, verb):
    monkeypatch.setenv("GHOSTFACE_EDGE_CACHE_LIMIT", "lots")
    with pytest.raises(InputError, match="is 'lots', which is no size"):
        cache(*verb)
    assert look_at_artifacts(filled) == 3


@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 3), (b"y\n", 0)])
def test_the_answer_counts(filled, answer, left):
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    done = subprocess.run(
        [sys.executable, "-m", "ghostface_edge.pipeline", "cache", "clear"],
        stdin=theirs,
        capture_output=True,
        check=False,
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0, done.stderr
    assert b"Remove them?" in done.stderr
    assert look_at_artifacts(filled) == left
