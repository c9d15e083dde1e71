"""What the command line says besides its result: how much, in which form, in which colours, and where to read on."""

import importlib.metadata
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ghostface_edge.pipeline import cli as room
from ghostface_edge.pipeline.cli.further_reading import further_reading
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.reports.read import read_text
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.places.worker import RuntimeWorker

PROGRAM = (sys.executable, "-m", "ghostface_edge.pipeline")
ESCAPE = "\x1b"


@pytest.fixture
def on_a_terminal(cache):
    """What a terminal gets of a call."""

    def call(*arguments, **environment):
        ours, theirs = pty.openpty()
        settings = {**os.environ, "GHOSTFACE_EDGE_CACHE": str(cache), "TERM": "xterm", **environment}
        process = subprocess.Popen([*PROGRAM, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=settings)
        os.close(theirs)
        got = b""
        try:
            while piece := os.read(ours, 1 << 16):
                got += piece
        except OSError:  # the other side is closed
            pass
        os.close(ours)
        process.wait()
        return got.decode()

    return call


@pytest.mark.parametrize("call", [("--help",), ("fetch",), ("gate", "gone.json")])
def test_a_terminal_that_wants_no_colours_gets_no_escape_code(on_a_terminal, call):
    assert ESCAPE not in on_a_terminal(*call, NO_COLOR="1")


def test_a_terminal_gets_colours_and_a_log_of_github_none(on_a_terminal, cli):
    assert ESCAPE in on_a_terminal("gate", "gone.json")
    for call in (("--help",), ("--bogus",)):
        done = cli(*call, GITHUB_ACTIONS="true")
        assert ESCAPE not in done.stdout + done.stderr


def test_every_verb_prints_through_the_room_that_knows_about_colours():
    makers = re.compile(r"\bConsole\(|secho|typer\.style|\brprint\b|\\x1b|err=True")
    found = {path.name for path in Path(room.__file__).parent.glob("*.py") if makers.search(path.read_text())}
    assert found == {"printing.py", "first_aid.py"}, "the latter asks a question"


def test_errors_of_every_kind_are_objects_in_a_log_of_json(cli, tmp_path):
    (tmp_path / "report.json").write_text("{")
    for arguments, says in (
        (("gate", tmp_path / "report.json"), "report.json"),
        (("run", "--seed", "-1"), "'--seed'"),
    ):
        done = cli("--log-json", *arguments)
        assert done.returncode == 2
        (told,) = map(json.loads, done.stderr.splitlines())
        assert told["level"] == "error"
        assert says in told["text"]
        assert told["fix"]


def test_quiet_leaves_the_result(cli, tmp_path):
    (tmp_path / "lfw.bin").write_bytes(b"pairs")
    quiet = cli("--quiet", "fetch", "lfw", "--from", tmp_path)
    assert quiet.returncode == 0
    assert quiet.stdout.endswith("lfw.bin\n")
    assert quiet.stderr == ""
    talking = cli("--log-json", "fetch", "lfw", "--from", tmp_path)
    assert talking.stdout == quiet.stdout
    assert [json.loads(line)["level"] for line in talking.stderr.splitlines()] == ["info"]


def test_an_error_ends_with_its_page_but_not_where_a_program_asks(cli):
    assert cli("gate", "gone.json").stderr.splitlines()[-1] == "  more: docs/troubleshooting/index.md#files-and-disks"
    assert "more:" not in cli("gate", "gone.json", "--json").stderr


def raised(call):
    with pytest.raises((InputError, ToolError)) as caught:
        call()
    return caught.value


def test_the_page_is_by_the_module_that_raised_and_one_made_on_the_spot_is_the_command_lines(tmp_path):
    assert further_reading(raised(lambda: read_text(tmp_path, fix="no"))).endswith("#files-and-disks")
    assert further_reading(InputError("no", fix="do")).endswith("#command-line")


def test_what_was_raised_elsewhere_is_looked_up_by_who_asked(tmp_path):
    def ask():
        with LOCAL.open(RuntimeWorker, "onnxruntime", log=tmp_path / "log") as there:
            there.inspect(tmp_path / "gone.onnx")

    error = raised(ask)
    assert "#devices" not in further_reading(error)


@pytest.mark.parametrize(
    ("lines", "page"),
    [
        (["Source, https://example.org/src", "Documentation, https://example.org/docs/"], "https://example.org/docs/"),
        (["Documentation, https://example.org"], "https://example.org/"),
        ([], None),
    ],
)
def test_the_page_is_on_the_site_that_the_metadata_names(monkeypatch, lines, page):
    class Metadata:
        def get_all(self, name, default):
            assert name == "Project-URL"
            return lines or default

    monkeypatch.setattr(importlib.metadata, "metadata", lambda _: Metadata())
    start = "docs/troubleshooting/index.md" if page is None else f"{page}troubleshooting/index.html"
    assert further_reading(InputError("no", fix="do")) == f"{start}#command-line"


INSTALLED = "import sys; sys.argv[0] = 'ghostface-edge'; from ghostface_edge.pipeline.cli.app import main; main()"
"""What the installed script does: only under its name do shells complete."""


def installed(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-c", INSTALLED, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C", **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_shells_get_their_script(shell):
    assert "_GHOSTFACE_EDGE_COMPLETE=complete_" in installed("--show-completion", shell)


def test_bash_completes_verbs_choices_and_options():
    for words, ends in (
        (("doc",), ["doctor"]),
        (("--log",), ["--log-json"]),
        (("cache", "pr"), ["prune"]),
    ):
        line = ("ghostface-edge", *words)
        asked = {"COMP_WORDS": " ".join(line), "COMP_CWORD": str(len(words))}
        assert installed(_GHOSTFACE_EDGE_COMPLETE="complete_bash", **asked).split() == ends
