"""A shared store's objects in a folder, of this machine or mounted from another; no link in it is followed.

An object is written under a name that nobody looks for and gets its own by a hard link, which fails where the name is
taken. What a killed writer left is removed by a later one, by its age on the file server's own clock: no writer takes
a day.
"""

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from ghostface_edge.pipeline.support.depot import PIECE_BYTES, NoObjectError

_PARTIAL: Final = "partial"
_DAY_S: Final = 24 * 60 * 60
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL})
"""What file systems without hard links answer."""


class DepotFolder:
    """See `Depot`.

    Args:
        root: an existing folder; one that is missing is a mount that is not there, and is not made.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._is_cleaned = False

    def open(self, key: str) -> BinaryIO:
        with self._place(key) as (folder, name):
            try:
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                file = os.fdopen(os.open(name, flags, dir_fd=folder), "rb")
            except IsADirectoryError:
                raise NoObjectError from None
            except OSError as error:
                if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link, a socket
                    raise NoObjectError from None
                raise
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise NoObjectError
        return file

    def size(self, key: str) -> int | None:
        try:
            with self._place(key) as (folder, name):
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def put(self, key: str, source: BinaryIO, *, replace: bool) -> None:
        partial = f"{_PARTIAL}/{secrets.token_hex(16)}"
        with self._place(partial, make=True) as (aside, temporary), self._place(key, make=True) as (folder, name):
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=aside)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    shutil.copyfileobj(source, file, PIECE_BYTES)
                self._remove_leftovers(aside, temporary)
                if replace:
                    os.rename(temporary, name, src_dir_fd=aside, dst_dir_fd=folder)
                else:
                    _name(temporary, name, aside, folder)
            finally:
                with contextlib.suppress(OSError):
                    os.unlink(temporary, dir_fd=aside)

    @contextlib.contextmanager
    def _place(self, key: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """A descriptor of the folder that an object lies in, and its name there."""
        folder, name = key.split("/")
        try:
            root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise ConnectionError(f"there is no folder {self._root}") from None
        try:
            if make:
                _make_folder(root, folder)
            inside = os.open(folder, _FOLDER, dir_fd=root)
        finally:
            os.close(root)
        try:
            yield inside, name
        finally:
            os.close(inside)

    def _remove_leftovers(self, folder: int, mine: str) -> None:
        """Remove partial objects whose writers are long dead; once, beside what this process writes just now."""
        if self._is_cleaned:
            return
        self._is_cleaned = True
        now = os.stat(mine, dir_fd=folder).st_mtime
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < now - _DAY_S:
                        os.unlink(entry.name, dir_fd=folder)


def _make_folder(root: int, name: str) -> None:
    """For whoever may write to the root: with its mode, whatever this user's mask is."""
    try:
        os.mkdir(name, dir_fd=root)
    except FileExistsError:
        return
    folder = os.open(name, _FOLDER, dir_fd=root)
    try:
        os.fchmod(folder, stat.S_IMODE(os.fstat(root).st_mode))
    finally:
        os.close(folder)


def _name(temporary: str, name: str, aside: int, folder: int) -> None:
    """Give an object its name, unless another writer was first, whose object is as good."""
    try:
        os.link(temporary, name, src_dir_fd=aside, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        pass
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.rename(temporary, name, src_dir_fd=aside, dst_dir_fd=folder)
