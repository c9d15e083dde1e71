"""InsightFace's training sets: `train.rec` with its `train.idx`, one image at a time, never the whole file.

Layout, little endian. A record: magic 0xced7230a, a word whose upper 3 bits say whether the record continues (0 means
it is whole) and whose lower 29 bits are its length, the bytes, padding to a multiple of 4. Its bytes: flag, float
label, two 64-bit ids; flag more labels where flag > 0; then an encoded image. Record 0 is a header whose two labels
are the first key of the identities' own records and one past their last; keys below the first are images. A set without
such a header holds images alone.
Source: apache/mxnet, `python/mxnet/recordio.py`; deepinsight/insightface, `recognition/arcface_torch/dataset.py`.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import check_aligned
from ghostface_edge.calibration.faces import MAX_FILE_BYTES
from ghostface_edge.calibration.image_file import BadImageError, decode
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file

_MAGIC = 0xCED7230A
_HEADER = struct.Struct("<IfQQ")
_FRAME = struct.Struct("<II")
_LENGTH = (1 << 29) - 1
_MAX_PEOPLE = 1 << 24
"""Whole numbers from here on have no float32 of their own; the largest public set has 2 million."""
_MAX_LABELS = 1 << 10
_MAX_KEY = 1 << 62
_MAX_LINE = 64
_FIX = "give the folder of an InsightFace training set with train.rec and train.idx"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its labels and what follows them."""

    labels: tuple[float, ...]
    payload: bytes


class RecordFaces:
    """The images of a training set, by position.

    Raises:
        InputError: a file is missing or is not such a set.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "train.rec"
        self._offsets = _read_index(folder / "train.idx")
        header = self._read(0).labels
        first, end = (self._whole(0, header[0]), self._whole(0, header[1])) if len(header) == 2 else (_MAX_KEY, 0)
        self._keys = np.array(sorted(key for key in self._offsets if 0 < key < first), np.int64)
        if not len(self._keys):
            raise InputError(f"{self._path}: holds no images", fix=_FIX)
        self._people = end - first if end else 1 + max(self._label(int(key)) for key in self._keys)
        if not 1 <= self._people <= _MAX_PEOPLE:
            raise InputError(f"{self._path}: it tells of {self._people:,} identities", fix=_FIX)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def people(self) -> int:
        """Number of identities."""
        return self._people

    def load(self, position: int, epoch: int) -> tuple[NDArray[np.uint8], int]:  # noqa: ARG002 - photographs stay
        """RGB uint8 (112, 112, 3) and whose it is."""
        key = int(self._keys[position])
        try:
            record = self._read(key)
            check_aligned(record.payload, gray=True)
            face, who = decode(record.payload, gray=True), self._whole(key, record.labels[0])
        except BadImageError as error:
            raise InputError(f"{self._path}: record {key} cannot be used: {error}", fix="replace it") from None
        if not 0 <= who < self._people:
            raise InputError(f"{self._path}: record {key} shows person {who} of {self._people}", fix=_FIX)
        return face, who

    def _label(self, key: int) -> int:
        return self._whole(key, self._read(key, payload=False).labels[0])

    def _whole(self, key: int, label: float) -> int:
        if not 0 <= label < _MAX_KEY or label != int(label):
            raise InputError(f"{self._path}: record {key} has the label {label}", fix=_FIX)
        return int(label)

    def _read(self, key: int, *, payload: bool = True) -> Record:
        if key not in self._offsets:
            raise InputError(f"{self._path}: record {key} is not in the index", fix=_FIX)
        with open_file(self._path, fix=_FIX) as file:
            file.seek(self._offsets[key])
            frame = file.read(_FRAME.size)
            magic, word = _FRAME.unpack(frame) if len(frame) == _FRAME.size else (0, 0)
            length = word & _LENGTH
            if magic != _MAGIC or word >> 29 or length < _HEADER.size:
                raise InputError(f"{self._path}: no whole record {key} at byte {self._offsets[key]}", fix=_FIX)
            flag, label, _, _ = _HEADER.unpack(_whole(file.read(_HEADER.size), _HEADER.size, self._path, key))
            if flag * 4 > length - _HEADER.size or flag > _MAX_LABELS:
                raise InputError(f"{self._path}: record {key} announces {flag} labels", fix=_FIX)
            more = struct.unpack(f"<{flag}f", _whole(file.read(4 * flag), 4 * flag, self._path, key))
            rest = length - _HEADER.size - 4 * flag
            if rest > MAX_FILE_BYTES:
                raise InputError(f"{self._path}: record {key} announces {rest:,} bytes", fix=_FIX)
            return Record(more or (label,), _whole(file.read(rest), rest, self._path, key) if payload else b"")


def _whole(data: bytes, length: int, path: Path, key: int) -> bytes:
    if len(data) != length:
        raise InputError(f"{path}: ends inside record {key}", fix="fetch the file anew")
    return data


def _read_index(path: Path) -> dict[int, int]:
    offsets: dict[int, int] = {}
    try:
        with open_file(path, fix=_FIX) as file:
            while line := file.readline(_MAX_LINE):
                if line.strip():
                    key, offset = line.split(b"\t")
                    offsets[int(key)] = int(offset)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", fix=_FIX) from None
    except ValueError:
        raise InputError(f"{path}: is not an index of lines `key<TAB>offset`", fix=_FIX) from None
    if (
        0 not in offsets
        or min(offsets.values()) < 0
        or any(one >= _MAX_KEY for pair in offsets.items() for one in pair)
    ):
        raise InputError(f"{path}: has no header record 0, or places outside of any file", fix=_FIX)
    return offsets
