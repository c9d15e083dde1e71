"""Where a file was proven, and where not: what one family of processors shows is no evidence for another.

In: a report with its gate, and the row of a file on this host. Out: the places where all of its checks passed, and
everything else that it may be put on.
"""

from collections.abc import Iterable
from typing import Final

from ghostface_edge.reports import wording
from ghostface_edge.reports.devices import LOCAL, Device, DeviceKind
from ghostface_edge.reports.record import Count, Record, Text
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.variant import Status, Variant

_X86, _ARM64, _ARM32 = "x86-64", "64-bit ARM", "32-bit ARM"
FAMILIES: Final = (_X86, _ARM64, _ARM32)
"""Of processors that these files are put on."""
_SIXTY_FOUR_BITS: Final = {"x86_64": _X86, "amd64": _X86, "aarch64": _ARM64, "arm64": _ARM64}


class ProvenOn(Record):
    """A place where all checks of the file passed."""

    device: Text
    """`local` is the host that built it."""
    cpu: Text
    machine: Text
    emulated: bool
    faces: Count | None
    """That ran there; None where a report does not say."""
    faces_with_equal_bytes: Count | None = None
    """To the host's; None for the host."""


class NotProvenOn(Record):
    """A device, or a family of processors, of which the file's behaviour is not known or not good."""

    where: Text
    why: Text


class Proven(Record):
    """What is known of one file, by places."""

    on: tuple[ProvenOn, ...]
    not_on: tuple[NotProvenOn, ...]


def proven(report: Report, local: Variant) -> Proven:
    """Sort all places by whether the file's checks passed there.

    Args:
        report: with its gate.
        local: the file's row of this host.
    """
    rows = [local, *(row for row in report.variants if row.device is not None and row.local_id == local.id)]
    on, not_on = [], []
    for row in rows:
        why = wording.objections(report, row) if row.status is Status.OK else wording.without_figures(row)
        if why:
            not_on.append(NotProvenOn(where=row.device or LOCAL, why=why))
        else:
            on.append(_place(report, row))
    seen = wording.enumeration(_families(report, rows))
    not_on += [
        NotProvenOn(where=name, why=f"it did not run there, and evidence of {seen} is none for it")
        for name in FAMILIES
        if name not in _families(report, rows)
    ]
    return Proven(on=tuple(on), not_on=tuple(not_on))


def unseen(report: Report) -> list[str]:
    """Families of processors that nothing of a report ran on."""
    return [name for name in FAMILIES if name not in _families(report, report.variants)]


def _place(report: Report, row: Variant) -> ProvenOn:
    device = _device(report, row)
    versus = row.versus_local
    return ProvenOn(
        device=row.device or LOCAL,
        cpu=report.host.cpu if device is None else device.cpu,
        machine=report.host.machine if device is None else device.machine,
        emulated=device is not None and device.kind is DeviceKind.EMULATED,
        faces=report.data.pairs.images if device is None else device.faces,
        faces_with_equal_bytes=None if versus is None else versus.equal_bytes,
    )


def _families(report: Report, rows: Iterable[Variant]) -> list[str]:
    """Families that the rows ran on, also where what came out was wrong."""
    devices = (_device(report, row) for row in rows if row.status is not Status.SKIPPED)
    machines = (report.host.machine if device is None else device.machine for device in devices)
    return list(dict.fromkeys(map(family, machines)))


def _device(report: Report, row: Variant) -> Device | None:
    """None: this host."""
    return next((device for device in report.devices if device.name == row.device), None)


def family(machine: str) -> str:
    """Family of processors that a machine's name belongs to; the name itself where it is none of ours."""
    known = _SIXTY_FOUR_BITS.get(machine.lower())
    return known or (_ARM32 if machine.lower().startswith("arm") else machine)
