import contextlib
import mmap
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import psutil
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

    def grow_in_native_code(self) -> None:
        """As C++ ends that is refused memory and does not expect it."""
        try:
            np.ones(2**28, np.float64)
        except MemoryError:
            os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'")
            os.abort()

    def share(self, mb: int) -> None:
        """Memory that the kernel's bound does not count."""
        self.shared = mmap.mmap(-1, mb * 2**20)
        self.shared.write(b"x" * len(self.shared))
        time.sleep(600)

    def delegate(self, command: list[str]) -> int:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False).returncode

    def leave_behind(self, note: Path) -> None:
        """Die while a descendant still holds the stream of the answers."""
        child = os.fork()
        if child == 0:
            time.sleep(600)
        note.write_text(str(child))
        os._exit(7)

    def stop(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)

    def deadlock(self) -> None:
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()

    def work(self, numbers: int) -> int:
        """Nothing but native code that keeps the interpreter's lock."""
        return sum(range(numbers))

    def limits(self) -> list[int]:
        return [resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_DATA, resource.RLIMIT_CORE)]

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


MANY = 10**8
"""Numbers that take more than a second to add."""
HOARD = "hoard = bytearray(700 << 20); hoard[::4096] = b'x' * len(hoard[::4096])"


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


@pytest.mark.parametrize("how", ["grow", "grow_in_native_code"])
def test_more_memory_than_allowed_is_refused_by_the_kernel_and_said(mischief, how):
    with pytest.raises(ChildDeath, match=f"{how} needed more than 1024 MB"):
        getattr(mischief, how)()


@pytest.mark.parametrize(
    "call",
    [
        lambda mischief: mischief.share(700),
        lambda mischief: mischief.delegate([sys.executable, "-c", f"import time; {HOARD}; time.sleep(600)"]),
    ],
    ids=["shared memory", "a process that it starts"],
)
def test_memory_that_the_kernel_does_not_count_is_seen(tmp_path, call):
    with (
        LOCAL.open(Mischief, log=tmp_path / "log", memory_limit_mb=512) as mischief,
        pytest.raises(ChildDeath, match="needed more than 512 MB"),
    ):
        call(mischief)


def test_a_crash_leaves_no_memory_on_the_disk_and_the_bound_is_there(mischief):
    data, core = mischief.limits()
    assert core == 0
    assert 1024 <= data / 2**20 < 1024 + 512 + 16 * os.cpu_count()


@pytest.mark.parametrize(
    ("how", "says"), [("stop", "was stopped by a signal during stop"), ("deadlock", "hung during deadlock")]
)
def test_a_child_that_does_nothing_is_ended(tmp_path, how, says):
    with (
        LOCAL.open(Mischief, log=tmp_path / "log", patience_s=3.0) as mischief,
        pytest.raises(ChildDeath, match=f"{says}: it did nothing for 3 s"),
    ):
        getattr(mischief, how)()


def test_one_that_a_child_waits_for_does_nothing_either(tmp_path):
    """Heartbeats go on, and the child's own memory is all right."""
    with (
        LOCAL.open(Mischief, log=tmp_path / "log", patience_s=3.0) as mischief,
        pytest.raises(ChildDeath, match="did nothing for 3 s"),
    ):
        mischief.delegate(["sh", "-c", "kill -STOP $$"])


def test_work_is_no_hang(tmp_path):
    """Neither in native code, where no thread can beat, nor in a process that was started for it."""
    with LOCAL.open(Mischief, log=tmp_path / "log", patience_s=1.0) as mischief:
        assert mischief.work(MANY) == MANY * (MANY - 1) // 2
        assert mischief.delegate([sys.executable, "-c", f"sum(range({MANY}))"]) == 0


def test_a_far_side_without_processes_here_is_believed_by_its_heartbeat(tmp_path):
    """As a board behind ssh: the process here does nothing at all, its work is only told."""
    script = (
        "import sys\nfrom ghostface_edge.targets.places.wire import StandardStreams\n"
        "streams = StandardStreams()\nstreams.receive()\nstreams.receive()\n"
        "import time\n"
        "for beat in range(5):\n    time.sleep(1)\n    streams.send({'alive': float(beat)})\n"
        "streams.send({'done': 'worked'})\nstreams.receive()\n"
        "while True:\n    time.sleep(0.2)\n    streams.send({'alive': 3.0})\n"
    )
    board = Place("board", (sys.executable, "-c", script))
    with board.open(Mischief, log=tmp_path / "log", patience_s=3.0) as mischief:
        assert mischief.greet("Ada") == "worked"
        with pytest.raises(ChildDeath, match="hung during greet: it did nothing for 3 s"):
            mischief.greet("again")


def test_what_a_child_started_ends_with_it(tmp_path):
    note = tmp_path / "note"
    with (
        LOCAL.open(Mischief, log=tmp_path / "log") as mischief,
        pytest.raises(ChildDeath, match="exit code 7 during leave_behind"),
    ):
        mischief.leave_behind(note)
    assert is_gone(int(note.read_text()))


def test_a_call_that_is_interrupted_ends_the_child_and_its_helpers(tmp_path):
    """The interruption comes while the child waits for a process of its own."""
    note = tmp_path / "note"
    script = f"echo $$ > {note}.partial; mv {note}.partial {note}; exec sleep 600"
    interrupter = threading.Thread(target=interrupt_when_there, args=(note,))
    with (  # noqa: PT012
        pytest.raises(KeyboardInterrupt),
        LOCAL.open(Mischief, log=tmp_path / "log") as mischief,
    ):
        interrupter.start()
        mischief.delegate(["sh", "-c", script])
    interrupter.join()
    assert is_gone(int(note.read_text()))


def interrupt_when_there(note):
    while not note.exists():
        threading.Event().wait(0.05)
    os.kill(os.getpid(), signal.SIGINT)


def is_gone(pid):
    """Whether a process has ended; one that is only waiting to be reaped has."""
    with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        psutil.Process(pid).wait(5)
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def test_children_end_with_a_parent_that_is_killed(tmp_path):
    """In the midst of native code that reads no stream, and with what they started."""
    note = tmp_path / "note"
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom ghostface_edge.targets.places.place import LOCAL\n"
        f"sys.path.insert(0, {str(Path(__file__).resolve().parents[3])!r})\n"
        f"from {__name__} import Mischief\n"
        f"with LOCAL.open(Mischief, log=Path({str(tmp_path / 'log')!r})) as mischief:\n"
        f"    Path({str(note)!r}).write_text(str(mischief.pid()))\n    mischief.work(10**12)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    while not note.exists() or not note.read_text():
        assert parent.poll() is None
    parent.kill()
    parent.wait()
    assert is_gone(int(note.read_text()))


def test_a_place_that_closes_its_streams_and_stays_is_ended(tmp_path):
    mute = Place("mute", ("sh", "-c", "exec >&-; exec sleep 600"))
    with mute.open(Mischief, log=tmp_path / "log") as mischief, pytest.raises(ChildDeath, match="closed its streams"):
        mischief.greet("Ada")


def test_a_place_that_is_not_there_is_a_message(tmp_path):
    nowhere = Place("nowhere", (str(tmp_path / "gone"),))
    with pytest.raises(ToolError, match="gone cannot be started"), nowhere.open(Mischief, log=tmp_path / "log"):
        pass


@pytest.mark.parametrize(
    "answer",
    [
        "{'done': {'array': 3}}",
        "{'done': [1, 2]}",
        "{'refused': {'nothing': 0}}",
        "{'refused': 7}",
        "{}",
    ],
)
def test_an_answer_of_another_kind_is_a_message(tmp_path, answer):
    script = (
        "from ghostface_edge.targets.places.wire import StandardStreams\nstreams = StandardStreams()\n"
        f"streams.receive()\nstreams.receive()\nstreams.send({answer})\n"
    )
    odd = Place("odd", (sys.executable, "-c", script))
    with (
        odd.open(Mischief, log=tmp_path / "log") as mischief,
        pytest.raises(ToolError, match="greet was answered by something else"),
    ):
        mischief.greet("Ada")


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
