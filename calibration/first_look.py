"""What the first bytes of a verification set tell, before anything is imported that takes time or memory."""

from pathlib import Path

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file

PROTOCOL = "Protocol"
"""Of CFP."""
MAX_BYTES = 512 << 20
"""Of a set in one file: 12,000 faces as uncompressed pixels take 452 MB; LFW's JPEGs take 41 MB."""
_PICKLE_STARTS = (b"\x80", b"(", b"]")
"""A protocol, or in pickles older than those a tuple or a list."""


def look_at_pairs(path: Path) -> None:
    """Refuse what is neither an ordinary file of a set's size nor CFP's folder, and a `.bin` that is no pickle.

    Raises:
        InputError: it is that.
    """
    if (path / PROTOCOL).is_dir():
        return
    fix = f"name a .bin, a pairs.txt or a folder that holds CFP's {PROTOCOL}"
    with open_file(path, fix=fix, at_most=MAX_BYTES) as file:
        if path.suffix == ".bin" and not file.read(1).startswith(_PICKLE_STARTS):
            raise InputError(
                f"{path} is no InsightFace .bin: it does not start as a pickle does",
                fix="use an InsightFace verification file such as lfw.bin, downloaded whole",
            )
