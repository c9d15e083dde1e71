"""The weights beside a program, in the one form that `vendor.pack` writes: a zip of arrays, stored one after the other.

In: a file that anybody made, and what the program says of its weights. Out: nothing, or why it is refused. The vendor's
reader follows each array's own header and never the directory at the end, so both are held to the program here: the
same arrays, uncompressed, each of exactly its bytes. No array is read for that.
"""

import math
import os
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_END_BYTES: Final = 22
_NPY: Final = struct.Struct("<8sH")
_HEADER: Final = re.compile(
    rb"\{'descr': '[|<][iuf]([124])', 'fortran_order': False, 'shape': \(([\d, ]{1,60})\), \} *\n"
)
_LONGEST_HEADER: Final = 256
_OVERHEAD: Final = 1024
"""Of an array in the file, its name left out: three headers."""


def check_weights(path: Path, sizes: Mapping[str, int], fix: str) -> None:
    """Refuse weights that are not those of a program.

    Args:
        path: the `.npz`.
        sizes: bytes of every array, by name.
        fix: what the user should do.

    Raises:
        InputError: no such file, or others than these arrays in it.
    """
    at_most = sum(size + _OVERHEAD + 3 * len(name.encode()) for name, size in sizes.items()) + _OVERHEAD
    with open_file(path, fix=fix, at_most=at_most) as file:
        try:
            found = dict(_array(file) for _ in sizes)
            end = file.tell()
            with zipfile.ZipFile(file) as archive:
                listed = {entry.filename: entry for entry in archive.infolist()}
                same = listed.keys() == found.keys() and len(archive.infolist()) == len(sizes)
                same = same and archive.start_dir == end
            file.seek(-_END_BYTES, os.SEEK_END)
            same = same and file.read(4) == b"PK\5\6"  # with nothing behind it
        except (ValueError, struct.error, zipfile.BadZipFile, NotImplementedError) as problem:
            raise InputError(f"{path} holds no weights of a program: {problem}", fix=fix) from None
    ours = {f"{name}.npy": size for name, size in sizes.items()}
    if not same or {name: size for name, (size, _) in found.items()} != ours:
        raise InputError(f"{path} holds other weights than its program names", fix=fix)
    if any((entry.header_offset, entry.compress_type) != (found[name][1], 0) for name, entry in listed.items()):
        raise InputError(f"{path} says of its weights that they lie elsewhere", fix=fix)


def _array(file: BinaryIO) -> tuple[str, tuple[int, int]]:
    """Name, bytes and place of the array that is next; the file is left behind it."""
    start = file.tell()
    mark, _, flags, method, _, _, _, packed, size, name_bytes, more = _LOCAL.unpack(file.read(_LOCAL.size))
    name = file.read(name_bytes).decode()
    if mark != b"PK\3\4" or method or more or packed != size or flags & ~0x800:
        raise ValueError("something else than an array, or one that is compressed")
    kind, length = _NPY.unpack(file.read(_NPY.size))
    header = _HEADER.fullmatch(file.read(min(length, _LONGEST_HEADER)))
    if kind != b"\x93NUMPY\1\0" or header is None or length > _LONGEST_HEADER:
        raise ValueError("an array that is no list of plain numbers")
    elements = math.prod(int(part) for part in header[2].split(b",") if part.strip())
    content = elements * int(header[1])
    if content != size - length - _NPY.size:
        raise ValueError("an array of another size than its shape")
    file.seek(content, os.SEEK_CUR)
    return name, (content, start)
