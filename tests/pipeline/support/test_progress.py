import io

import pytest

from ghostface_edge.pipeline.support.progress import Progress

NASTY = "a\n::error::b\x1b[31m\u202e\udc80 [bold]c[/nothing] " + 30 * "long name " + "::error::d"


def test_names_in_progress_are_but_names(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    progress.say(NASTY)
    with progress.stage(NASTY, 3) as advance:
        advance(3)
    with progress.steps(NASTY) as steps:
        steps(NASTY, 1.0)
    lines = [line for line in capsys.readouterr().err.splitlines() if line]
    assert len(lines) == 4
    for line in lines:
        assert line.isprintable()
        assert line.startswith(r"a\n::error::b\x1b[31m\u202e\udc80 [bold]c[/nothing] long name")


def test_a_file_gets_all_of_it_and_nothing_else_does(capsys: pytest.CaptureFixture[str]) -> None:
    log = io.StringIO()
    progress = Progress(log)
    progress.say("one\ntwo")
    progress.warn("odd")
    with progress.stage("embed"):
        pass
    first, second, third = log.getvalue().splitlines()
    assert (first, second) == (r"one\ntwo", "warning: odd")
    assert third.startswith("embed · ")
    assert capsys.readouterr() == ("", "")
