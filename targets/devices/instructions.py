"""Instructions that an emulated CPU executes: the measure of cost where no time is told.

QEMU counts by a plugin, which is compiled here where there is a C compiler.
"""

import re
import shutil
import subprocess
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np

from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.targets.devices.device import Device

_SOURCE: Final = "count_instructions.c"
_APART: Final = 8
"""Counters of virtual CPUs, in words."""
_VERSIONS: Final = ((9, 2), (0, 1))
"""From which QEMU on which version of the interface is asked for."""


def counting(device: Device, folder: Path) -> tuple[Device, Path]:
    """The same emulated device with a counter, and the counter's file.

    Args:
        device: whose place starts QEMU's user mode.
        folder: for the plugin and the counter.

    Raises:
        RuntimeMissingError: the plugin cannot be compiled here, or this QEMU takes none.
    """
    emulator, *rest = device.place.command
    counter = folder / f"{device.name}.count"
    place = replace(device.place, command=(emulator, "-plugin", f"{_plugin(emulator, folder)},out={counter}", *rest))
    return replace(device, place=place), counter


def read_count(counter: Path) -> int:
    """Instructions so far, of all virtual CPUs."""
    return int(np.fromfile(counter, np.uint64)[::_APART].sum())


def _plugin(emulator: str, folder: Path) -> Path:
    library = folder / "count_instructions.so"
    if library.is_file():
        return library
    compiler = shutil.which("cc") or shutil.which("gcc")
    about, told = (
        subprocess.run([emulator, option], capture_output=True, text=True, check=False).stdout
        for option in ("--help", "--version")
    )
    version = re.search(r"version (\d+)", told)
    if compiler is None or version is None or "-plugin" not in about:
        what = "there is no C compiler" if compiler is None else f"{emulator} takes no plugins"
        raise RuntimeMissingError(f"instructions cannot be counted: {what}", fix="apt-get install gcc qemu-user")
    interface = next(number for first, number in _VERSIONS if int(version[1]) >= first)
    source, partial = folder / _SOURCE, library.with_suffix(".partial")
    folder.mkdir(parents=True, exist_ok=True)
    source.write_text(files("ghostface_edge.targets.devices").joinpath(_SOURCE).read_text())
    options = ("-O2", "-shared", "-fPIC", f"-DPLUGIN_VERSION={interface}", "-o", str(partial), str(source))
    done = subprocess.run([compiler, *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["nothing said"])[0]
        raise RuntimeMissingError(f"instructions cannot be counted: {said[:200]}", fix="apt-get install gcc libc6-dev")
    partial.rename(library)
    return library
