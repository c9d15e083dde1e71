"""SHA-256 of files, read in pieces."""

import hashlib
import os
from pathlib import Path

from ghostface_edge.reports.read import open_file

_PIECE_BYTES = 1 << 20
_FIX = "give the path of a file that you may read"


def file_sha256(*paths: Path) -> str:
    """Hexadecimal SHA-256 over the files' bytes, one after the other.

    Raises:
        InputError: one is missing, unreadable, or no ordinary file.
    """
    digest = hashlib.sha256()
    for path in paths:
        with open_file(path, fix=_FIX) as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
    return digest.hexdigest()


def file_bytes(path: Path) -> int:
    """Size of a file.

    Raises:
        InputError: it is missing, unreadable, or no ordinary file.
    """
    with open_file(path, fix=_FIX) as file:
        return os.fstat(file.fileno()).st_size
