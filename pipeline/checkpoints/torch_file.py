"""PyTorch's `.pt` files, judged before PyTorch sees them: what they say they hold, compared with what they do hold.

In: the zip file of `torch.save`. Its pickle is followed on symbols alone (`torch_pickle`), so nothing of it runs and
no tensor is made. Out: nothing, or why the file is refused: packed or missing records, tensors larger than their
storage, tensors of another kind than dense numbers, containers that hold themselves.
"""

import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from ghostface_edge.pipeline.checkpoints.torch_pickle import Pickle, PickleError, Storage, Tensor
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file

MAX_FILE_BYTES: Final = 2 * 2**30
"""A training state with the classes of Glint360K takes 1.5 GB."""
_MAX_PICKLE_BYTES: Final = 8 * 2**20
"""The state of a GhostFaceNet takes 0.1 MB."""
_MAX_DIRECTORY_BYTES: Final = 4 * 2**20
_MAX_VALUES: Final = 200_000
_MAX_DEPTH: Final = 32
_END_OF_DIRECTORY: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_ENCRYPTED: Final = 1
_LEGACY: Final = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""The magic number that torch.save pickled before PyTorch 1.6."""
_FIX: Final = "save the weights alone: torch.save(network.state_dict(), path)"
_WHOLE: Final = "give a whole .pt file, as torch.save writes it"


def check(path: Path) -> None:
    """Refuse a file that is not one of dense tensors, names and numbers, each as large as it says.

    Raises:
        InputError: what is wrong with it.
    """
    with open_file(path, fix=_WHOLE, at_most=MAX_FILE_BYTES) as file:
        start = file.read(len(_LEGACY))
        if start == _LEGACY:
            raise InputError(
                f"{path}: is in the format of PyTorch before 1.6", fix="load it there and save it with torch.save anew"
            )
        try:
            records = _records(path, file)
            root = _root(path, records)
            with zipfile.ZipFile(file) as archive:
                pickled = archive.read(records[f"{root}/data.pkl"])
        except (zipfile.BadZipFile, struct.error, OSError, ValueError, KeyError, RuntimeError) as error:
            raise InputError(f"{path}: not a readable PyTorch file ({error})", fix=_WHOLE) from None
    sizes = {name: record.file_size for name, record in records.items()}
    try:
        read = Pickle(pickled)
        _check_storages(read.storages, root, sizes)
        _check_tensors(read.content, sum(sizes.values()))
    except PickleError as error:
        raise InputError(f"{path}: {error}", fix=_FIX) from None


def _records(path: Path, file: BinaryIO) -> dict[str, zipfile.ZipInfo]:
    """The members by name, all of them stored as they are."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_BYTES - 2**16))
    tail = file.read()
    end = tail.rfind(_END_OF_DIRECTORY)
    if end < 0 or int.from_bytes(tail[end + 12 : end + 16], "little") > _MAX_DIRECTORY_BYTES:
        raise InputError(f"{path}: not a readable PyTorch file (no zip directory of its size)", fix=_WHOLE)
    records: dict[str, zipfile.ZipInfo] = {}
    with zipfile.ZipFile(file) as archive:
        for record in archive.infolist():
            if record.filename in records:
                raise InputError(f"{path}: holds '{record.filename}' twice", fix=_WHOLE)
            if record.compress_type != zipfile.ZIP_STORED or record.compress_size != record.file_size:
                raise InputError(f"{path}: '{record.filename}' is packed, which torch.save never does", fix=_WHOLE)
            if record.flag_bits & _ENCRYPTED:
                raise InputError(f"{path}: '{record.filename}' is encrypted", fix=_WHOLE)
            records[record.filename] = record
    if sum(record.file_size for record in records.values()) > size:
        raise InputError(f"{path}: its members are larger than the file", fix=_WHOLE)
    return records


def _root(path: Path, records: Mapping[str, zipfile.ZipInfo]) -> str:
    """The one folder that all members lie in."""
    roots = {name.partition("/")[0] for name in records}
    root = next(iter(roots), "")
    if len(roots) != 1 or f"{root}/data.pkl" not in records:
        raise InputError(f"{path}: a zip file, but not one of torch.save", fix=_WHOLE)
    if f"{root}/constants.pkl" in records:
        raise InputError(f"{path}: is a TorchScript program, which would have to be run", fix=_FIX)
    if records[f"{root}/data.pkl"].file_size > _MAX_PICKLE_BYTES:
        raise InputError(
            f"{path}: describes its tensors in {records[f'{root}/data.pkl'].file_size:,} bytes, "
            f"more than {_MAX_PICKLE_BYTES:,}",
            fix=_FIX,
        )
    return root


def _check_storages(storages: Iterable[Storage], root: str, sizes: Mapping[str, int]) -> None:
    for storage in storages:
        stored = sizes.get(f"{root}/data/{storage.key}")
        if stored != storage.size_bytes:
            raise PickleError(
                f"storage '{storage.key}' is said to have {storage.size_bytes:,} bytes and has "
                f"{'none' if stored is None else f'{stored:,}'}"
            )


def _check_tensors(content: object, limit: int) -> None:
    """Walk what was pickled, as a reader of it would; a container that holds itself is endlessly deep."""
    waiting, values, elements = [(content, 0)], 0, 0
    while waiting:
        value, depth = waiting.pop()
        values += 1
        if depth > _MAX_DEPTH:
            raise PickleError(f"its containers are nested more than {_MAX_DEPTH} deep, or hold themselves")
        if values > _MAX_VALUES:
            raise PickleError(f"holds more than {_MAX_VALUES:,} values")
        if isinstance(value, Tensor):
            elements += value.elements
            if elements > limit:
                raise PickleError("its tensors have more elements together than the file has bytes")
        elif isinstance(value, dict):
            waiting += [(part, depth + 1) for part in value.values()]
        elif isinstance(value, list | tuple):
            waiting += [(part, depth + 1) for part in value]
