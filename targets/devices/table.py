"""Devices by name: `local`, emulated CPUs, and what `devices.yaml` names.

    pi4:
      at: ssh:pi@raspberrypi.local
      cores: [2, 3]

Addresses are `local`, `qemu:CPU`, `ssh:[USER@]HOST`, `adb:SERIAL` and `exec:COMMAND`; an address is a name, too.
"""

import difflib
import json
import os
import re
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ghostface_edge.reports.devices import LOCAL as THIS_HOST
from ghostface_edge.reports.devices import DeviceKind
from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.reports.printable import printable, shortened
from ghostface_edge.reports.write import replacing
from ghostface_edge.reports.yaml_file import read_mapping
from ghostface_edge.targets.c.metal.cores import CORES, far_side
from ghostface_edge.targets.devices import emulated
from ghostface_edge.targets.devices.device import Device
from ghostface_edge.targets.places.application import BOARD, BOOTSTRAP, application
from ghostface_edge.targets.places.place import LOCAL, Place

DEVICES_FILE: Final = Path("devices.yaml")
"""Read where it is there."""
_KINDS: Final = MappingProxyType(
    {
        "local": DeviceKind.LOCAL,
        "qemu": DeviceKind.EMULATED,
        "ssh": DeviceKind.SSH,
        "adb": DeviceKind.ADB,
        "exec": DeviceKind.EXEC,
    }
)
"""By the word that an address begins with."""
_SSH_OPTIONS: Final = MappingProxyType({"BatchMode": "yes", "ConnectTimeout": "15", "ServerAliveInterval": "10"})
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class DeviceEntry(BaseModel):
    """A device of `devices.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: str
    """Its address."""
    python: str = "python3"
    """There."""
    cores: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """That models run on; all if none are named."""
    threads: Annotated[int, Field(ge=1)] = 1
    folder: str = "~/.cache/ghostface-edge-device"
    """There, for models."""
    power: str | None = None
    """File there that tells microjoules (RAPL's `energy_uj`) or microwatts (an INA's `power1_input`)."""
    sustained_minutes: Annotated[float, Field(gt=0, le=1440)] | None = None
    """How long the fastest variant runs there without a pause, face by face and then on all cores."""


def read_devices(file: Path | None = None) -> dict[str, DeviceEntry]:
    """Devices by name: emulated CPUs, `local`, then the file's.

    Args:
        file: None: `devices.yaml`, if it is there.

    Raises:
        InputError: the file cannot be used.
    """
    cpus = (*emulated.CPUS, *CORES)
    known = {THIS_HOST: DeviceEntry(at="local")} | {cpu: DeviceEntry(at=f"qemu:{cpu}") for cpu in cpus}
    path = file or devices_file()
    if path is None:
        return known
    for name, content in read_mapping(path, fix="name devices in it, see docs/devices.md").items():
        if not _NAME.fullmatch(name) or name == THIS_HOST:
            raise InputError(
                f"{path}: '{printable(shortened(name))}' is no name for a device",
                fix=f"use at most 40 letters, digits, '.', '_' and '-'; '{THIS_HOST}' is this host",
            )
        try:
            known[name] = DeviceEntry.model_validate_json(json.dumps(content))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in (name, *first["loc"]))
            keys = ", ".join(DeviceEntry.model_fields)
            raise InputError(f"{path}: {place}: {first['msg']}", fix=f"keys of a device: {keys}") from None
    return known


def devices_file() -> Path | None:
    """`devices.yaml`, if anything of that name lies here: what is no file is not passed over."""
    return DEVICES_FILE if os.path.lexists(DEVICES_FILE) else None


def find_devices(names: Iterable[str], userlands: Path, file: Path | None = None) -> tuple[Device, ...]:
    """Devices by name or address, each once.

    Args:
        names: as a user writes them.
        userlands: folder that emulated CPUs are installed in.
        file: see `read_devices`.

    Raises:
        InputError: an unknown name, the message suggests the nearest; or two devices of one name.
        RuntimeMissingError: what reaches it is not installed here.
    """
    known = read_devices(file)
    found: dict[str, Device] = {}
    for name in dict.fromkeys(names):
        device = _device(name, known, userlands)
        if device.name in found:
            raise InputError(f"two devices are called '{device.name}'", fix=f"name them in {DEVICES_FILE}")
        found[device.name] = device
    return tuple(found.values())


def _device(name: str, known: dict[str, DeviceEntry], userlands: Path) -> Device:
    if name in known:
        return device_of(name, known[name], userlands)
    if ":" in name:
        kind, _, where = name.partition(":")
        if kind in _KINDS and where:
            plain = re.sub("[^A-Za-z0-9._-]", "-", where)
            return device_of(plain[:40].strip("-._") or kind, DeviceEntry(at=name), userlands)
    near = difflib.get_close_matches(name, known, n=1)
    raise InputError(
        f"'{name}' is no device",
        fix=f"did you mean '{near[0]}'?" if near else f"choose from {', '.join(known)}, or name it in {DEVICES_FILE}",
    )


def device_of(name: str, entry: DeviceEntry, userlands: Path) -> Device:
    """The device of an entry.

    Raises:
        InputError: its address cannot be used.
        RuntimeMissingError: what reaches it is not installed here.
    """
    scheme, _, where = entry.at.partition(":")
    if scheme not in _KINDS or bool(where) == (scheme == THIS_HOST):
        raise InputError(
            f"{name}: '{entry.at}' is no address",
            fix="write local, qemu:CPU, ssh:USER@HOST, adb:SERIAL or exec:COMMAND",
        )
    kind, folder = _KINDS[scheme], entry.folder
    if kind is DeviceKind.LOCAL:
        place = Place(name, LOCAL.command)
    elif kind is DeviceKind.EMULATED:
        place, folder = _emulated(name, where, userlands), str(userlands / "models")
    elif kind is DeviceKind.EXEC:
        place = Place(name, _split(name, where))
    else:
        place = _remote(name, kind, where, entry.python)
    return Device(name, kind, place, folder, entry.cores, entry.threads, entry.power, entry.sustained_minutes)


def _split(name: str, command: str) -> tuple[str, ...]:
    try:
        if words := tuple(shlex.split(command)):
            return words
        problem = "it is empty"
    except ValueError as error:
        problem = str(error)
    raise InputError(f"{name}: exec:{command} is no command: {problem}", fix="write it as a shell would take it")


def _emulated(name: str, cpu: str, userlands: Path) -> Place:
    if cpu in CORES:
        return Place(name, far_side(cpu))
    if cpu not in emulated.CPUS:
        known = [*emulated.CPUS, *CORES]
        near = difflib.get_close_matches(cpu, known, n=1) or [", ".join(known)]
        raise InputError(f"{name}: '{cpu}' is no emulated CPU", fix=f"choose {near[0]}")
    userlands.mkdir(parents=True, exist_ok=True)
    file = userlands / "board.pyz"
    program = application(BOARD)
    if not file.is_file() or file.read_bytes() != program:
        with replacing(file) as partial:
            partial.write_bytes(program)
    return Place(name, emulated.far_side(cpu, file, userlands))


def _remote(name: str, kind: DeviceKind, where: str, python: str) -> Place:
    """A place behind `ssh` or `adb`, which get the far side's program with the first bytes."""
    if shutil.which(kind) is None:
        package = "openssh-client" if kind is DeviceKind.SSH else "adb"
        raise RuntimeMissingError(f"{name}: {kind} is not installed", fix=f"apt-get install {package}")
    if where.startswith("-"):
        raise InputError(
            f"{name}: '{where}' is no host", fix=f"write {'ssh:USER@HOST' if kind is DeviceKind.SSH else 'adb:SERIAL'}"
        )
    program = application(BOARD)
    # The shell stays, since `ssh` tells a signal's end of what it ran itself as it tells a broken line: 255.
    there = f"{shlex.quote(python)} -c {shlex.quote(BOOTSTRAP)} {len(program)}; exit $?"
    if kind is DeviceKind.SSH:
        options = (part for option, value in _SSH_OPTIONS.items() for part in ("-o", f"{option}={value}"))
        return Place(name, ("ssh", "-T", *options, where, there), program)
    return Place(name, ("adb", "-s", where, "shell", "-T", there), program)
