"""Commands of emulated CPUs, and what programs there are shown; whether they compute right, `nox -s devices` tells."""

import os
import shutil

import pytest

from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.targets.devices.emulated import INSTALL, far_side, find_emulator


@pytest.fixture
def userlands(tmp_path, monkeypatch):
    """Made-up userlands and an emulator among them; the system has none."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    for architecture in ("arm64", "armhf"):
        python = tmp_path / architecture / "root/usr/bin/python3.11"
        python.parent.mkdir(parents=True)
        python.touch()
        (tmp_path / architecture / "whole").touch()
    emulator = tmp_path / "qemu/usr/bin/qemu-aarch64-static"
    emulator.parent.mkdir(parents=True)
    emulator.touch()
    return tmp_path


def option(command, name):
    return command[command.index(name) + 1]


@pytest.mark.parametrize(
    ("cpu", "part", "dot_products"),
    [("cortex-a53", "d03", False), ("cortex-a72", "d08", False), ("cortex-a76", "d0b", True)],
)
def test_a_program_sees_the_cpu_that_is_emulated(userlands, cpu, part, dot_products):
    command = far_side(cpu, userlands / "board.pyz", userlands)
    assert command[0] == str(userlands / "qemu/usr/bin/qemu-aarch64-static")
    assert option(command, "-cpu") == cpu
    assert command[-1] == str(userlands / "board.pyz")
    prefix = userlands / "arm64/cpus" / cpu
    assert option(command, "-L") == str(prefix)
    told = (prefix / "proc/cpuinfo").read_text()
    assert f"CPU part\t: 0x{part}\n" in told
    assert ("asimddp" in told) == dot_products
    midr = int((prefix / "sys/devices/system/cpu/cpu0/regs/identification/midr_el1").read_text(), 16)
    assert (midr >> 24, midr >> 4 & 0xFFF) == (0x41, int(part, 16))
    assert (prefix / "usr/bin/python3.11").is_file()


def test_a_prefix_is_made_once(userlands):
    first = far_side("cortex-a53", userlands / "board.pyz", userlands)
    cpuinfo = userlands / "arm64/cpus/cortex-a53/proc/cpuinfo"
    cpuinfo.write_text("mine")
    assert far_side("cortex-a53", userlands / "board.pyz", userlands) == first
    assert cpuinfo.read_text() == "mine"


@pytest.mark.parametrize(
    ("missing", "says"),
    [("arm64/whole", "the userland of arm64"), ("qemu", "qemu-aarch64")],
)
def test_what_is_missing_is_named(userlands, missing, says):
    path = userlands / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(RuntimeMissingError, match=f"cortex-a72: {says} is not installed") as refused:
        far_side("cortex-a72", userlands / "board.pyz", userlands)
    assert refused.value.fix == INSTALL


def test_the_systems_emulator_serves_where_none_was_installed(userlands, monkeypatch):
    assert find_emulator("armhf", userlands) is None
    program = userlands / "bin/qemu-arm-static"
    program.parent.mkdir()
    program.touch()
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent) + os.pathsep + str(userlands))
    assert find_emulator("armhf", userlands) == program
