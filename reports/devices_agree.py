"""Devices and the rows that ran there: what they say about each other and about this host's rows.

In: a report. Out: every field that others make impossible, by its place.
"""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ghostface_edge.reports.devices import LOCAL, Device, DeviceKind, Footprint, Sustained, VersusLocal
from ghostface_edge.reports.figures_agree import NEAR, NEAR_PP, Problem, holds, near, width
from ghostface_edge.reports.variant import Status, Variant

if TYPE_CHECKING:
    from ghostface_edge.reports.report import Report


def devices_disagree(report: "Report") -> Iterator[Problem]:
    """Check what every device says of itself, of the pairs and of this host's variants."""
    names = [device.name for device in report.devices]
    local = {variant.id for variant in report.local_variants}
    for number, device in enumerate(report.devices):
        place = f"devices.{number}"
        if names.count(device.name) > 1:
            yield f"{place}.name", f"two devices are called {device.name!r}"
        yield from _at(place, _device(device, report))
        for name in {*device.energy_mj_per_face, *(run.variant for run in device.sustained)} - local:
            yield place, f"there is no variant {name!r}"


def rows_disagree(report: "Report") -> Iterator[Problem]:
    """Check every row by its device and by the row of this host."""
    names = [device.name for device in report.devices]
    local = {variant.id: variant for variant in report.local_variants}
    for number, variant in enumerate(report.variants):
        if variant.device is None:
            yield from _at(f"variants.{number}", _of_a_device_only(variant))
        elif variant.device not in names:
            yield f"variants.{number}.device", f"devices has no {variant.device!r}"
        else:
            device = report.devices[names.index(variant.device)]
            yield from _at(f"variants.{number}", _row(variant, device, local.get(variant.local_id), report))


def _device(device: Device, report: "Report") -> Iterator[Problem]:
    pairs = report.data.pairs
    if (device.name == LOCAL) != (device.kind is DeviceKind.LOCAL):
        yield "kind", f"{device.kind}, but {LOCAL!r} is what this host is called"
    if device.kind is DeviceKind.EMULATED and (device.is_timed or device.sustained or device.energy_mj_per_face):
        yield "is_timed", "an emulated CPU has no times"
    if not device.same <= device.pairs <= pairs.count or device.same > (
        pairs.count if pairs.same is None else pairs.same
    ):
        yield "pairs", f"{device.same:,} of one person of {device.pairs:,} pairs, but all are {pairs.count:,}"
    if not (device.faces <= 2 * device.pairs and device.faces <= (pairs.images or 2 * pairs.count)):
        yield "faces", f"{device.faces:,} distinct images of {device.pairs:,} pairs"
    for number, run in enumerate(device.sustained):
        yield from _at(f"sustained.{number}", _sustained(run))


def _sustained(run: Sustained) -> Iterator[Problem]:
    ends = [sample.seconds for sample in run.samples]
    if any(later <= earlier for earlier, later in itertools.pairwise(ends)):
        yield "samples", "each ends after the one before"
    if run.p90_ms < min(sample.p50_ms for sample in run.samples):
        yield "p90_ms", f"{run.p90_ms:g}, but the medians are all above it"


def _of_a_device_only(variant: Variant) -> Iterator[Problem]:
    if "@" in variant.id:
        yield "device", f"{variant.id!r} names one"
    if any((variant.versus_local, variant.instructions_per_face, variant.footprint)):
        yield "device", "figures of a device, but none is named"


def _row(variant: Variant, device: Device, local: Variant | None, report: "Report") -> Iterator[Problem]:
    """A file that was built here ran there: what it is stands in the row of this host."""
    if variant.id != f"{variant.local_id}@{device.name}":
        yield "id", f"{variant.id!r} does not end with `@{device.name}`"
        return
    if device.kind is DeviceKind.LOCAL:
        yield "device", "a row of this host names none"
    if local is None:
        yield "id", f"there is no variant {variant.local_id!r} of this host"
        return
    for field in ("runtime", "precision", "method", "artifact"):
        if getattr(variant, field) != getattr(local, field):
            yield field, f"not that of {local.id}, which ran there"
    if variant.status is Status.OK and local.status is not Status.OK:
        yield "status", f"ok, but {local.id} is {local.status}"
    yield from _cost(variant, device)
    there, here = variant.accuracy, local.accuracy
    if there is None or here is None or variant.versus_local is None:
        return
    yield from _at("versus_local", _faces(variant.versus_local, device))
    yield from _at("versus_local", _pairs(variant.versus_local, device, folds=max(len(there.folds), 1)))
    drop = 100 * (here.mean - there.mean)
    if device.pairs == report.data.pairs.count and not near(drop, variant.versus_local.drop_pp, NEAR_PP):
        yield "versus_local.drop_pp", f"{variant.versus_local.drop_pp:g}, but the accuracies make it {drop:g}"


def _cost(variant: Variant, device: Device) -> Iterator[Problem]:
    if (variant.latency is not None) != (device.is_timed and variant.status is Status.OK):
        yield "latency", f"{device.name} {'is timed' if device.is_timed else 'has no times'}"
    if variant.instructions_per_face is not None and device.kind is not DeviceKind.EMULATED:
        yield "instructions_per_face", f"counted where nothing is emulated, on {device.name}"
    if variant.footprint is not None:
        yield from _footprint(variant.footprint, device)


def _footprint(footprint: Footprint, device: Device) -> Iterator[Problem]:
    if device.python is not None:
        yield "footprint", f"of a program without a system, but {device.name} has one"
    used = footprint.ram_bytes + footprint.stack_bytes
    if device.memory_mb is not None and used > device.memory_mb * 2**20:
        yield "footprint.ram_bytes", f"{used:,} bytes with the stack, but {device.name} has {device.memory_mb:g} MB"


def _faces(versus: VersusLocal, device: Device) -> Iterator[Problem]:
    faces, equal, lowest = versus.faces, versus.equal_bytes, versus.cosine_min
    if faces != device.faces or equal > faces:
        yield "faces", f"{equal:,} equal of {faces:,}, but {device.faces:,} ran on {device.name}"
        return
    if equal < faces:
        least, most = (equal + (faces - equal) * lowest) / faces, (faces - 1 + lowest) / faces
        if not least - NEAR <= versus.cosine_mean <= most + NEAR:
            yield "cosine_mean", f"{versus.cosine_mean:g}, but the faces that differ make it {least:g} to {most:g}"
    elif not (near(versus.cosine_mean, 1) and near(lowest, 1)) or any(
        (versus.max_abs, versus.flipped_pairs, versus.first_difference)
    ):
        yield "equal_bytes", "all faces have the same bytes, so nothing can differ"


def _pairs(versus: VersusLocal, device: Device, *, folds: int) -> Iterator[Problem]:
    if folds > device.pairs:
        yield "faces", f"{device.pairs:,} pairs of them, but {folds} folds"
        return
    if versus.flipped_pairs > device.pairs:
        yield "flipped_pairs", f"{versus.flipped_pairs:,} of {device.pairs:,} pairs"
    most = 100 / folds * versus.flipped_pairs / (device.pairs // folds)
    if abs(versus.drop_pp) > most + NEAR_PP:
        yield "drop_pp", f"{versus.drop_pp:g}, but the changed decisions make it {most:g} at most"
    yield from holds(versus.ci95_pp, versus.drop_pp, "ci95_pp", point_field="drop_pp")
    yield from width(versus, device.pairs, "ci95_pp")


def _at(place: str, problems: Iterator[Problem]) -> Iterator[Problem]:
    return ((f"{place}.{field}", problem) for field, problem in problems)
