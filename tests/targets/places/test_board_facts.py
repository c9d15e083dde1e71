"""What a machine says of itself, read from made-up files of its kernel."""

import os

import pytest

from ghostface_edge.targets.places import board_facts


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """A folder that stands for /sys; returns what writes a file there."""
    monkeypatch.setattr(board_facts, "_CPU_FOLDER", tmp_path / "cpu")
    monkeypatch.setattr(board_facts, "_THERMAL", tmp_path / "thermal")
    monkeypatch.setattr(board_facts, "_THROTTLED", tmp_path / "get_throttled")

    def write(path, content):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)

    return write


def test_the_fastest_core_and_the_warmest_zone(kernel):
    kernel("cpu/cpu0/cpufreq/scaling_governor", "ondemand\n")
    for core, kilohertz in enumerate(("600000", "1500000", "0")):
        kernel(f"cpu/cpu{core}/cpufreq/scaling_cur_freq", kilohertz)
    for zone, millidegrees in enumerate(("48200", "-274000", "oops")):
        kernel(f"thermal/thermal_zone{zone}/temp", millidegrees)
    kernel("get_throttled", "50005\n")
    told = board_facts.read_conditions()
    assert (told["governor"], told["frequency_mhz"], told["temperature_c"]) == ("ondemand", 1500, 48.2)
    assert told["throttled"] is True
    kernel("get_throttled", "50000\n")
    assert board_facts.read_conditions()["throttled"] is False, "that was earlier"


def test_what_is_not_told_is_none(kernel):
    kernel("cpu/cpu0/cpufreq/scaling_governor", "")
    kernel("cpu/cpu0/cpufreq/scaling_cur_freq", "0")
    kernel("thermal/thermal_zone0/temp", "-274000")
    told = board_facts.read_conditions()
    assert told.pop("load") == pytest.approx(os.getloadavg()[0], abs=2)
    assert set(told.values()) == {None}


def test_the_folder_may_not_be_there_yet(tmp_path):
    assert board_facts.read_facts(tmp_path / "a/b/c")["free_mb"] > 0
