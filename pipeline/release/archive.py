"""Zip files of one form, which any tool unpacks: what is written here is all that is read here.

In: names and files. Out: the same bytes for the same content, or an error that names the member at fault. Members are
stored as they are: nothing can grow when it is read, and no release of a compressor changes a byte. One follows the
other from the first byte on, then come the directory and its end; apart from names, sizes and CRCs every field has one
value. So nothing hides before, between or after the members, and headers that tell different readers different things
(a second member of one name, data descriptors, extra fields, zip64, encryption, links) are none of this form.
Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 and 4.4.
"""

import contextlib
import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

from ghostface_edge.pipeline.support.member_names import MAX_NAME_BYTES, problem_of_all, problem_of_name
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file

MAX_BYTES: Final = 2 * 2**30
"""Of the whole file."""
BLOCK_BYTES: Final = 2**20
MAX_MEMBERS: Final = 2_000

_LOCAL = struct.Struct("<4s5H3I2H")
_DIRECTORY = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LONGEST_ENTRY = _DIRECTORY.size + MAX_NAME_BYTES
_FIELDS = (
    *("signature", "version made by", "version needed", "flags", "compression method", "time", "date", "CRC"),
    *("packed size", "size", "length of the name", "length of extra fields", "length of the comment", "disk"),
    *("internal attributes", "external attributes", "offset"),
)
_UNIX, _VERSION, _UTF8, _STORED = 3 << 8, 20, 0x800, 0
_TIME, _DATE = 0, 0x21
"""1980-01-01: the same content gives the same bytes."""
_ORDINARY_FILE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive."""

    name: str
    crc: int
    size: int
    offset: int
    """Of its header."""

    @property
    def header(self) -> bytes:
        """What stands before its content."""
        name = self.name.encode()
        sizes = (self.size, self.size, len(name))
        return _LOCAL.pack(b"PK\3\4", _VERSION, _UTF8, _STORED, _TIME, _DATE, self.crc, *sizes, 0) + name

    @property
    def entry(self) -> bytes:
        """What the directory says of it."""
        name = self.name.encode()
        form = (_UNIX | _VERSION, _VERSION, _UTF8, _STORED, _TIME, _DATE)
        sizes = (self.size, self.size, len(name))
        return _DIRECTORY.pack(b"PK\1\2", *form, self.crc, *sizes, 0, 0, 0, 0, _ORDINARY_FILE, self.offset) + name

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.offset + len(self.header) + self.size


def _end(members: int, directory_bytes: int, offset: int) -> bytes:
    return _END.pack(b"PK\5\6", 0, 0, members, members, directory_bytes, offset, 0)


class Writer:
    """Writes an archive into a new file that can be read back.

    Args:
        file: opened for writing, empty.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._members: list[Member] = []

    def add(self, name: str, content: Iterable[bytes]) -> str:
        """Append a file's content, which comes in blocks; returns its SHA-256.

        Raises:
            InputError: the archive would be larger than 2 GiB.
        """
        member = Member(name, 0, 0, self._file.tell())
        self._file.write(member.header)
        digest = hashlib.sha256()
        for block in content:
            digest.update(block)
            member = Member(name, zlib.crc32(block, member.crc), member.size + len(block), member.offset)
            if member.end > MAX_BYTES:
                raise InputError(f"with {name} the bundle has more than 2 GiB", fix="run with fewer targets")
            self._file.write(block)
        self._file.seek(member.offset)
        self._file.write(member.header)
        self._file.seek(member.end)
        self._members.append(member)
        return digest.hexdigest()

    def finish(self) -> None:
        """Write the directory."""
        offset = self._file.tell()
        directory = b"".join(member.entry for member in self._members)
        self._file.write(directory + _end(len(self._members), len(directory), offset))


class Archive:
    """An archive whose headers are in order, opened for reading.

    Args:
        file: opened for reading.
        size: of it, in bytes.
        where: what to call it in errors.
        fix: what the user should do where it cannot be used.

    Raises:
        InputError: not of this form; the first member at fault is named.
    """

    def __init__(self, file: BinaryIO, size: int, where: str, fix: str) -> None:
        self._file, self._fix = file, fix
        self.where = where
        self.members: Mapping[str, Member] = {member.name: member for member in self._read_directory(size)}
        for member in self.members.values():
            if self._at(member.offset, len(member.header)) != member.header:
                self.refuse(f"what stands before {member.name} differs from what the directory says of it")

    def blocks(self, name: str) -> Iterator[bytes]:
        """The content of a member, block by block.

        Raises:
            InputError: its CRC is another.
        """
        member = self.members[name]
        crc, start = 0, member.end - member.size
        for offset in range(start, member.end, BLOCK_BYTES):
            block = self._at(offset, min(BLOCK_BYTES, member.end - offset))
            crc = zlib.crc32(block, crc)
            yield block
        if crc != member.crc:
            self.refuse(f"{name} is damaged: its CRC is {crc:08x}, not {member.crc:08x}")

    def read(self, name: str, at_most: int) -> bytes:
        """The content of a member whole.

        Raises:
            InputError: it is missing, larger than `at_most` bytes or damaged.
        """
        if name not in self.members:
            self.refuse(f"holds no {name}")
        size = self.members[name].size
        if size > at_most:
            self.refuse(f"{name} has {size:,} bytes, more than the {at_most:,} that it may have")
        return b"".join(self.blocks(name))

    def refuse(self, problem: str, fix: str | None = None) -> NoReturn:
        """Say what is wrong with the archive.

        Raises:
            InputError: always.
        """
        raise InputError(f"{self.where}: {problem}", fix=fix or self._fix)

    def _read_directory(self, size: int) -> list[Member]:
        """Read the end, then the entries before it, each of which begins where the last one's content ends."""
        end = self._at(max(size - _END.size, 0), _END.size)
        if len(end) < _END.size or not end.startswith(b"PK\5\6"):
            self.refuse("is no bundle, or is cut off: a zip's last 22 bytes are not at its end")
        *_, count, length, start, _ = _END.unpack(end)
        if end != _end(count, length, start) or start + length + _END.size != size:
            self.refuse("does not end as a bundle does: something is before, between or after its parts")
        if count > MAX_MEMBERS or length > count * _LONGEST_ENTRY:
            self.refuse(f"a directory of {count:,} members and {length:,} bytes is larger than any bundle's")
        directory, members, place, offset = self._at(start, length), list[Member](), 0, 0
        for number in range(count):
            member = self._entry(directory[place : place + _LONGEST_ENTRY], offset, number)
            place += len(member.entry)
            offset = member.end
            members.append(member)
            if offset > start:
                self.refuse(f"{member.name} reaches past the end of the file's content")
        if (place, offset) != (length, start):
            self.refuse("there is something between its last member and its directory, or after that")
        if problem := problem_of_all([member.name for member in members]):
            self.refuse(problem)
        return members

    def _entry(self, entry: bytes, offset: int, number: int) -> Member:
        """Read an entry, which may be followed by others."""
        if len(entry) < _DIRECTORY.size:
            self.refuse(f"its directory ends before member {number + 1}")
        found = _DIRECTORY.unpack_from(entry)
        raw = entry[_DIRECTORY.size : _DIRECTORY.size + found[_FIELDS.index("length of the name")]]
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            self.refuse(f"the name of member {number + 1} is not UTF-8: {raw!r}")
        if problem := problem_of_name(name):
            self.refuse(problem)
        member = Member(name, found[_FIELDS.index("CRC")], found[_FIELDS.index("size")], offset)
        for field, own, due in zip(_FIELDS, found, _DIRECTORY.unpack_from(member.entry), strict=True):
            if own != due:
                self.refuse(f"{name}: {field} {own!r}, where a bundle has {due!r}")
        return member

    def _at(self, offset: int, length: int) -> bytes:
        try:
            self._file.seek(offset)
            return self._file.read(length)
        except OSError as error:
            self.refuse(f"cannot be read: {error.strerror}")


@contextlib.contextmanager
def opened(path: Path, *, where: str, fix: str) -> Iterator[Archive]:
    """Open an archive and read its headers.

    Args:
        path: where it is.
        where: what to call it in errors.
        fix: what the user should do where it cannot be used.

    Raises:
        InputError: no ordinary file, above 2 GiB, or not of this form.
    """
    with open_file(path, fix=fix, at_most=MAX_BYTES) as file:
        yield Archive(file, file.seek(0, 2), where, fix)
