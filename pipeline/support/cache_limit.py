"""How much the cache may keep: `GHOSTFACE_EDGE_CACHE_LIMIT`, 4 GiB where it says nothing."""

import os
import re
from types import MappingProxyType
from typing import Final

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.printable import shortened

VARIABLE: Final = "GHOSTFACE_EDGE_CACHE_LIMIT"
_DEFAULT: Final = "4G"
_SIZE: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s?([KMGT])(?:I?B)?", re.ASCII)
_UNITS: Final = MappingProxyType({"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40})


def cache_limit() -> int:
    """Bytes that artifacts may take on the disk between two runs.

    Raises:
        InputError: what the variable says is no size; a number without a unit is none, since it could mean either.
    """
    told = os.environ.get(VARIABLE) or _DEFAULT
    found = _SIZE.fullmatch(told.strip().upper())
    if found is None:
        raise InputError(
            f"{VARIABLE} is '{shortened(told)}', which is no size", fix="write it with its unit, as 8G or 500M"
        )
    number, unit = found.groups()
    return int(float(number) * _UNITS[unit])


def size_text(size_bytes: float) -> str:
    """A size as people say it, in the units of the limit."""
    for unit, bytes_each in reversed(tuple(_UNITS.items())):
        if size_bytes >= bytes_each:
            return f"{size_bytes / bytes_each:.1f} {unit}iB"
    return f"{size_bytes:.0f} bytes"
