"""Two releases compared: weights, scales, thresholds, figures, options and versions.

In: two bundles that are whole. Out: a value, and the sections that show it.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ghostface_edge.pipeline.release.archive import Archive, opened
from ghostface_edge.pipeline.release.check import Checked, check
from ghostface_edge.pipeline.release.contents import QUANTIZATION
from ghostface_edge.pipeline.release.file_difference import difference
from ghostface_edge.pipeline.release.integrator import RUNNERS
from ghostface_edge.pipeline.release.ranges import scales_of
from ghostface_edge.pipeline.release.statement import ProvenanceStatement
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.blocks import Align, Column, Reach, Table
from ghostface_edge.reports.difference import Difference, compare
from ghostface_edge.reports.record import Record, Text
from ghostface_edge.reports.section import Section

_FIX: Final = "get the bundle again from where it was made"
_ABSENT: Final = "absent"
_BOTH: Final = ("Before", "After")


class FileChange(Record):
    """A file that both do not have alike."""

    name: Text
    how: Text
    """`added`, `removed`, or what differs first."""


class ValueChange(Record):
    """Something that has another value."""

    what: Text
    before: Text
    after: Text


class ReleaseDifference(Record):
    """Two releases compared."""

    figures: Difference
    files: tuple[FileChange, ...]
    scales: tuple[ValueChange, ...]
    """By tensor: scale and zero point."""
    thresholds: tuple[ValueChange, ...]
    """By variant and false-match rate."""
    origin: tuple[ValueChange, ...]
    """Options, policy and versions."""


def compare_bundles(before: Path, after: Path) -> ReleaseDifference:
    """Compare two bundles.

    Raises:
        InputError: one is not whole.
    """
    with (
        opened(before, where=str(before), fix=_FIX) as first,
        opened(after, where=str(after), fix=_FIX) as second,
        Store().scratch() as scratch,
    ):
        one, other = check(first), check(second)
        return ReleaseDifference(
            figures=compare(one.report, other.report),
            files=tuple(_files(first, second, one, other, scratch)),
            scales=tuple(_changes(_scales(first), _scales(second))),
            thresholds=tuple(_changes(_thresholds(one), _thresholds(other))),
            origin=tuple(_changes(_origin(one.manifest.provenance), _origin(other.manifest.provenance))),
        )


def _files(first: Archive, second: Archive, one: Checked, other: Checked, scratch: Path) -> Iterator[FileChange]:
    before, after = one.manifest.files, other.manifest.files
    for name in sorted(before.keys() | after.keys()):
        if not name.startswith(("models/", RUNNERS)) or before.get(name) == after.get(name):
            continue
        if name not in before or name not in after:
            yield FileChange(name=name, how="added" if name in after else "removed")
            continue
        paths = scratch / f"was{Path(name).suffix}", scratch / f"now{Path(name).suffix}"
        for archive, path in zip((first, second), paths, strict=True):
            with path.open("wb") as file:
                file.writelines(archive.blocks(name))
        yield FileChange(name=name, how=difference(*paths))


def _scales(archive: Archive) -> dict[str, str]:
    if QUANTIZATION not in archive.members:
        return {}
    return {name: f"{scale!r}, {zero_point}" for name, (scale, zero_point) in scales_of(archive).items()}


def _thresholds(checked: Checked) -> dict[str, str]:
    return {
        f"{entry.id} at {fmr}": f"{at.threshold:.4f}"
        for entry in checked.manifest.variants
        for fmr, at in entry.at_fmr.items()
    }


def _origin(statement: ProvenanceStatement) -> dict[str, str]:
    told = statement.request.model_dump(mode="json", by_alias=False, exclude={"policy"})
    flat = dict(_flat(told))
    flat["policy"] = statement.request.policy.name
    flat |= {one.name: one.digest.sha256[:16] for one in statement.dependencies if one.name and one.digest}
    return flat | statement.packages | {"Python": statement.making.host.python}


def _flat(told: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in told.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", str(value)


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[ValueChange]:
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if was != now:
            yield ValueChange(what=name, before=was, after=now)


def sections(found: ReleaseDifference) -> list[Section]:
    """What to show beside the figures, as far as it differs."""
    tables: list[tuple[str, str, tuple[str, ...], list[tuple[str, ...]]]] = [
        ("files", "Files", ("File", "What differs first"), [(one.name, one.how) for one in found.files]),
        ("scales", "Scales and zero points", ("Tensor", *_BOTH), _rows(found.scales)),
        ("thresholds", "Thresholds", ("Variant and false-match rate", *_BOTH), _rows(found.thresholds)),
        ("origin", "Options and versions", ("What", *_BOTH), _rows(found.origin)),
    ]
    return [
        Section(anchor, title, [Table([Column(head, Align.WIDE) for head in heads], rows, reach=Reach.TERMINAL)])
        for anchor, title, heads, rows in tables
        if rows
    ]


def _rows(changes: Sequence[ValueChange]) -> list[tuple[str, ...]]:
    return [(one.what, one.before, one.after) for one in changes]
