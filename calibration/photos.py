"""Photographs where they lie: a folder, or a tar archive read in place, member by member.

In: `FOLDER/NAME/NAME_0001.jpg` or an archive of such a folder (`lfw.tgz`). Out: names and encoded bytes, streamed, so
that memory does not grow with the set. Nothing is ever extracted to disk, so no member's path is ever followed.
"""

import bz2
import gzip
import hashlib
import lzma
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol, cast

from ghostface_edge.calibration.faces import IMAGE_SUFFIXES, scan_folder
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError

MAX_FILE_BYTES = 64 << 20
"""An encoded photograph above this is not read."""

_ARCHIVE_SUFFIXES = (".tgz", ".tar.gz", ".tar", ".tar.bz2", ".tar.xz")
_BLOCK = 1 << 20
_FIX = "download the archive again, whole"


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
    if path.is_file() and path.name.lower().endswith(_ARCHIVE_SUFFIXES):
        return _Archive(path)
    if path.is_file():
        raise InputError(
            f"{path} is neither a folder nor an archive",
            fix=f"name a folder or a file ending in {_ARCHIVE_SUFFIXES[0]}",
        )
    return _Folder(path, {file.name: file.path for file in scan_folder(path)})


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path
    files: dict[str, Path]

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.files))

    def stream(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        for name in sorted(set(wanted)):
            try:
                with self.files[name].open("rb") as file:
                    data = file.read(MAX_FILE_BYTES + 1)
            except OSError as error:
                raise InputError(
                    f"{self.files[name]} cannot be read: {error.strerror}", fix="check the file and its permissions"
                ) from None
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
            self._names = tuple(sorted({name for name, _ in self._members(())}))
            if not self._names:
                raise InputError(f"{self.path} holds no images", fix="use an archive laid out as lfw/NAME/*.jpg")
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
            with self._unpacked() as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as archive:
                for member in archive:
                    if member.isfile() and (name := _photo_name(member.name)):
                        file = archive.extractfile(member) if name in wanted else None
                        yield name, b"" if file is None else file.read(MAX_FILE_BYTES + 1)
                while unpacked.read(_BLOCK):  # to the checksum at its very end
                    pass
        except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            raise InputError(f"{self.path} cannot be read to its end: {error}", fix=_FIX) from None

    def _unpacked(self) -> IO[bytes]:
        """Open the archive with the standard decompressors: tarfile's own streams never look at checksums."""
        openers: dict[str, Callable[..., Any]] = {
            ".tgz": gzip.open,
            ".gz": gzip.open,
            ".bz2": bz2.open,
            ".xz": lzma.open,
        }
        return cast("IO[bytes]", openers.get(self.path.suffix.lower(), open)(self.path, "rb"))


def _photo_name(member: str) -> str | None:
    """`NAME/FILE.jpg` of a member such as `lfw/NAME/FILE.jpg`; None for anything else, `../` included."""
    path = PurePosixPath(member)
    parts = [part for part in path.parts if part != "."]
    if path.is_absolute() or ".." in parts or not 2 <= len(parts) <= 3 or "\0" in member:
        return None
    if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
        return None
    return "/".join(parts[-2:])
