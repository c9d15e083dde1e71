"""Files and folders that appear whole or not at all: written beside their place, then renamed into it.

What a killed process left of that is removed by the next one that writes into the same folder. Writers hold a shared
lock on the folder, which ends with them; whoever gets it alone knows that every partial name in there is a leftover.
"""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ghostface_edge.reports.errors import InputError, ToolError

_PARTIAL = re.compile(r"\..+\.[0-9a-f]{8}\.partial(\.[^.]+)?")
_FAULTS: Final = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "ENOMEM", "EMFILE", "ENFILE", "ESTALE", "EREMOTEIO")
)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path`, to be written to; renamed when the block ends, removed when the block fails.

    Its name ends as `path` does, for writers that choose a format by it. Missing folders are made.

    Raises:
        InputError: the folder cannot be made or written to, or something else than a file is in the place; any OSError
            of the block counts as that, but for the next.
        ToolError: the disk is full or fails.
    """
    fix = "choose a folder that you may write to"
    try:
        if not path.name or (path.exists() and not _may_be_replaced(path)):
            raise InputError(f"{path} is no file that could be replaced", fix="name a new file")
        partial = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.partial{path.suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(path, error, fix=fix) from error
    try:
        with _writing_in(path.parent):
            yield partial
            partial.replace(path)
    except OSError as error:
        raise write_error(path, error, fix=fix) from error
    finally:
        remove(partial)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, lines ended by a line feed alone.

    Raises:
        InputError: the folder cannot be made or written to.
        ToolError: the disk is full or fails.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes.

    Raises:
        InputError: the folder cannot be made or written to.
        ToolError: the disk is full or fails.
    """
    with replacing(path) as partial:
        partial.write_bytes(data)


def write_error(what: Path | str, error: OSError, *, fix: str) -> InputError | ToolError:
    """The error of ours for one of the system: a full or failing disk is no fault of the input.

    Args:
        what: could not be written.
        error: why.
        fix: for everything else than the disk.
    """
    if error.errno is None or is_machine_fault(error):  # a library that writes says what it could not, without a number
        return machine_fault(what, error)
    return InputError(f"{what} cannot be written: {error.strerror}", fix=fix)


def machine_fault(what: Path | str, error: OSError) -> ToolError:
    """The error of ours for a full or failing disk."""
    return ToolError(
        f"{what} cannot be written: {error.strerror or error}",
        fix="make room or raise that limit, check the disk, or choose a place on another one",
    )


def is_machine_fault(error: OSError) -> bool:
    """Whether the disk is full or fails, or the system is out of files or memory."""
    return error.errno in _FAULTS


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder, as far as that can be done; no link is followed."""
    with contextlib.suppress(OSError):
        if stat.S_ISDIR(path.lstat().st_mode):
            path.chmod(0o700)
            for place, folders, _ in os.walk(path):
                for folder in (Path(place, name) for name in folders):
                    if not folder.is_symlink():
                        folder.chmod(0o700)  # before the walk goes on into it
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _may_be_replaced(path: Path) -> bool:
    """A device or a pipe must not: its name is worth more than what would be written."""
    mode = path.stat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


@contextlib.contextmanager
def _writing_in(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # others write there, or the file system has no such locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in folder.iterdir():
                if _PARTIAL.fullmatch(left.name):
                    remove(left)
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)
