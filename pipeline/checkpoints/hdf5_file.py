"""HDF5 files, judged before any value is read: every link and every dataset's declaration, none of them followed.

In: a file whose links all lead to objects of its own and whose datasets are plain numbers that lie in it. Out: the
open file, or why it is refused. Links out of place, virtual and external datasets, foreign filters and types, arrays
that are declared and not there, and text without bounds are what a file of trained weights never has.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import h5py
from h5py import h5a, h5d, h5g, h5l, h5o, h5t, h5z

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file

FIX: Final = "give a GhostFaceNet saved by Keras 2 as .h5, the embedding model or the whole training model"
MAX_FILE_BYTES: Final = 2 * 2**30
"""A training model with the classes of Glint360K and their momentum takes 1.5 GB."""
_SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_MAX_OBJECTS: Final = 20_000
_MAX_BYTES_BESIDE_DATA: Final = 32 * 2**20
"""Text of variable length lies there; an official file has 0.9 MB of it."""
_MAX_CHUNK_BYTES: Final = 64 * 2**20
_MAX_RATIO: Final = 100
"""By which packing may shrink an array; trained weights shrink by a tenth."""
_SMALL_BYTES: Final = 2**16
_MAX_AXES: Final = 8
_MAX_TEXTS: Final = 16
_MAX_TEXT_BYTES: Final = 8 * 2**20
_LAYOUTS: Final = {h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED}
_FILTERS: Final = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}


class StructureError(Exception):
    """Something that a file of trained weights never has."""


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file once all of its structure is judged.

    Raises:
        InputError: not HDF5, damaged, or refused; so is what reading it inside the context provokes.
    """
    with open_file(path, fix=FIX, at_most=MAX_FILE_BYTES) as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            raise InputError(f"{path}: not an HDF5 file", fix=FIX)
        size = file.seek(0, 2)
    try:
        with h5py.File(path, "r") as opened:
            _walk(opened.id, size)
            yield opened
    except InputError:
        raise
    except StructureError as error:
        raise InputError(f"{path}: {error}", fix=FIX) from None
    except Exception as error:  # the library raises whatever the bytes provoke
        raise InputError(f"{path}: cannot be read as a Keras checkpoint ({error})", fix=FIX) from error


def texts(group: h5py.Group, name: str) -> list[str]:
    """The texts in an attribute, one or an array of a few.

    Raises:
        StructureError: too many, too long, or none.
    """
    where = f"the attribute '{name}' of '{group.name}'"
    if name not in group.attrs:
        raise StructureError(f"{where} is missing")
    attribute = h5a.open(group.id, name.encode())
    count = math.prod(attribute.shape)
    if count == 0:
        return []
    if not isinstance(attribute.get_type(), h5t.TypeStringID) or count > _MAX_TEXTS:
        raise StructureError(f"{where} holds {count:,} values, expected a few names")
    if attribute.get_storage_size() > _MAX_TEXT_BYTES:
        raise StructureError(f"{where} takes {attribute.get_storage_size():,} bytes")
    value = group.attrs[name]
    values = value if attribute.shape else [value]
    found = [part.decode() if isinstance(part, bytes) else str(part) for part in values]
    if sum(map(len, found)) > _MAX_TEXT_BYTES:
        raise StructureError(f"{where} holds {sum(map(len, found)):,} characters")
    return found


def _walk(root: h5g.GroupID, size: int) -> None:
    """Every object once, however many hard links lead to it."""
    waiting = [(h5g.open(root, b"/"), "/")]
    seen, stored = {h5o.get_info(waiting[0][0]).addr}, 0
    while waiting:
        group, where = waiting.pop()
        if len(seen) + group.get_num_objs() > 2 * _MAX_OBJECTS:
            raise StructureError(f"holds more than {_MAX_OBJECTS:,} objects")
        for name in group:
            place = f"{where.rstrip('/')}/{name.decode(errors='replace')}"
            if group.links.get_info(name).type != h5l.TYPE_HARD:
                raise StructureError(f"'{place}' is a link to another place, which is not followed")
            info = h5o.get_info(group, name)
            if info.addr in seen:
                continue
            seen.add(info.addr)
            if len(seen) > _MAX_OBJECTS:
                raise StructureError(f"holds more than {_MAX_OBJECTS:,} objects")
            found = h5o.open(group, name)
            if isinstance(found, h5g.GroupID):
                waiting.append((found, place))
            elif isinstance(found, h5d.DatasetID):
                stored += _stored_bytes(found, place)
            else:
                raise StructureError(f"'{place}' is neither a group nor an array")
    if stored > size or size - stored > _MAX_BYTES_BESIDE_DATA:
        raise StructureError(f"{stored:,} of its {size:,} bytes are said to be arrays")


def _stored_bytes(dataset: h5d.DatasetID, place: str) -> int:
    """What an array takes in the file, once its declaration is judged."""
    plan, kind, shape = dataset.get_create_plist(), dataset.get_type(), dataset.shape
    if plan.get_external_count():
        raise StructureError(f"the array '{place}' lies in another file, which is not opened")
    if plan.get_layout() not in _LAYOUTS:
        raise StructureError(f"the array '{place}' is a virtual one, whose data lie elsewhere")
    if not isinstance(kind, h5t.TypeIntegerID | h5t.TypeFloatID) or kind.get_size() > 8 or len(shape) > _MAX_AXES:
        raise StructureError(f"the array '{place}' does not hold plain numbers")
    filters = [plan.get_filter(index)[0] for index in range(plan.get_nfilters())]
    if not _FILTERS.issuperset(filters) or len(set(filters)) < len(filters):
        raise StructureError(f"the array '{place}' is packed in another way than by gzip")
    declared, stored = math.prod(shape) * kind.get_size(), dataset.get_storage_size()
    if declared > (stored * _MAX_RATIO + _SMALL_BYTES if filters and stored else stored):
        raise StructureError(f"the array '{place}' of shape {shape} takes {stored:,} bytes in the file")
    if plan.get_layout() == h5d.CHUNKED:
        chunk = math.prod(plan.get_chunk()) * kind.get_size()
        if chunk > min(max(declared, _SMALL_BYTES), _MAX_CHUNK_BYTES):
            raise StructureError(f"the array '{place}' comes in chunks of {chunk:,} bytes")
    return int(stored)
