"""Files of others in: ordinary files only, and no more of them than is asked for.

In: a path from a user, a file or a report. Out: its bytes. A pipe, a device or a folder is refused before anything is
read of it, so that none can hold the program or fill its memory; so is a file above its limit, by its size.
"""

import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from ghostface_edge.reports.errors import InputError

MAX_TEXT_BYTES: Final = 64 * 2**20
"""Of a text file that people write or a tool of ours wrote: the report of all LFW pairs takes 4 MB."""
_PIECE_BYTES: Final = 1 << 20
"""A read takes room for all that it asks for at once, whatever the file has."""


def open_file(path: Path, *, fix: str, at_most: int | None = None) -> BinaryIO:
    """Open an ordinary file, or a link to one, for reading.

    Args:
        path: where.
        fix: what the user should do where it cannot be used.
        at_most: largest size in bytes; None where the caller bounds what it reads.

    Raises:
        InputError: missing, unreadable, a folder, a pipe or a device, or larger.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}", fix=fix) from None
    status = os.fstat(descriptor)
    problem = None
    if not stat.S_ISREG(status.st_mode):
        problem = f"{path} is {_kind(status.st_mode)}, not a file"
    elif at_most is not None and status.st_size > at_most:
        problem = f"{path} has {status.st_size:,} bytes, more than the {at_most:,} that such a file may have"
    if problem is not None:
        os.close(descriptor)
        raise InputError(problem, fix=fix)
    return os.fdopen(descriptor, "rb")


def read_bytes(path: Path, *, fix: str, at_most: int = MAX_TEXT_BYTES) -> bytes:
    """Read an ordinary file whole.

    Raises:
        InputError: as `open_file`, or the file grew past its limit, or the disk failed.
    """
    data = bytearray()
    with open_file(path, fix=fix, at_most=at_most) as file:
        try:
            while len(data) <= at_most and (piece := file.read(_PIECE_BYTES)):
                data += piece
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", fix=fix) from None
    if len(data) > at_most:
        raise InputError(f"{path} has more than the {at_most:,} bytes that such a file may have", fix=fix)
    return bytes(data)


def read_text(path: Path, *, fix: str, at_most: int = MAX_TEXT_BYTES) -> str:
    """Read an ordinary file of UTF-8 text, with or without a byte order mark.

    Raises:
        InputError: as `read_bytes`, or not UTF-8.
    """
    try:
        return read_bytes(path, fix=fix, at_most=at_most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start:,})", fix=fix) from None


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")
