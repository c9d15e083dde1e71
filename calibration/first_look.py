"""What the first bytes of strangers' files tell, before anything is imported that takes time or memory."""

import csv
from pathlib import Path

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file

PROTOCOL = "Protocol"
"""Of CFP."""
MAX_BYTES = 512 << 20
"""Of a set in one file: 12,000 faces as uncompressed pixels take 452 MB; LFW's JPEGs take 41 MB."""
_FIRST_BYTES = 4096
_ONNX_STARTS = b"\x08"
"""The field of the version."""
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")
_TAR, _TAR_AT = b"ustar", 257
_PICKLE_STARTS = (b"\x80", b"(", b"]")
"""A protocol, or in pickles older than those a tuple or a list."""


def look_at_pairs(path: Path) -> None:
    """Refuse what is neither an ordinary file of a set's size nor CFP's folder, and by how they start `.bin` and lists.

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
    if path.suffix != ".bin" and (line := _first_line(path)) is not None:
        from ghostface_edge.calibration.pairs_file import read_header

        read_header(path, line)


def look_at_landmarks(path: Path) -> None:
    """Refuse a table of landmarks by its columns.

    Raises:
        InputError: no ordinary file, or other columns.
    """
    line = _first_line(path)
    if line is not None:
        from ghostface_edge.calibration.landmarks import require_columns

        try:
            header = next(csv.reader([line]), [])
        except csv.Error:  # its reader says what is the matter
            return
        require_columns(path, header)


def look_at_photographs(path: Path) -> None:
    """Refuse what is neither a folder nor starts as an archive does.

    Raises:
        InputError: it is neither.
    """
    if path.is_dir():
        return
    from ghostface_edge.calibration.photos import open_photos

    open_photos(path)  # by its name
    fix = "download the archive again, whole"
    with open_file(path, fix=fix) as file:
        start = file.read(_FIRST_BYTES)
    if not start.startswith(_COMPRESSED) and not start.startswith(_TAR, _TAR_AT) and path.suffix != ".tar":
        raise InputError(f"{path} is no archive: it does not start as one does", fix=fix)


def look_at_detector(path: Path) -> None:
    """Refuse what is no ONNX file.

    Raises:
        InputError: it is none.
    """
    fix = "use OpenCV's face_detection_yunet ONNX file"
    with open_file(path, fix=fix) as file:
        if file.read(len(_ONNX_STARTS)) != _ONNX_STARTS:
            raise InputError(f"{path} is no face detector: it does not start as an ONNX file does", fix=fix)


def _first_line(path: Path) -> str | None:
    """None of what is no UTF-8, of which its reader says more."""
    with open_file(path, fix="give the path of a text file that you may read") as file:
        text = file.read(_FIRST_BYTES).decode("utf-8-sig", errors="replace")
    line = next(iter(text.splitlines()), "")
    return None if "\ufffd" in line else line
