import functools
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.child import Child, ChildDeath, peak_rss_mb, tell_parent


class Mischief:
    """What the child process serves in these tests."""

    def __init__(self, greeting="hello"):
        self.greeting = greeting

    def greet(self, name):
        print("spoken on standard output")
        return f"{self.greeting} {name}"

    def crash(self):
        os.kill(os.getpid(), signal.SIGSEGV)

    def leave(self):
        os._exit(7)

    def hang(self):
        time.sleep(600)

    def grow(self):
        self.hoard = np.ones(2**28, np.float64)
        time.sleep(600)

    def refuse(self):
        raise InputError("the file is odd", fix="use another")

    def stumble(self):
        raise RuntimeError("native trouble")

    def count(self, to):
        for number in range(to):
            tell_parent("so far", number)
        return to

    def pid(self):
        return os.getpid()

    def peak(self):
        return peak_rss_mb()


class Stillborn:
    def __init__(self):
        os.abort()


@pytest.fixture(autouse=True)
def _children_can_import_this_module(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2])


@pytest.fixture
def child(tmp_path):
    with Child(functools.partial(Mischief, "good day,"), log=tmp_path / "log", memory_limit_mb=1024) as child:
        yield child


def test_calls_reach_one_object_in_another_process(child, tmp_path):
    assert child.call("greet", "Ada") == "good day, Ada"
    assert child.call("pid") == child.call("pid") != os.getpid()
    child.close()
    assert "spoken on standard output" in (tmp_path / "log").read_text()


def test_a_method_can_tell_how_far_it_is(child):
    heard = []
    assert child.call("count", 3, on_told=lambda *values: heard.append(values)) == 3
    assert heard == [("so far", 0), ("so far", 1), ("so far", 2)]
    assert child.call("count", 2) == 2


def test_a_crash_names_the_signal_and_the_method(child):
    with pytest.raises(ChildDeath, match="killed by SIGSEGV during crash"):
        child.call("crash")


def test_an_exit_names_the_code(child):
    with pytest.raises(ChildDeath, match="exit code 7 during leave"):
        child.call("leave")


def test_a_hang_is_ended(child):
    with pytest.raises(ChildDeath, match="hang did not finish within 1 s"):
        child.call("hang", timeout_s=1.0)


def test_too_much_memory_is_ended(child):
    with pytest.raises(ChildDeath, match=r"grow used \d+ MB, more than the limit of 1024 MB"):
        child.call("grow")


def test_our_own_errors_arrive_as_they_are(child):
    with pytest.raises(InputError, match="the file is odd") as caught:
        child.call("refuse")
    assert caught.value.fix == "use another"
    assert child.call("greet", "again") == "good day, again"


def test_other_errors_name_what_failed_and_the_log(child, tmp_path):
    with pytest.raises(ToolError, match="stumble failed: RuntimeError: native trouble") as caught:
        child.call("stumble")
    assert str(tmp_path / "log") in caught.value.fix
    assert "native trouble" in (tmp_path / "log").read_text()


def test_a_death_in_the_factory_is_a_death(tmp_path):
    with Child(Stillborn, log=tmp_path / "log") as child, pytest.raises(ChildDeath, match="SIGABRT"):
        child.call("greet")


def test_peak_memory_is_the_childs_own(child):
    hoard = np.ones(2**25)  # 256 MB in this process
    assert child.call("peak") < 200 < peak_rss_mb()
    assert hoard.size
