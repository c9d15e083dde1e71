"""LFW's pair lists: `pairs.txt`, `pairsDevTrain.txt`, `pairsDevTest.txt`, and lists of the same form.

In: a header (`folds<TAB>n`, or `n` alone for one fold), then per fold n lines `name i j` of one person and n lines
`name1 i name2 j` of two. Out: named pairs with their line numbers.
Source: http://vis-www.cs.umass.edu/lfw/README.txt.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from ghostface_edge.calibration.unusable import Unusable, unusable_error
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import read_bytes

_FIX = "write tab-separated lines, `name i j` for one person and `name1 i name2 j` for two"
_MAX_NUMBER = 9999
_MAX_BYTES = 1 << 24
"""LFW's 6,000 pairs take 155 kB."""
MAX_PAIRS = 200_000
_HEADER_LETTERS = 200


@dataclass(frozen=True, slots=True, order=True)
class ImageName:
    """One image as LFW numbers it."""

    person: str
    number: int
    """From 1."""

    @property
    def file(self) -> str:
        """`NAME/NAME_0001.jpg`."""
        return f"{self.person}/{self.person}_{self.number:04d}.jpg"


@dataclass(frozen=True, slots=True)
class NamedPair:
    """Two images, and the line that says so."""

    line: int
    left: ImageName
    right: ImageName

    @property
    def same(self) -> bool:
        """Whether both show one person."""
        return self.left.person == self.right.person


@dataclass(frozen=True, slots=True)
class PairsFile:
    """A parsed pair list."""

    path: Path
    sha256: str
    folds: int
    pairs: tuple[NamedPair, ...]
    counted: str = "line"
    """What a pair's number counts."""


def read_pairs_file(path: Path) -> PairsFile:
    """Parse a pair list whole; every bad line is found before one error names the first of them.

    Raises:
        InputError: unreadable, no text, a wrong header, lines missing or too many, or lines that cannot be used.
    """
    data = read_bytes(path, fix="name an existing pairs.txt", at_most=_MAX_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(f"{path}, line {line}: not UTF-8 text", fix="save the list as UTF-8") from None
    folds, per_fold = read_header(path, next(iter(text[:_HEADER_LETTERS].splitlines()), ""))
    lines = text.rstrip().splitlines()
    if len(lines) - 1 != 2 * folds * per_fold:
        raise InputError(
            f"{path} holds {len(lines) - 1:,} pairs, its header promises {2 * folds * per_fold:,} "
            f"({folds} folds of {per_fold} + {per_fold})",
            fix="download the list again, or mend its first line",
        )
    return PairsFile(path, hashlib.sha256(data).hexdigest(), folds, _pairs(path, lines, per_fold))


def read_header(path: Path, line: str) -> tuple[int, int]:
    """Folds, and pairs of each kind in a fold, by the first line.

    Raises:
        InputError: it is no header, or promises too much.
    """
    fields = line.split()
    if not 1 <= len(fields) <= 2 or not all(re.fullmatch("0*[1-9][0-9]{0,8}", field) for field in fields):
        raise InputError(f"{path}, line 1: {line[:60]!r} is no header", fix="start with folds<TAB>n, or n for one fold")
    folds, per_fold = (int(fields[0]), int(fields[1])) if len(fields) == 2 else (1, int(fields[0]))
    if (promised := 2 * folds * per_fold) > MAX_PAIRS:
        raise InputError(
            f"{path}, line 1: {promised:,} pairs are promised, more than {MAX_PAIRS:,}", fix="split the list"
        )
    return folds, per_fold


def _pairs(path: Path, lines: list[str], per_fold: int) -> tuple[NamedPair, ...]:
    pairs, unusable = [], []
    for number, line in enumerate(lines[1:], start=2):
        expect_same = (number - 2) // per_fold % 2 == 0
        try:
            pairs.append(_pair(number, line, expect_same))
        except _BadLineError as error:
            unusable.append(Unusable(f"line {number}", str(error)))
    if unusable:
        raise unusable_error(unusable, len(lines) - 1, f"pairs of {path}", fix=_FIX)
    return tuple(pairs)


class _BadLineError(Exception):
    """Why a line cannot be used."""


def _pair(number: int, line: str, expect_same: bool) -> NamedPair:
    fields = line.split("\t") if "\t" in line else line.split()
    if len(fields) not in (3, 4):
        raise _BadLineError(f"{len(fields)} fields instead of 3 or 4")
    if (len(fields) == 3) != expect_same:
        raise _BadLineError(f"{len(fields)} fields where a pair of {'one person' if expect_same else 'two'} is due")
    left = ImageName(_name(fields[0]), _number(fields[1]))
    right = ImageName(left.person if expect_same else _name(fields[2]), _number(fields[-1]))
    if left == right:
        raise _BadLineError("one image twice")
    if not expect_same and left.person == right.person:
        raise _BadLineError("one person twice where a pair of two is due")
    return NamedPair(number, left, right)


def _name(field: str) -> str:
    if not field or field in (".", "..") or not field.isprintable() or any(mark in field for mark in "/\\"):
        raise _BadLineError(f"{field[:60]!r} is no person's name")
    return field


def _number(field: str) -> int:
    if not (field.isascii() and field.isdigit() and len(field) <= 4 and 1 <= int(field) <= _MAX_NUMBER):
        raise _BadLineError(f"{field[:60]!r} is no image number from 1 to {_MAX_NUMBER}")
    return int(field)
