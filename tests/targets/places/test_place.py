import os
import signal
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.places.connection import ChildDeath
from ghostface_edge.targets.places.far_side import tell
from ghostface_edge.targets.places.memory import peak_rss_mb
from ghostface_edge.targets.places.place import LOCAL, Place
from ghostface_edge.targets.places.wire import WireError


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Parcel:
    weight: float
    places: tuple[Path, ...]
    colours: dict[int, Colour]


class Mischief:
    """What is served in these tests."""

    def __init__(self, greeting: str = "hello") -> None:
        self.greeting = greeting

    def greet(self, name: str) -> str:
        print("spoken on standard output")
        os.write(1, b"and natively")
        return f"{self.greeting} {name}"

    def pass_on(self, parcel: Parcel) -> Parcel:
        assert isinstance(parcel, Parcel)
        return parcel

    def double(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        return np.asarray(values * 2)

    def crash(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def leave(self) -> None:
        os._exit(7)

    def hang(self) -> None:
        time.sleep(600)

    def grow(self) -> None:
        self.hoard = np.ones(2**28, np.float64)
        time.sleep(600)

    def refuse(self) -> None:
        raise InputError("the file is odd", fix="use another")

    def stumble(self) -> None:
        raise RuntimeError("native trouble")

    def count(self, to: int) -> int:
        for number in range(to):
            tell("so far", number)
        return to

    def pid(self) -> int:
        return os.getpid()

    def peak(self) -> float:
        return peak_rss_mb()


class Stillborn:
    def __init__(self) -> None:
        os.abort()

    def greet(self) -> None: ...


@pytest.fixture(autouse=True)
def _children_can_import_this_module(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[3])


@pytest.fixture
def mischief(tmp_path):
    with LOCAL.open(Mischief, "good day,", log=tmp_path / "log", memory_limit_mb=1024) as mischief:
        yield mischief


def test_calls_reach_one_object_in_another_process(tmp_path):
    with LOCAL.open(Mischief, "good day,", log=tmp_path / "log") as mischief:
        assert mischief.greet("Ada") == "good day, Ada"
        assert mischief.pid() == mischief.pid() != os.getpid()
    printed = (tmp_path / "log").read_text()
    assert "spoken on standard output" in printed
    assert "and natively" in printed


def test_typed_values_arrive_as_they_were(mischief):
    parcel = Parcel(float("inf"), (Path("a"), Path("/b")), {3: Colour.RED})
    assert mischief.pass_on(parcel) == parcel


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint8", "int64", "bool", ">f4"])
@pytest.mark.parametrize("shape", [(), (0, 4), (3, 5), (2, 112, 112, 3)])
def test_arrays_arrive_as_they_were(mischief, dtype, shape):
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    doubled = mischief.double(values)
    np.testing.assert_array_equal(doubled, values * 2)
    assert doubled.shape == shape


def test_an_array_larger_than_any_pipe_arrives(mischief):
    values = np.arange(2**23, dtype=np.int64)  # 64 MB
    assert (mischief.double(values)[[0, 5, -1]] == [0, 10, 2 * (2**23 - 1)]).all()


def test_objects_do_not_travel(mischief):
    with pytest.raises(WireError, match="an array of object"):
        mischief.double(np.array([Mischief()]))


def test_a_method_can_tell_how_far_it_is(tmp_path):
    heard = []
    with LOCAL.open(Mischief, log=tmp_path / "log", on_told=lambda *values: heard.append(values)) as mischief:
        assert mischief.count(3) == 3
        assert heard == [("so far", 0), ("so far", 1), ("so far", 2)]


def test_a_crash_names_the_signal_and_the_method(mischief):
    with pytest.raises(ChildDeath, match="killed by SIGSEGV during crash"):
        mischief.crash()


def test_an_exit_names_the_code(mischief):
    with pytest.raises(ChildDeath, match="exit code 7 during leave"):
        mischief.leave()


def test_what_died_stays_dead(mischief):
    with pytest.raises(ChildDeath):
        mischief.crash()
    with pytest.raises(ChildDeath, match="killed by SIGSEGV during greet"):
        mischief.greet("Ada")


def test_a_hang_is_ended(tmp_path):
    with (
        LOCAL.open(Mischief, log=tmp_path / "log", timeout_s=1.0) as mischief,
        pytest.raises(ChildDeath, match="hang did not finish within 1 s"),
    ):
        mischief.hang()


def test_a_place_that_does_not_read_is_ended(tmp_path):
    deaf = Place("deaf", ("sleep", "600"))
    with (
        deaf.open(Mischief, log=tmp_path / "log", timeout_s=1.0) as mischief,
        pytest.raises(ChildDeath, match="double did not finish within 1 s"),
    ):
        mischief.double(np.zeros(2**20))


def test_a_place_that_speaks_otherwise_is_ended(tmp_path):
    chatty = Place("chatty", ("sh", "-c", "echo welcome to this board; sleep 600"))
    with (
        chatty.open(Mischief, log=tmp_path / "log") as mischief,
        pytest.raises(ChildDeath, match="greet was answered by a header of"),
    ):
        mischief.greet("Ada")


def test_too_much_memory_is_ended(mischief):
    with pytest.raises(ChildDeath, match=r"grow used \d+ MB, more than the limit of 1024 MB"):
        mischief.grow()


def test_our_own_errors_arrive_as_they_are(mischief):
    with pytest.raises(InputError, match="the file is odd") as caught:
        mischief.refuse()
    assert caught.value.fix == "use another"
    assert mischief.greet("again") == "good day, again"


def test_other_errors_name_what_failed_and_the_log(mischief, tmp_path):
    with pytest.raises(ToolError, match="stumble failed: RuntimeError: native trouble") as caught:
        mischief.stumble()
    assert str(tmp_path / "log") in caught.value.fix
    assert "native trouble" in (tmp_path / "log").read_text()


def test_a_death_in_the_constructor_is_a_death(tmp_path):
    with LOCAL.open(Stillborn, log=tmp_path / "log") as stillborn, pytest.raises(ChildDeath, match="SIGABRT"):
        stillborn.greet()


def test_peak_memory_is_the_childs_own(mischief):
    hoard = np.ones(2**25)  # 256 MB in this process
    assert mischief.peak() < 200 < peak_rss_mb()
    assert hoard.size
