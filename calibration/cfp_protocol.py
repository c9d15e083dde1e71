"""CFP's own protocol, frontal against profile: lists in a folder `Protocol`, beside the images or apart from them.

In: `Protocol/Pair_list_F.txt` and `Pair_list_P.txt` with lines `1 ../Data/Images/001/frontal/01.jpg`, and per split
`Protocol/Split/FP/01/same.txt` and `diff.txt` with lines `i,j`, the i-th frontal and the j-th profile image. Out: named
pairs, a fold per split.
Source: Sengupta et al. 2016, "Frontal to profile face verification in the wild", and the data set's Protocol folder.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostface_edge.calibration.faces import IMAGE_SUFFIXES, is_text
from ghostface_edge.calibration.first_look import PROTOCOL
from ghostface_edge.calibration.pairs_file import MAX_PAIRS, ImageName, NamedPair, PairsFile
from ghostface_edge.calibration.unusable import Unusable, unusable_error
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import read_text

IMAGES: Final = "Data/Images"
"""Where the data set itself has them."""
_FIX = "unpack CFP's Protocol folder again"
_MAX_LIST_BYTES = 1 << 22
"""CFP's longest list takes 200 kB."""
_MAX_LINES = 100_000
_MAX_SPLITS = 99
_LISTED = re.compile(r"(\d{1,6})\s+(?:\S*/)?([^/\s]+)/([^/\s]+)/([^/\s]+)\.\w+")
_PAIR = re.compile(r"\s*(\d{1,6})\s*,\s*(\d{1,6})\s*")


@dataclass(frozen=True, slots=True, order=True)
class CfpImage(ImageName):
    """One image of CFP; its number is that of its list."""

    stem: str = ""
    """`001/frontal/01`."""

    @property
    def file(self) -> str:
        """`001/frontal/01.jpg`."""
        return f"{self.stem}.jpg"


def read_cfp(folder: Path) -> PairsFile:
    """Read the lists of a folder that holds `Protocol`; every bad line is found before one error names the first.

    Raises:
        InputError: a list is missing, unreadable, or has lines that cannot be used; or splits differ in size.
    """
    protocol, unusable = folder / PROTOCOL, list[Unusable]()
    digest = hashlib.sha256()

    def read(name: str) -> list[str]:
        text = read_text(protocol / name, fix=_FIX, at_most=_MAX_LIST_BYTES)
        digest.update(f"{name}\n{text}\n".encode())
        lines = text.splitlines()
        if len(lines) > _MAX_LINES:
            raise InputError(f"{protocol / name} has {len(lines):,} lines, a list at most {_MAX_LINES:,}", fix=_FIX)
        return lines

    frontal, profile = (_images(name, read(name), unusable) for name in ("Pair_list_F.txt", "Pair_list_P.txt"))
    pairs: list[NamedPair] = []
    sizes = set()
    splits = _splits(protocol / "Split/FP")
    for split in splits:
        for label in ("same", "diff"):
            name = f"Split/FP/{split}/{label}.txt"
            lines = [line for line in read(name) if line.strip()]
            sizes.add((label, len(lines)))
            if len(pairs) + len(lines) > MAX_PAIRS:
                raise InputError(f"{protocol} lists more than {MAX_PAIRS:,} pairs", fix=_FIX)
            for number, line in enumerate(lines, start=1):
                try:
                    pairs.append(_pair(len(pairs) + 1, line, frontal, profile, same=label == "same"))
                except _BadLineError as error:
                    unusable.append(Unusable(f"{name}, line {number}", str(error)))
    if unusable:
        raise unusable_error(unusable, len(pairs) + len(unusable), f"lines of {protocol}", fix=_FIX)
    if len(sizes) != len(("same", "diff")):
        raise InputError(f"{protocol}: splits are not of one size, so they are no folds", fix=_FIX)
    return PairsFile(folder, digest.hexdigest(), len(splits), tuple(pairs), counted="pair")


def scan_poses(folder: Path) -> dict[str, Path]:
    """Find the images of FOLDER/PERSON/POSE/, by their names inside the folder.

    Raises:
        InputError: no folder, unreadable, or without images.
    """
    try:
        found = sorted(
            path
            for path in folder.glob("*/*/*")
            if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
        )
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}", fix="name CFP's folder of images") from None
    names = {path.relative_to(folder).as_posix(): path for path in found}
    for name in names:
        if not is_text(name):
            raise InputError(f"{folder} holds {name!a}, a name that is not UTF-8", fix="rename it")
    if not names:
        raise InputError(
            f"{folder} holds no images", fix="name a folder of CFP's images laid out as 001/frontal/01.jpg with --faces"
        )
    return names


class _BadLineError(Exception):
    """Why a line cannot be used."""


def _splits(folder: Path) -> list[str]:
    try:
        names = sorted(path.name for path in folder.iterdir() if re.fullmatch(r"\d{1,3}", path.name) and path.is_dir())
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}", fix=_FIX) from None
    if not 2 <= len(names) <= _MAX_SPLITS:
        raise InputError(f"{folder} holds {len(names)} splits, a protocol has 2 to {_MAX_SPLITS}", fix=_FIX)
    return names


def _images(name: str, lines: list[str], unusable: list[Unusable]) -> Mapping[int, CfpImage]:
    images: dict[int, CfpImage] = {}
    for number, line in enumerate(lines, start=1):
        listed = _LISTED.fullmatch(line.strip())
        if listed is None or {".", ".."} & {*listed.groups()} or not line.strip().isprintable():
            unusable.append(Unusable(f"{name}, line {number}", f"{line[:60]!r} names no image of a person and a pose"))
        elif int(listed[1]) in images:
            unusable.append(Unusable(f"{name}, line {number}", f"number {listed[1]} a second time"))
        else:
            place, person, pose, stem = listed.groups()
            images[int(place)] = CfpImage(person, int(place), f"{person}/{pose}/{stem}")
    return images


def _pair(
    number: int, line: str, frontal: Mapping[int, CfpImage], profile: Mapping[int, CfpImage], *, same: bool
) -> NamedPair:
    fields = _PAIR.fullmatch(line)
    if fields is None:
        raise _BadLineError(f"{line[:60]!r} is no pair of numbers")
    images = [lists.get(int(field)) for lists, field in zip((frontal, profile), fields.groups(), strict=True)]
    left, right = images
    if left is None or right is None:
        raise _BadLineError(f"{line.strip()[:60]!r} is a number that the lists of images lack")
    if (left.person == right.person) is not same:
        raise _BadLineError(
            f"persons {left.person} and {right.person} where a pair of {'one' if same else 'two'} is due"
        )
    return NamedPair(number, left, right)
