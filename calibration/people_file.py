"""Who belongs to which group: a CSV of attributes of people, such as sex or region.

In: a header line `person,ATTRIBUTE,...` and a line per person, spelt as in the pair list; an empty field is not told.
Out: a value by person for each attribute.
"""

import csv
import io
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostface_edge.calibration.gallery_folder import GalleryFolder
from ghostface_edge.calibration.unusable import Unusable, unusable_error
from ghostface_edge.calibration.verification import VerificationSet
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.groups import PeopleFile
from ghostface_edge.reports.printable import shortened
from ghostface_edge.reports.read import read_text

_PERSON: Final = "person"
_MAX_BYTES: Final = 1 << 24
_MAX_ATTRIBUTES, _MAX_VALUES = 20, 50
"""A group needs many people; what has more values than this is no attribute of groups."""
_LONGEST: Final = 200
_FIX: Final = "write a header `person,ATTRIBUTE,...` and one line per person with as many fields"


@dataclass(frozen=True, slots=True)
class People:
    """Attributes of people."""

    path: Path
    sha256: str
    names: frozenset[str]
    attributes: Mapping[str, Mapping[str, str]]
    """By attribute, the value of each person of whom it is told."""

    def record(self, names: Collection[str]) -> PeopleFile:
        """How far the file is about the people of a gallery."""
        shown = frozenset(names)
        return PeopleFile(
            path=str(self.path),
            sha256=self.sha256,
            people=len(self.names),
            not_in_gallery=len(self.names - shown),
            not_said={name: len(shown - values.keys()) for name, values in self.attributes.items()},
        )


def people_of(pairs: VerificationSet | GalleryFolder, path: Path) -> People:
    """Attributes of the people of a verification set or gallery.

    Raises:
        InputError: as `read_people`, or the set has no names, or the file has others.
    """
    people = read_people(path)
    if not pairs.people:
        raise InputError(
            f"{path} tells groups, but nobody on the images of {pairs.path} is known",
            fix="lay the pairs.txt that it was made from beside the .bin",
        )
    if not pairs.people & people.names:
        raise InputError(
            f"{path} names {len(people.names):,} people, and none of them is in {pairs.path}",
            fix=f"spell names as there, such as {min(pairs.people)}",
        )
    return people


class _BadRowError(Exception):
    """Why a row cannot be used."""


def read_people(path: Path) -> People:
    """Parse a table of people whole; every bad row is found before one error names the first of them.

    Raises:
        InputError: unreadable, no attributes, rows that cannot be used, or a column that makes no groups.
    """
    text = read_text(path, fix="name an existing CSV of people", at_most=_MAX_BYTES)
    rows = csv.reader(io.StringIO(text, newline=""))
    told: dict[str, list[str]] = {}
    unusable = []
    try:
        attributes = _attributes(path, next(rows, []))
        for row in filter(None, rows):
            try:
                name, *values = _row(row, 1 + len(attributes), told)
            except _BadRowError as error:
                unusable.append(Unusable(f"line {rows.line_num}", str(error)))
            else:
                told[name] = values
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: {error}", fix=_FIX) from None
    if unusable:
        raise unusable_error(unusable, len(told) + len(unusable), f"rows of {path}", fix=_FIX)
    by_attribute = {
        attribute: {name: values[place] for name, values in told.items() if values[place]}
        for place, attribute in enumerate(attributes)
    }
    for attribute, of_person in by_attribute.items():
        if (count := len({*of_person.values()})) > _MAX_VALUES:
            raise InputError(
                f"{path}: {attribute!r} has {count:,} values, more than the {_MAX_VALUES} that groups may have",
                fix="leave the column out, or put its values together",
            )
    return People(path, file_sha256(path), frozenset(told), by_attribute)


def _attributes(path: Path, header: list[str]) -> list[str]:
    try:
        first, *attributes = _row(header, len(header)) if header else [""]
    except _BadRowError as error:
        raise InputError(f"{path}, line 1: {error}", fix=_FIX) from None
    if first != _PERSON or not attributes or "" in attributes:
        raise InputError(f"{path}, line 1: the columns are {shortened(','.join(header))!r}", fix=_FIX)
    twice = next((name for name in attributes if attributes.count(name) > 1), None)
    if twice is not None or len(attributes) > _MAX_ATTRIBUTES:
        problem = f"{len(attributes)} attributes, more than {_MAX_ATTRIBUTES}" if twice is None else f"{twice!r} twice"
        raise InputError(f"{path}, line 1: {problem}", fix=_FIX)
    return attributes


def _row(row: list[str], fields: int, told: Container[str] = ()) -> list[str]:
    """The fields of a row without the blanks around them; its first is not told yet."""
    if len(row) != fields:
        raise _BadRowError(f"{len(row)} fields instead of {fields}")
    stripped = [field.strip() for field in row]
    if not stripped[0]:
        raise _BadRowError("nobody is named")
    if stripped[0] in told:
        raise _BadRowError(f"{shortened(stripped[0])!r} stands there twice")
    for field in stripped:
        if len(field) > _LONGEST or not field.isprintable():
            raise _BadRowError(f"{shortened(field)!r} is no name of a person or a group")
    return stripped
