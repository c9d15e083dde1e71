"""Devices: what every file gave there, what differs from this host, which one to ship, and how the times came about."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import (
    Align,
    Block,
    Bullet,
    Bullets,
    Cell,
    Column,
    Folded,
    Heading,
    Note,
    Reach,
    Span,
    Style,
    Table,
    Tone,
)
from ghostface_edge.reports.devices import LOCAL, Conditions, Device, DeviceKind, Footprint, VersusLocal
from ghostface_edge.reports.recommend import Recommendation, recommend
from ghostface_edge.reports.report import Report, Verdict
from ghostface_edge.reports.section import Findings, Section
from ghostface_edge.reports.sections.recommended import choice, recommended
from ghostface_edge.reports.sections.sustained import sustained
from ghostface_edge.reports.variant import Status, Variant

_BEST: Final = "★ "
_READING = (
    "★: the file to ship there, the fastest of those that keep their limits here and lose nothing on the way. "
    "Equal: faces whose embedding has the same bytes as on this host; where not all are, the lowest cosine to this "
    "host's follows. Red breaks a limit, amber leaves one open."
)
_EMULATED = " M/face: million instructions for one face on an emulated CPU, whose times say nothing and are not shown."
_DIFFERENCES = (
    Column("Variant"),
    *("Equal faces", "Mean cosine", "lowest", "Largest difference", "Drop pp", "95 % interval"),
    "Changed decisions",
)
_FOOTPRINTS = (Column("Variant"), "Flash bytes", "RAM bytes", "Stack bytes", "M instructions/face")
_FOOTPRINT = (
    "The whole program: the model, the arena, one face, one embedding, and what reads and writes them. "
    "The stack is what was touched, on top of the RAM."
)


def devices(findings: Findings) -> Section | None:
    """Every device beside this host, where there is one."""
    report = findings.report
    if not report.devices:
        return None
    rows = [variant for variant in report.variants if variant.device is not None]
    ran = [LOCAL, *(device.name for device in report.devices if device.name != LOCAL)]
    advice = {name: recommend(report, name) for name in ran if name == LOCAL or any(row.device == name for row in rows)}
    emulated = any(row.instructions_per_face is not None for row in rows)
    blocks: list[Block] = [
        _table(report, ran, advice),
        Note(_READING + (_EMULATED if emulated else ""), soft=True),
        Bullets([*map(choice, advice.values()), *_throttled(report)], reach=Reach.TERMINAL),
        *_reasons(advice),
        *_differences(rows),
        *_footprints(rows),
        Folded("What the devices are, and how they were timed", (_facts(report),)),
        *(block for device in report.devices for block in sustained(device)),
    ]
    return Section("devices", "Devices", blocks)


def _table(report: Report, ran: list[str], advice: Mapping[str, Recommendation]) -> Table:
    """Variants by devices, this host first."""
    by_place = {(variant.local_id, variant.device or LOCAL): variant for variant in report.variants}
    columns = [Column(name, Align.RIGHT, spare=number) for number, name in enumerate(ran)]
    lines = []
    for variant in report.local_variants:
        cells = []
        for name in ran:
            best = advice[name].chosen if name in advice else None
            is_best = best is not None and best.variant == variant.id
            cells.append(_cell(report, by_place.get((variant.id, name)), is_best=is_best))
        lines.append([variant.id, *cells])
    return Table((Column("Variant"), *columns), lines, reach=Reach.TERMINAL)


def _cell(report: Report, row: Variant | None, *, is_best: bool) -> Cell | str:
    if row is None:
        return wording.MISSING
    if row.status is not Status.OK:
        return Cell(row.status.value, Tone(row.status.value), hover=row.error or "")
    parts = [part for part in (_alike(row.versus_local), _cost(row)) if part]
    text = ", ".join(parts) or "ok"
    verdict = wording.verdict_of(report, row)
    judged = None if verdict in {None, Verdict.PASS} else Tone(verdict.value)
    words = Span(_BEST + text, Style.STRONG) if is_best else text
    return Cell(words, judged, sort=_sort(row), hover=f"{row.id}: {verdict or 'not judged'}")


def _alike(versus: VersusLocal | None) -> str:
    if versus is None:
        return ""
    if versus.equal_bytes == versus.faces:
        return "all equal"
    return f"{100 * versus.equal_bytes / versus.faces:.1f} % equal, cos {versus.cosine_min:.4f}"


def _cost(row: Variant) -> str:
    if row.latency is not None:
        return f"{row.latency.p50_ms:.2f} ms"
    return "" if row.instructions_per_face is None else f"{row.instructions_per_face / 1e6:.1f} M/face"


def _sort(row: Variant) -> float | None:
    return row.instructions_per_face if row.latency is None else row.latency.p50_ms


def _reasons(advice: Mapping[str, Recommendation]) -> Iterator[Block]:
    blocks: list[Block] = []
    for device, one in advice.items():
        blocks += [Heading(device), *recommended(one).blocks[1:]]  # the choice itself is above
    yield Folded("Why this file and not another", blocks)


def _differences(rows: list[Variant]) -> Iterator[Block]:
    """What this host and a device give differently."""
    compared = [(row, row.versus_local) for row in rows if row.versus_local is not None]
    differ = [(row, versus) for row, versus in compared if versus.equal_bytes < versus.faces]
    equal = [row.id for row, versus in compared if versus.equal_bytes == versus.faces]
    yield Heading("What differs from this host")
    if equal:
        yield Note(f"Not one byte in {wording.enumeration(equal)}.")
    if differ:
        yield Table(_DIFFERENCES, [_difference(row, versus) for row, versus in differ])
        yield Bullets([bullet for row, versus in differ for bullet in _first(row, versus)])


def _first(row: Variant, versus: VersusLocal) -> Iterator[Bullet]:
    first = versus.first_difference
    if first is not None:
        words = (" parts from it at ", Span(first.tensor), f" ({first.operator}). Likely cause: {first.cause}")
        yield Bullet((Span(row.id, Style.STRONG), *words))


def _difference(row: Variant, versus: VersusLocal) -> list[Cell | str]:
    return [
        row.id,
        f"{versus.equal_bytes:,} of {versus.faces:,}",
        f"{versus.cosine_mean:.5f}",
        f"{versus.cosine_min:.4f}",
        f"{versus.max_abs:.2g}",
        wording.loss(versus.drop_pp),
        wording.interval(versus.ci95_pp),
        f"{versus.flipped_pairs:,}",
    ]


def _footprints(rows: list[Variant]) -> Iterator[Block]:
    """What programs without a system take of their boards."""
    measured = [(row, row.footprint) for row in rows if row.footprint is not None]
    if measured:
        yield Heading("Flash, RAM and stack without a system")
        yield Note(_FOOTPRINT, soft=True)
        yield Table(_FOOTPRINTS, [_footprint(row, footprint) for row, footprint in measured])


def _footprint(row: Variant, footprint: Footprint) -> list[Cell | str]:
    sizes = (footprint.flash_bytes, footprint.ram_bytes, footprint.stack_bytes)
    count = row.instructions_per_face
    return [row.id, *(f"{size:,}" for size in sizes), wording.MISSING if count is None else f"{count / 1e6:.1f}"]


def _throttled(report: Report) -> Iterator[Bullet]:
    for device in report.devices:
        if device.conditions is not None and device.conditions.throttled:
            yield Bullet((Span(device.name, Style.STRONG), ": throttled while it was timed"), Tone.CAREFUL)


def _facts(report: Report) -> Table:
    """Facts by devices, those that no device has left out."""
    known = report.devices
    lines = [(name, [fact(device) for device in known]) for name, fact in _FACTS]
    rows = [[name, *(cell or wording.MISSING for cell in cells)] for name, cells in lines if any(cells)]
    return Table((Column("Device"), *(Column(device.name, Align.WIDE) for device in known)), rows)


def _of_conditions(fact: Callable[[Conditions], str]) -> Callable[[Device], str]:
    return lambda device: "" if device.conditions is None else fact(device.conditions)


def _change(before: float | None, after: float | None) -> str:
    if before is None and after is None:
        return ""
    return f"{wording.number(before, ',.0f')} → {wording.number(after, ',.0f')}"


def _energy(device: Device) -> str:
    return ", ".join(f"{name} {energy:.3g}" for name, energy in device.energy_mj_per_face.items())


_FACTS: Final[tuple[tuple[str, Callable[[Device], str]], ...]] = (
    ("Reached", lambda device: "emulated here" if device.kind is DeviceKind.EMULATED else device.kind.value),
    ("CPU", lambda device: f"{device.cpu}, {device.machine}"),
    ("System", lambda device: device.os),
    ("Python", lambda device: device.python or ""),
    ("Runtimes", lambda device: ", ".join(f"{name} {version}" for name, version in device.runtimes.items())),
    ("Memory MB", lambda device: "" if device.memory_mb is None else f"{device.memory_mb:,.0f}"),
    ("Faces", lambda device: f"{device.faces:,} in {wording.count(device.pairs, 'pair')}"),
    ("Times", lambda device: "count" if device.is_timed else "do not count"),
    ("Governor", _of_conditions(lambda at: at.governor or "")),
    ("MHz, before → after", _of_conditions(lambda at: _change(at.before.frequency_mhz, at.after.frequency_mhz))),
    ("°C, before → after", _of_conditions(lambda at: _change(at.before.temperature_c, at.after.temperature_c))),
    ("Throttled", _of_conditions(lambda at: {None: "", True: "yes", False: "no"}[at.throttled])),
    ("Pinned to cores", _of_conditions(lambda at: ", ".join(map(str, at.cores)))),
    ("Other load", _of_conditions(lambda at: wording.number(at.load, ".2f") if at.load is not None else "")),
    ("mJ per face", _energy),
)
