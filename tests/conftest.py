"""What tests of every folder share."""

import functools
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ghostface_edge.pipeline.support.host import describe_host, int8_saturates
from ghostface_edge.reports.devices import DeviceKind
from ghostface_edge.targets.devices.device import Device
from ghostface_edge.targets.places.application import BOARD
from ghostface_edge.targets.places.application import application as zip_application
from ghostface_edge.targets.places.place import Place

MakeDevice = Callable[..., Device]

_MISBEHAVING = """
import os, sys
sys.path.insert(0, {application!r})
import numpy as np
from ghostface_edge.targets.places import board, plain_side

Honest = board.Board

class Wrong(board.Board):
{methods}

board.Board = Wrong
plain_side.main()
"""


os.environ.setdefault("OMP_NUM_THREADS", "1")  # several workers share the cores, and so do the processes they start


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep on one worker what shares fixtures: a folder with a conftest.py of its own, else a file.

    pytest-xdist's own groups do nothing under pytest 9.2, whose items take no other name.
    """
    from xdist.scheduler import LoadScopeScheduling

    class FolderScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = Path(nodeid.split("::", maxsplit=1)[0])
            return str(path.parent if (config.rootpath / path.parent / "conftest.py").is_file() else path)

    return FolderScheduling(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what an inexact INT8 kernel would fail, and say so."""
    if item.get_closest_marker("exact_int8") and int8_saturates(describe_host()):
        pytest.skip("this CPU has no VNNI, so ONNX Runtime's and OpenVINO's INT8 kernels saturate")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Heed what processes that share the tests ignore, as those under nohup do, and what they start with them."""
    interrupted = signal.signal(signal.SIGINT, signal.default_int_handler)
    hung_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGHUP, hung_up)


@pytest.fixture(scope="session")
def assets() -> Path:
    """The real inputs beside the project; tests that need them skip where they are missing."""
    folder = Path(__file__).resolve().parents[1].parent / "shared/assets"
    if not folder.is_dir():
        pytest.skip("../shared/assets is not there")
    return folder


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that boards run."""
    path = tmp_path_factory.mktemp("board") / "board.pyz"
    path.write_bytes(zip_application(BOARD))
    return path


@pytest.fixture(scope="session")
def make_device_in(application: Path) -> MakeDevice:
    """A device called `pi4` in a folder; `methods` are written into its far side, in place of those it has."""

    def make(place_in: Path, methods: str = "", *, command: tuple[str, ...] = (), **changed: object) -> Device:
        script = application
        if methods:
            script = place_in / "misbehaving.py"
            body = textwrap.indent(textwrap.dedent(methods), "    ")
            script.write_text(_MISBEHAVING.format(application=str(application), methods=body))
        place = Place("pi4", command or (sys.executable, str(script)))
        return Device(
            **{"name": "pi4", "kind": DeviceKind.EXEC, "place": place, "folder": str(place_in / "there"), **changed}
        )

    return make


@pytest.fixture
def make_device(make_device_in: MakeDevice, tmp_path: Path) -> MakeDevice:
    """The same in the test's own folder."""
    return functools.partial(make_device_in, tmp_path)
