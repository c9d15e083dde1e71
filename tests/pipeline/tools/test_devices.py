"""Devices by themselves."""

import shlex
import sys

import pytest

from ghostface_edge.pipeline.tools import devices
from ghostface_edge.reports.errors import InputError

from ..listener import Listener


@pytest.fixture
def named(tmp_path, monkeypatch, application):
    """A folder with a devices.yaml: `pi4` answers, `broken` does not, `gone` needs what nobody has."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    board = shlex.join([sys.executable, str(application)])
    (tmp_path / "devices.yaml").write_text(
        f"pi4:\n  at: 'exec:{board}'\n  folder: {tmp_path}/there\n"
        f"broken:\n  at: 'exec:{sys.executable} -c \"print(0)\"'\n"
        "gone:\n  at: ssh:pi@gone\n"
    )
    return tmp_path


def test_all_that_have_a_name_are_listed_without_being_asked(named):
    listed = {each.name: each for each in devices.known(named / "userlands")}
    assert {"local", "cortex-a72", "pi4", "broken", "gone"} <= listed.keys()
    assert listed["broken"].is_usable
    assert listed["gone"].as_lines() == ["gone (ssh:pi@gone): apt-get install openssh-client"]
    assert listed["cortex-a72"].state == "ghostface-edge devices install qemu"


def test_one_that_answers_and_one_that_does_not(named):
    usable, broken = devices.check(["pi4", "broken"], named / "userlands", Listener())
    assert usable.is_usable
    assert usable.as_json()["facts"]["versions"]["numpy"]
    assert usable.round_trip_ms > 0
    assert "ms there and back" in usable.as_lines()[-1]
    assert not broken.is_usable
    assert broken.as_json()["facts"] is None
    assert "conditions" not in broken.state


def test_a_clock_that_is_off_is_named(named, make_device, monkeypatch):
    late = "def facts(self): return {**super().facts(), 'clock_s': 0.0}"
    monkeypatch.setattr(devices, "find_devices", lambda *_: (make_device(late),))
    (checked,) = devices.check(["pi4"], named / "userlands", Listener())
    assert checked.is_usable
    assert "its clock is -" in checked.state


def test_models_are_removed_and_nothing_else(named):
    (named / "there").mkdir()
    (named / "there" / f"{'0' * 32}.onnx").write_bytes(bytes(77))
    (named / "there" / "mine").touch()
    assert devices.clean(["pi4"], named / "userlands", Listener()) == {"pi4": 77}
    assert [path.name for path in (named / "there").iterdir()] == ["mine"]


def test_an_unknown_one_is_refused(named):
    with pytest.raises(InputError, match="'pi5' is no device") as refused:
        devices.check(["pi5"], named / "userlands", Listener())
    assert "pi4" in refused.value.fix
