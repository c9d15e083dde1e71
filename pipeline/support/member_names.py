"""Names of files that are handed on, in a bundle or by a store: relative, and one file each on every system.

In: names. Out: what is wrong with them, or None.
"""

import unicodedata
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

MAX_NAME_BYTES: Final = 255
"""Of a whole name in UTF-8: the shortest limit of a path among systems that bundles are unpacked on is 260."""
_RESERVED = frozenset('\\:*?"<>|')
"""Of Windows: separators, drives, streams and patterns."""
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", *(f"{port}{digit}" for port in ("COM", "LPT") for digit in range(10))}
)
"""Of Windows, in any folder and with any suffix."""


def problem_of_name(name: str) -> str | None:
    """Say why a name is none for a file that is handed on; the name is quoted, so that it cannot disguise itself."""
    parts = name.split("/")
    if not name or name.startswith("/"):
        problem = "it is no path inside its folder"
    elif any(not part or part != part.strip(" ") or part.endswith(".") for part in parts):
        problem = "a part of it is empty, . or .., begins or ends with a space, or ends with a dot"
    elif any(part.split(".")[0].upper() in _DEVICES for part in parts):
        problem = "a part of it is the name of a device on Windows"
    elif not name.isprintable() or _RESERVED.intersection(name):
        problem = "it holds a character that not every system takes in a name"
    elif unicodedata.normalize("NFC", name) != name:
        problem = "it is not in Unicode's normal form C"
    elif len(name.encode()) > MAX_NAME_BYTES:
        problem = f"it has more than {MAX_NAME_BYTES} bytes"
    else:
        return None
    shown = ascii(name if len(name) <= MAX_NAME_BYTES else f"{name[:40]}…")
    return f"{shown} cannot be the name of a file that is handed on: {problem}"


def problem_of_all(names: Iterable[str]) -> str | None:
    """Say which two names some system would take for one, or which is both a file and a folder."""
    spelt: dict[str, str] = {}
    files: set[str] = set()
    folders: set[str] = set()
    for name in names:
        places = list(accumulate(name.split("/"), "{}/{}".format))
        for place in places:
            if (other := spelt.setdefault(_folded(place), place)) != place:
                return f"{place} and {other} are one and the same where case does not count"
        if name in files:
            return f"{name} occurs more than once"
        files.add(name)
        folders.update(places[:-1])
    both = sorted(files & folders)
    return f"{', '.join(both)}: both a file and a folder" if both else None


def _folded(name: str) -> str:
    """Alike for names that a system without case takes for one."""
    return unicodedata.normalize("NFC", name.casefold())
