"""Instructions that an emulated CPU executes: the measure of cost where no time is told.

QEMU counts by a plugin, which is compiled here where there is a C compiler.
"""

import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np

from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.reports.write import replacing
from ghostface_edge.targets.devices.device import Device

_SOURCE: Final = "count_instructions.c"
_PACKAGES: Final = "qemu-user qemu-system-arm"
_APART: Final = 8
"""Counters of virtual CPUs, in words."""
_VERSIONS: Final = ((9, 2), (0, 1))
"""From which QEMU on which version of the interface is asked for."""


def counting(device: Device, folder: Path) -> tuple[Device, Path]:
    """The same emulated device with a counter, and the counter's file.

    Args:
        device: whose place's command has QEMU in it, which options may follow.
        folder: for the plugin and the counter.

    Raises:
        RuntimeMissingError: the plugin cannot be compiled here, or this QEMU takes none.
    """
    command = device.place.command
    at, emulator = next((at, word) for at, word in enumerate(command) if Path(word).name.startswith("qemu-"))
    counter = folder / f"{device.name}.count"
    plugin = ("-plugin", f"{compile_plugin(emulator, folder)},out={counter}")
    return replace(
        device, place=replace(device.place, command=(*command[: at + 1], *plugin, *command[at + 1 :]))
    ), counter


def read_count(counter: Path) -> int:
    """Instructions so far, of all virtual CPUs."""
    return int(np.fromfile(counter, np.uint64)[::_APART].sum())


def compile_plugin(emulator: str, folder: Path) -> Path:
    """The compiled plugin, made where this one is not there for the emulator's version of the interface."""
    about, told = (
        subprocess.run([emulator, option], capture_output=True, text=True, check=False).stdout
        for option in ("--help", "--version")
    )
    version = re.search(r"version (\d+)", told)
    if version is None or "-plugin" not in about:
        raise RuntimeMissingError(
            f"instructions cannot be counted: {emulator} takes no plugins", fix=f"apt-get install {_PACKAGES}"
        )
    interface = next(number for first, number in _VERSIONS if int(version[1]) >= first)
    text = files("ghostface_edge.targets.devices").joinpath(_SOURCE).read_text()
    library = folder / f"count-{interface}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.so"
    if not library.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(library) as partial:
            _compile(text, interface, partial)
    return library


def _compile(text: str, interface: int, library: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise RuntimeMissingError(
            "instructions cannot be counted: there is no C compiler", fix="apt-get install gcc libc6-dev"
        )
    options = ("-O2", "-shared", "-fPIC", f"-DPLUGIN_VERSION={interface}", "-x", "c", "-", "-o", str(library))
    done = subprocess.run([compiler, *options], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["nothing said"])[0]
        raise RuntimeMissingError(f"instructions cannot be counted: {said[:200]}", fix="apt-get install gcc libc6-dev")
