"""Locks on files, which end with the process that holds them: whoever gets one knows that nobody else is at work.

In: an existing file that may be written. Out: a descriptor that holds the lock until it is closed. A file that is
missing, a link or not to be opened is an OSError.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def try_shared(path: Path) -> int | None:
    """A lock that any number may hold at once; None if somebody holds it alone."""
    return _lock(path, fcntl.LOCK_SH | fcntl.LOCK_NB)


def try_exclusive(path: Path) -> int | None:
    """A lock that only one may hold; None if anybody holds it."""
    return _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)


def share(descriptor: int) -> None:
    """Make an exclusive lock a shared one."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


@contextmanager
def exclusive(path: Path) -> Iterator[int]:
    """Wait for the lock that only one may hold, and hold it for the block; gives its descriptor."""
    descriptor = _lock(path, fcntl.LOCK_EX)
    assert descriptor is not None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(path: Path, how: int) -> int | None:
    # NFS grants exclusive locks on files open for writing only.
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:  # a signal's handler may end the wait
        os.close(descriptor)
        raise
    return descriptor
