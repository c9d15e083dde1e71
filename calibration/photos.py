"""Photographs where they lie: a folder, or a tar archive read in place, member by member.

In: `FOLDER/NAME/NAME_0001.jpg` or an archive of such a folder (`lfw.tgz`). Out: names and encoded bytes, streamed, so
that memory does not grow with the set. Nothing is ever extracted to disk, so no member's path is ever followed. What an
archive may cost is bounded by its size: photographs do not compress, and headers are short.
"""

import bz2
import gzip
import hashlib
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, Protocol, Self, cast

from ghostface_edge.calibration.faces import IMAGE_SUFFIXES, MAX_FILE_BYTES, is_text, scan_folder
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import open_file

MAX_MEMBERS = 1_000_000
"""Of an archive."""

_MAX_RATIO = 100
_MAX_SMALL_BYTES = 64 << 20
"""An archive may unpack to _MAX_RATIO times its size, and to this anyway; one of photographs, to hardly more than its
size."""
_MAX_HEADER_BYTES = 1 << 14
"""Of a long name or an extended header, which tarfile reads whole."""
_MAX_HEADERS_BYTES = 1 << 17
"""Of one member."""
_TOO_LARGE = tarfile.ReadError(f"it unpacks to more than {_MAX_RATIO} times its size")
_ARCHIVE_SUFFIXES = (".tgz", ".tar.gz", ".tar", ".tar.bz2", ".tar.xz")
_BLOCK = 1 << 20
_FIX = "download the archive again, whole"
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError, ValueError, LookupError, RecursionError)
"""What the standard library raises on archives that are cut, damaged or made to harm."""


class Photos(Protocol):
    """Where photographs come from."""

    @property
    def path(self) -> Path:
        """The folder or archive."""
        ...

    def names(self) -> tuple[str, ...]:
        """`NAME/FILE.jpg` of every photograph, sorted."""
        ...

    def stream(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Give the wanted photographs once each, in the source's own order.

        Raises:
            InputError: the source cannot be read.
        """
        ...

    def fingerprint(self, wanted: Collection[str]) -> str:
        """SHA-256 that changes if any of the wanted photographs does."""
        ...


def open_photos(path: Path) -> Photos:
    """Open a folder or an archive of photographs.

    Raises:
        InputError: neither, unreadable, or without photographs.
    """
    if not path.is_dir() and path.name.lower().endswith(_ARCHIVE_SUFFIXES):
        return _Archive(path)
    if path.exists() and not path.is_dir():
        raise InputError(
            f"{path} is neither a folder nor an archive",
            fix=f"name a folder or a file ending in {_ARCHIVE_SUFFIXES[0]}",
        )
    return PhotoFolder(path, {file.name: file.path for file in scan_folder(path)})


@dataclass(frozen=True, slots=True)
class PhotoFolder:
    """Photographs in a folder, by name inside of it."""

    path: Path
    files: dict[str, Path]

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.files))

    def stream(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        for name in sorted(set(wanted)):
            fix = "check the file and its permissions"
            with open_file(self.files[name], fix=fix) as file:
                try:
                    data = file.read(MAX_FILE_BYTES + 1)
                except OSError as error:
                    raise InputError(f"{self.files[name]} cannot be read: {error.strerror}", fix=fix) from None
            yield name, data

    def fingerprint(self, wanted: Collection[str]) -> str:
        digest = hashlib.sha256()
        for name, data in self.stream(wanted):
            digest.update(f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


class _Archive:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._names: tuple[str, ...] | None = None

    def names(self) -> tuple[str, ...]:
        if self._names is None:
            seen: set[str] = set()
            for name, _ in self._members(()):
                if name in seen:
                    raise InputError(f"{self.path} holds {name} twice", fix="pack every photograph once")
                seen.add(name)
            if not seen:
                raise InputError(f"{self.path} holds no images", fix="use an archive laid out as lfw/NAME/*.jpg")
            self._names = tuple(sorted(seen))
        return self._names

    def stream(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        left = set(wanted)
        for name, data in self._members(frozenset(left)):
            if name in left:
                left.remove(name)
                yield name, data
            if not left:
                return

    def fingerprint(self, wanted: Collection[str]) -> str:
        names = "\n".join(sorted(set(wanted)))
        return hashlib.sha256(f"{file_sha256(self.path)}\n{names}".encode("utf-8", "surrogateescape")).hexdigest()

    def _members(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Walk the image members in file order and read the wanted ones; links and devices are passed over."""
        try:
            with open_file(self.path, fix=_FIX) as packed:
                unpacked = _Unpacked(packed, self.path.suffix.lower())
                stream = cast("IO[bytes]", unpacked)
                with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member, encoding="utf-8") as archive:
                    for _ in range(MAX_MEMBERS):
                        if (member := archive.next()) is None:
                            break
                        archive.members = []  # type: ignore[attr-defined] # tarfile keeps every one
                        unpacked.expect(member)
                        if member.isreg() and (name := _photo_name(member.name)):
                            _check_text(name, self.path)
                            file = archive.extractfile(member) if name in wanted else None
                            yield name, b"" if file is None else file.read(MAX_FILE_BYTES + 1)
                    else:
                        raise tarfile.ReadError(f"it has more than {MAX_MEMBERS:,} members")
                unpacked.expect_end()
        except _DAMAGED as error:
            raise InputError(f"{self.path} cannot be read to its end: {error}", fix=_FIX) from None
        except OverflowError:  # a pax record said to be longer than an address is
            raise InputError(f"{self.path} has a header longer than any file", fix=_FIX) from None
        except MemoryError:
            raise InputError(
                f"{self.path} needs more memory to unpack than a set of photographs may take",
                fix="compress it with a smaller dictionary, or with gzip",
            ) from None


class _Member(tarfile.TarInfo):
    """A member whose header is refused where tarfile would read too much for it, or take damage for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if buf and not any(buf):
                raise  # an empty block is the end
            raise tarfile.ReadError(f"it is damaged: {error}") from None
        if member.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a member is sparse")
        if member.type not in tarfile.REGULAR_TYPES and member.size > _MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {member.size:,} bytes")
        return member


class _Unpacked:
    """An archive's bytes behind its compression, for tarfile to read; never more than a member's headers ask for.

    The standard decompressors are used because tarfile's own streams never look at checksums.
    """

    def __init__(self, packed: BinaryIO, suffix: str) -> None:
        openers: dict[str, Callable[..., Any]] = {
            ".tgz": gzip.open,
            ".gz": gzip.open,
            ".bz2": bz2.open,
            ".xz": lzma.open,
        }
        self._file = cast("IO[bytes]", openers[suffix](packed) if suffix in openers else packed)
        self._left = _MAX_SMALL_BYTES + _MAX_RATIO * os.fstat(packed.fileno()).st_size
        self._headers_left = _MAX_HEADERS_BYTES

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        self._headers_left -= len(data)
        if self._left < 0:
            raise _TOO_LARGE
        if self._headers_left < 0:
            raise tarfile.ReadError("the headers of a member are longer than any name")
        return data

    def expect(self, member: tarfile.TarInfo) -> None:
        """Allow for a member's content and the headers of the next one."""
        if member.issparse():
            raise tarfile.ReadError("a member is sparse")
        if member.size > self._left:  # tarfile would look for its end block by block
            raise _TOO_LARGE
        self._headers_left = _MAX_HEADERS_BYTES + (member.size if member.isreg() else 0)

    def expect_end(self) -> None:
        """Read what follows the last member: padding, and the checksum at the very end."""
        self._headers_left = self._left
        while self.read(_BLOCK):
            pass


def _photo_name(member: str) -> str | None:
    """`NAME/FILE.jpg` of a member such as `lfw/NAME/FILE.jpg`; None for anything else, `../` included."""
    path = PurePosixPath(member)
    parts = [part for part in path.parts if part != "."]
    if path.is_absolute() or ".." in parts or not 2 <= len(parts) <= 3 or "\0" in member:
        return None
    if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
        return None
    return "/".join(parts[-2:])


def _check_text(name: str, path: Path) -> None:
    if not is_text(name):
        raise InputError(f"{path} holds {name!a}, a name that is not UTF-8", fix="rename the photograph and pack anew")
