"""A FlatBuffers reader for files of strangers: what is asked for by its place in the schema, nothing outside the file.

Source: FlatBuffers' internals, "Format of a table".
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_MAX_TABLES: Final = 50_000
_MAX_NUMBERS: Final = 1_000
"""Of one vector; many may lie at one place, so that a small file could say much."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a buffer.

    Raises:
        ValueError, struct.error: an offset leads out of the buffer.
    """

    data: bytes
    at: int

    def number(self, slot: int, form: str = "I", default: int = 0) -> int:
        """A scalar; `form` is `struct`'s."""
        place = self._place(slot)
        return default if place is None else int(_unpacked(form, self.data, place))

    def real(self, slot: int) -> float:
        """A float32."""
        place = self._place(slot)
        return 0.0 if place is None else float(_unpacked("f", self.data, place))

    def text(self, slot: int) -> str:
        """A string."""
        return self.numbers(slot, np.uint8).tobytes().decode()

    def table(self, slot: int) -> "Table":
        """Another table.

        Raises:
            ValueError: it is not there.
        """
        place = self._place(slot)
        if place is None:
            raise ValueError(f"a table lacks its field {slot}")
        return Table(self.data, place + _unpacked("I", self.data, place))

    def tables(self, slot: int) -> "list[Table]":
        """A vector of tables."""
        place, count = self._vector(slot)
        if count > _MAX_TABLES:
            raise ValueError(f"a vector of {count:,} tables")
        entries = range(place, place + 4 * count, 4)
        return [Table(self.data, entry + _unpacked("I", self.data, entry)) for entry in entries]

    def numbers(self, slot: int, kind: type[np.generic] = np.uint32) -> NDArray[np.generic]:
        """A vector of scalars."""
        place, count = self._vector(slot)
        size = np.dtype(kind).itemsize
        if count > _MAX_NUMBERS or count * size > len(self.data) - place:
            raise ValueError(f"a vector of {count:,} numbers")
        return np.frombuffer(self.data, np.dtype(kind).newbyteorder("<"), count, place)

    def _vector(self, slot: int) -> tuple[int, int]:
        place = self._place(slot)
        if place is None:
            return 0, 0
        place += _unpacked("I", self.data, place)
        return place + 4, _unpacked("I", self.data, place)

    def _place(self, slot: int) -> int | None:
        fields = self.at - _unpacked("i", self.data, self.at)
        if 4 + 2 * slot >= _unpacked("H", self.data, fields):
            return None
        offset = _unpacked("H", self.data, fields + 4 + 2 * slot)
        return self.at + offset if offset else None


def root(data: bytes, mark: bytes) -> Table:
    """The first table of a buffer.

    Raises:
        ValueError: it has another mark.
    """
    if data[4:8] != mark:
        raise ValueError(f"it does not begin with the mark {mark.decode()}")
    return Table(data, _unpacked("I", data, 0))


def _unpacked(form: str, data: bytes, at: int) -> int:
    if at < 0:
        raise ValueError("an offset leads out of the file")
    (value,) = struct.unpack_from(f"<{form}", data, at)
    return value  # type: ignore[no-any-return]
