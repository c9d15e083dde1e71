import io
import json
import logging
import sys
import warnings

import pytest

from ghostface_edge.pipeline.support import messages
from ghostface_edge.pipeline.support.progress import Progress

NASTY = "a\n::error::b\x1b[31m\udc80"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch):
    """Whatever a test chooses is chosen for it alone."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    messages.choose(quiet=False, as_json=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def say_everything():
    messages.say(NASTY)
    messages.warn("odd")
    with Progress().stage("embed", 3) as advance:
        advance(3)
    with Progress().steps("quantize") as update:
        update("ranges", 0.5)
        update("ranges", 1.0)
    messages.fail("no", fix="do", more="there", trace=f"File x\n{NASTY}")


def test_for_people_it_is_a_line_each_and_names_are_but_names(capsys):
    say_everything()
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [r"a\n::error::b\x1b[31m\udc80", "warning: odd"]
    assert [line.partition(" · ")[0] for line in lines[2:5]] == ["embed", "quantize: ranges", "quantize"]
    assert lines[5:] == ["| File x", "| a", r"| \x3a:error::b\x1b[31m\udc80", "error: no", "  fix: do", "  more: there"]


def test_as_json_every_line_is_an_object_with_all_that_is_known(capsys):
    messages.choose(quiet=False, as_json=True)
    say_everything()
    err = capsys.readouterr().err
    assert err.isascii()
    told = [json.loads(line) for line in err.splitlines()]
    assert [each["level"] for each in told] == ["info", "warning", "info", "info", "info", "error"]
    assert told[0]["text"] == r"a\n::error::b\x1b[31m\udc80"
    assert all(each["time"].endswith("+00:00") for each in told)
    assert (told[2]["stage"], told[3]["step"]) == ("embed", "ranges")
    assert told[4]["seconds"] >= told[3]["seconds"] >= 0
    assert (told[5]["fix"], told[5]["more"], told[5]["trace"]) == ("do", "there", f"File x\n{NASTY}")


@pytest.mark.parametrize("as_json", [False, True])
def test_quiet_says_errors_only(capsys, as_json):
    messages.choose(quiet=True, as_json=as_json)
    say_everything()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("of a library", stacklevel=1)
    err = capsys.readouterr().err
    assert "no" in err
    assert "odd" not in err
    assert "embed" not in err
    assert "of a library" not in err


def test_libraries_go_the_same_way_as_json(capsys):
    messages.choose(quiet=False, as_json=True)
    logging.getLogger("nncf").warning("slow %s", "path")
    logging.getLogger("nncf").info("chatter")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", stacklevel=1)
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["logger"], first["text"]) == ("nncf", "slow path")
    assert second["logger"] == "py.warnings"


@pytest.mark.parametrize(
    ("environment", "colours"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False)],
)
def test_a_terminal_is_coloured_and_drawn_on_unless_that_is_not_wanted(monkeypatch, environment, colours):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert messages.may_draw() is colours
    say_everything()
    assert ("\x1b" in sys.stderr.getvalue()) is colours
    messages.choose(quiet=False, as_json=True)
    assert not messages.may_draw()


def test_what_is_no_terminal_is_coloured_where_that_is_forced_but_never_drawn_on(monkeypatch, capsys):
    assert not messages.may_colour(sys.stderr)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert messages.may_colour(sys.stderr)
    assert not messages.may_draw()
