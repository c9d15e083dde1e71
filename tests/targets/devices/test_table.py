"""Devices by name and by address."""

import os
import sys
from pathlib import Path

import pytest

from ghostface_edge.reports.devices import DeviceKind
from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.targets.c.metal.cores import CORES
from ghostface_edge.targets.devices.emulated import CPUS
from ghostface_edge.targets.devices.table import find_devices, read_devices


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch) -> Path:
    """A folder to work in, without a devices.yaml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def reachable(tmp_path, monkeypatch):
    """`ssh` and `adb` are installed."""
    for name in ("ssh", "adb"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def find(name, file=None):
    (device,) = find_devices([name], Path("userlands"), file)
    return device


def test_some_devices_are_known_without_a_file():
    assert list(read_devices()) == ["local", *CPUS, *CORES]
    device = find("local")
    assert (device.name, device.kind, device.is_timed) == ("local", DeviceKind.LOCAL, True)
    assert device.place.command[0] == sys.executable


def test_what_is_no_file_is_not_passed_over(elsewhere):
    os.mkfifo(elsewhere / "devices.yaml")
    with pytest.raises(InputError, match=r"devices\.yaml is a pipe, not a file"):
        read_devices()


def test_a_file_names_devices(elsewhere, reachable):
    (elsewhere / "devices.yaml").write_text(
        "pi4:\n  at: ssh:pi@raspberrypi.local\n  cores: [2, 3]\n  threads: 2\n"
        "  python: /opt/python\n  folder: /models\n  power: /sys/power1_input\n  sustained_minutes: 5\n"
    )
    device = find("pi4")
    assert (device.kind, device.cores, device.threads, device.folder) == (DeviceKind.SSH, (2, 3), 2, "/models")
    assert (device.power, device.sustained_minutes) == ("/sys/power1_input", 5)
    *options, host, there = device.place.command
    assert options[:2] == ["ssh", "-T"]
    assert "BatchMode=yes" in options
    assert host == "pi@raspberrypi.local"
    assert there.startswith("/opt/python -c ")
    assert there.endswith(f" {len(device.place.preamble)}; exit $?")
    assert find("pi4", elsewhere / "devices.yaml") == device


@pytest.mark.parametrize(
    ("address", "name", "kind", "command"),
    [
        ("ssh:pi@raspberrypi.local", "pi-raspberrypi.local", DeviceKind.SSH, "ssh"),
        ("adb:R58M123", "R58M123", DeviceKind.ADB, "adb"),
        ("exec:nice -n 5 'my board'", "nice--n-5--my-board", DeviceKind.EXEC, "nice"),
        ("exec:/", "exec", DeviceKind.EXEC, "/"),
        ("exec:" + "x" * 99, "x" * 40, DeviceKind.EXEC, "x" * 99),
    ],
)
def test_an_address_is_a_name_too(reachable, address, name, kind, command):
    device = find(address)
    assert (device.name, device.kind, device.place.command[0]) == (name, kind, command)


@pytest.mark.parametrize(
    ("name", "says", "mend"),
    [
        ("cortex-a27", "'cortex-a27' is no device", "did you mean 'cortex-a7"),
        ("zzz", "'zzz' is no device", "choose from local"),
        ("telnet:pi", "'telnet:pi' is no device", "name it in devices.yaml"),
        ("qemu:cortex-a99", "'cortex-a99' is no emulated CPU", "cortex-a"),
        ("qemu:max", "'max' is no emulated CPU", "choose"),
        ("ssh:", "is no device", "devices.yaml"),
        ("ssh:-oProxyCommand=id", "'-oProxyCommand=id' is no host", "ssh:USER@HOST"),
        ("adb:-e", "'-e' is no host", "adb:SERIAL"),
        ("local:here", "'local:here' is no address", "qemu:CPU"),
        ("exec:a 'b", "is no command: No closing quotation", "shell"),
        ("exec:  ", "is no command: it is empty", "shell"),
    ],
)
def test_what_is_no_device(reachable, name, says, mend):
    with pytest.raises(InputError) as refused:
        find(name)
    assert says in refused.value.message
    assert mend in refused.value.fix


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("pi4: ssh:pi@pi4", "pi4: Input should be an object"),
        ("pi4: {}", "pi4.at: Field required"),
        ("pi4: {at: ssh:pi@pi4, core: 1}", "pi4.core: Extra inputs"),
        ("pi4: {at: ssh:pi@pi4, cores: [-1]}", "pi4.cores.0: Input should be greater"),
        ("pi4: {at: ssh:pi@pi4, threads: 0}", "pi4.threads: Input should be greater"),
        ("pi4: {at: ssh:pi@pi4, sustained_minutes: 0}", "pi4.sustained_minutes: Input should be greater"),
        ("../pi4: {at: ssh:pi@pi4}", "'../pi4' is no name"),
        ("pi@4: {at: ssh:pi@pi4}", "'pi@4' is no name"),
        ('"pi\\e[2J": {at: ssh:pi@pi4}', r"'pi\\x1b\[2J' is no name"),
        ("local: {at: ssh:pi@pi4}", "'local' is no name"),
        ("[pi4]", "holds no mapping"),
        ("pi4: {at: a, at: b}", "given twice"),
        ("pi4: {at: *a}", "is no YAML"),
    ],
)
def test_a_broken_file_says_where(elsewhere, content, says):
    (elsewhere / "devices.yaml").write_text(content)
    with pytest.raises(InputError, match=says):
        read_devices()


def test_a_file_that_is_named_has_to_be_there(elsewhere):
    with pytest.raises(InputError, match=r"boards\.yaml"):
        read_devices(Path("boards.yaml"))


def test_two_devices_of_one_name_would_be_one_column():
    with pytest.raises(InputError, match="two devices are called 'a-b'"):
        find_devices(["exec:a b", "exec:a-b"], Path("userlands"))
    assert len(find_devices(["exec:a", "exec:a"], Path("userlands"))) == 1


@pytest.mark.parametrize(("address", "package"), [("ssh:pi@pi4", "openssh-client"), ("adb:R58M", "adb")])
def test_what_reaches_it_has_to_be_installed(monkeypatch, tmp_path, address, package):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeMissingError) as missing:
        find(address)
    assert missing.value.fix == f"apt-get install {package}"


def test_adb_brings_the_far_side_along(tmp_path, monkeypatch, ghost_qdq, few_faces):
    """A stand-in for `adb` starts what it is told in a shell here, as the real one does there."""
    stand_in = tmp_path / "bin/adb"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\n[ "$1 $2 $3 $4" = "-s R58M shell -T" ] && exec sh -c "$5"\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(stand_in.parent), prepend=os.pathsep)
    path = tmp_path / "devices.yaml"
    path.write_text(f"phone:\n  at: adb:R58M\n  python: {sys.executable}\n  folder: {tmp_path / 'there'}\n")
    (device,) = find_devices(["phone"], tmp_path / "userlands", path)
    with device.open("onnxruntime", log=tmp_path / "log") as there:
        assert there.facts().machine == os.uname().machine
        there.load((ghost_qdq,), 1, 1)
        assert there.embed(few_faces).shape[0] == len(few_faces)
