"""What the command line says besides its result: how much, in which form, in which colours, and where to read on."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ghostface_edge.pipeline import cli as room
from ghostface_edge.pipeline.cli import further_reading as module
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


@pytest.mark.parametrize("call", [("--help",), ("fetch",), ("gate", "gone.json"), ("--bogus",)])
def test_a_terminal_that_wants_no_colours_gets_no_escape_code(on_a_terminal, call):
    assert ESCAPE not in on_a_terminal(*call, NO_COLOR="1")


def test_a_terminal_gets_colours_and_a_log_of_github_none(on_a_terminal, cli):
    assert ESCAPE in on_a_terminal("gate", "gone.json")
    for call in (("--help",), ("gate", "gone.json"), ("--bogus",)):
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
        (("no-such-verb",), "no-such-verb"),
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
    assert any(name.startswith("ghostface_edge.targets.places") for name in module._modules(error)) is False
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

    monkeypatch.setattr(module, "metadata", lambda _: Metadata())
    start = "docs/troubleshooting/index.md" if page is None else f"{page}troubleshooting/index.html"
    assert further_reading(InputError("no", fix="do")) == f"{start}#command-line"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(cli, shell):
    script = cli("--show-completion", shell, LC_ALL="C")
    assert script.returncode == 0, script.stderr
    assert "_COMPLETE" in script.stdout


def test_bash_completes_verbs_choices_and_options_in_the_c_locale(cli):
    def complete(*words):
        asked = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1), "LC_ALL": "C"}
        program = "_PYTHON _M GHOSTFACE_EDGE.PIPELINE_COMPLETE".replace(" ", "_")
        done = cli(**asked, **{program: "complete_bash"})
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    assert complete("ghostface-edge", "doc") == ["doctor"]
    assert complete("ghostface-edge", "--log") == ["--log-json"]
    assert complete("ghostface-edge", "cache", "pr") == ["prune"]
