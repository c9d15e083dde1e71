"""Devices by themselves: which there are, whether they answer, how fast they are, what was left on them."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.tools import userland
from ghostface_edge.reports.devices import LOCAL
from ghostface_edge.reports.errors import GhostfaceEdgeError
from ghostface_edge.targets.devices.device import Device
from ghostface_edge.targets.devices.facts import DeviceFacts
from ghostface_edge.targets.devices.table import device_of, find_devices, read_devices

_QUESTIONS: Final = 5
_PATIENT_S: Final = 120.0
_CLOCKS_APART_S: Final = 60.0
_ANY_RUNTIME: Final = "tflite"
"""A far side imports its runtime with the first model, so whichever is named can tell facts."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A device, and what came of asking it."""

    name: str
    address: str
    state: str
    facts: DeviceFacts | None = None
    round_trip_ms: float | None = None
    is_usable: bool = True

    def as_lines(self) -> list[str]:
        """For people."""
        lines = [f"{self.name} ({self.address}): {self.state}"]
        if self.facts is not None:
            facts = self.facts
            runtimes = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
            lines += [f"  {facts.machine}, {facts.cpu}, {facts.cores} cores, {facts.memory_mb:,} MB"]
            system = "no system" if facts.python is None else f"{facts.os}, Python {facts.python}"
            lines += [f"  {system}", f"  {runtimes}"]
        if self.round_trip_ms is not None:
            lines.append(f"  {self.round_trip_ms:.1f} ms there and back")
        return lines

    def as_json(self) -> dict[str, object]:
        """All of it."""
        return {
            "name": self.name,
            "address": self.address,
            "state": self.state,
            "usable": self.is_usable,
            "facts": None if self.facts is None else self.facts.model_dump(mode="json"),
            "round_trip_ms": self.round_trip_ms,
        }


def known(userlands: Path) -> list[Checked]:
    """Every device that has a name, without asking it."""
    found = []
    for name, entry in read_devices().items():
        try:
            device_of(name, entry, userlands)
            found.append(Checked(name, entry.at, "ready to be asked"))
        except GhostfaceEdgeError as error:
            found.append(Checked(name, entry.at, error.fix, is_usable=False))
    return found


def check(names: Sequence[str], userlands: Path, progress: Progress) -> list[Checked]:
    """Reach devices, see what they are, whether they compute right, and how long an empty question takes.

    Raises:
        InputError: an unknown name.
    """
    found, addresses = [], read_devices()
    for device in find_devices(names, userlands):
        with progress.stage(f"{device.name}: look at it"):
            address = addresses[device.name].at if device.name in addresses else device.name
            found.append(_ask(device, address))
    return found


def _ask(device: Device, address: str) -> Checked:
    with tempfile.TemporaryDirectory(prefix="device-") as folder:
        try:
            with device.open(_ANY_RUNTIME, log=Path(folder, "log"), timeout_s=_PATIENT_S) as there:
                facts = there.facts()
                times = []
                for _ in range(_QUESTIONS):
                    started = time.perf_counter()
                    there.conditions()
                    times.append((time.perf_counter() - started) * 1e3)
        except GhostfaceEdgeError as error:
            return Checked(device.name, address, str(error), is_usable=False)
    apart = facts.clock_s - time.time()
    state = "usable" if len(facts.versions) > 1 else "no runtime there"
    if abs(apart) > _CLOCKS_APART_S:
        state += f"; its clock is {apart:+.0f} s off, which harms nothing here"
    return Checked(device.name, address, state, facts, float(np.median(times)))


def clean(names: Sequence[str], userlands: Path, progress: Progress) -> dict[str, int]:
    """Remove the models that were sent to devices; returns bytes by name.

    Args:
        names: of devices; those of `devices.yaml` if empty.
        userlands: of emulated CPUs.
        progress: for the user.

    Raises:
        GhostfaceEdgeError: one cannot be reached.
    """
    removed = {}
    listed = names or [name for name, entry in read_devices().items() if not entry.at.startswith((LOCAL, "qemu:"))]
    for device in find_devices(listed, userlands):
        with (
            progress.stage(f"{device.name}: clean"),
            tempfile.TemporaryDirectory(prefix="device-") as folder,
            device.open(_ANY_RUNTIME, log=Path(folder, "log"), timeout_s=_PATIENT_S) as there,
        ):
            removed[device.name] = there.clean()
    return removed


def install(userlands: Path, say: Callable[[str], None]) -> None:
    """Make emulated CPUs usable."""
    userland.install(userlands, tuple(userland.ARCHITECTURES), say)
