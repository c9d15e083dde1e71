"""Devices whose far side is this Python with the boards' one file, as it is or with methods that misbehave."""

import functools
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ghostface_edge.reports.devices import DeviceKind
from ghostface_edge.targets.devices.device import Device
from ghostface_edge.targets.places.board_file import board_file
from ghostface_edge.targets.places.place import Place

MakeDevice = Callable[..., Device]

_MISBEHAVING = """
import os, sys
sys.path.insert(0, {application!r})
import numpy as np
from ghostface_edge.targets.places import board

Honest = board.Board

class Wrong(board.Board):
{methods}

board.Board = Wrong
board.main()
"""


@pytest.fixture(scope="session")
def application(tmp_path_factory) -> Path:
    """The file that boards run."""
    path = tmp_path_factory.mktemp("board") / "board.pyz"
    path.write_bytes(board_file())
    return path


@pytest.fixture(scope="session")
def make_device_in(application) -> MakeDevice:
    """A device called `pi4` in a folder; `methods` are written into its far side, in place of those it has."""

    def make(place_in: Path, methods: str = "", *, command: tuple[str, ...] = (), **changed: object) -> Device:
        script = application
        if methods:
            script = place_in / "misbehaving.py"
            body = textwrap.indent(textwrap.dedent(methods), "    ")
            script.write_text(_MISBEHAVING.format(application=str(application), methods=body))
        place = Place("pi4", command or (sys.executable, str(script)))
        return Device("pi4", DeviceKind.EXEC, place, **{"folder": str(place_in / "there"), **changed})

    return make


@pytest.fixture
def make_device(make_device_in, tmp_path) -> MakeDevice:
    """The same in the test's own folder."""
    return functools.partial(make_device_in, tmp_path)


@pytest.fixture(scope="session")
def few_faces() -> NDArray[np.uint8]:
    """As the tiny networks of these tests take them: uint8 (5, 28, 28, 3)."""
    return np.random.default_rng(7).integers(0, 256, (5, 28, 28, 3), np.uint8)
