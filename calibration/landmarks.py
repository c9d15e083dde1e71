"""Five landmarks per photograph, from a CSV.

In: a header row `image,left_eye_x,left_eye_y,...` and one row per photograph; "left" is the image's left. Out: points
by photograph name, in the order of the ArcFace template.
"""

import csv
import hashlib
import io
import math
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.image_file import MAX_PIXELS
from ghostface_edge.calibration.unusable import Unusable, unusable_error
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import read_bytes

_SHOWN = 80
_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
COLUMNS = ("image", *(f"{point}_{axis}" for point in _POINTS for axis in "xy"))
_FIX = f"write one row per image with the columns {','.join(COLUMNS)}, in pixels"


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Points of many photographs."""

    path: Path
    sha256: str
    points: Mapping[str, NDArray[np.float64]]
    """(5, 2) pixels by photograph name, `NAME/NAME_0001.jpg`."""


class _BadRowError(Exception):
    """Why a row cannot be used."""


def read_landmarks(path: Path) -> Landmarks:
    """Parse a landmark table whole; every bad row is found before one error names the first of them.

    Raises:
        InputError: unreadable, other columns, or rows that cannot be used.
    """
    data = read_bytes(path, fix="name an existing landmark CSV")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text", fix=_FIX) from None
    rows = csv.reader(io.StringIO(text, newline=""))
    points: dict[str, NDArray[np.float64]] = {}
    unusable = []
    try:
        require_columns(path, next(rows, []))
        for row in rows:
            try:
                name, coordinates = _row(row, points)
            except _BadRowError as error:
                unusable.append(Unusable(f"line {rows.line_num}", str(error)))
            else:
                points[name] = coordinates
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: {error}", fix=_FIX) from None
    if unusable:
        raise unusable_error(unusable, len(points) + len(unusable), f"rows of {path}", fix=_FIX)
    return Landmarks(path, hashlib.sha256(data).hexdigest(), points)


def require_columns(path: Path, header: list[str]) -> None:
    """Refuse a table with other columns.

    Raises:
        InputError: it has.
    """
    if tuple(header) != COLUMNS:
        raise InputError(f"{path}, line 1: the columns are {','.join(header)[:200]!r}", fix=_FIX)


def _row(row: list[str], seen: Container[str]) -> tuple[str, NDArray[np.float64]]:
    if len(row) != len(COLUMNS):
        raise _BadRowError(f"{len(row)} fields instead of {len(COLUMNS)}")
    try:
        numbers = [float(field) for field in row[1:]]
    except ValueError as error:
        raise _BadRowError(str(error)[:_SHOWN]) from None
    if not all(map(math.isfinite, numbers)):
        raise _BadRowError("a coordinate is not finite")
    if max(map(abs, numbers)) > MAX_PIXELS:
        raise _BadRowError("a coordinate lies outside of any photograph")
    if row[0] in seen:
        raise _BadRowError(f"{row[0][:60]} stands there twice")
    return row[0], np.array(numbers).reshape(len(_POINTS), 2)
