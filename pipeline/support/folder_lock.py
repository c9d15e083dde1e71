"""Locks on folders, by the manifest in each: held alone by who builds there, shared by who uses what was built.

What lies in a folder's place without a manifest that can be locked, links among it, is used by nobody.
"""

import os
from pathlib import Path

from ghostface_edge.pipeline.support import file_lock
from ghostface_edge.pipeline.support.manifest import MANIFEST


def begin(folder: Path) -> int:
    """Lock a new folder for building in it."""
    (folder / MANIFEST).touch()
    lock = file_lock.try_exclusive(folder / MANIFEST)
    assert lock is not None
    return lock


def try_use(folder: Path) -> int | None:
    """Lock a folder for using it; None where that cannot be."""
    if folder.is_symlink():
        return None
    try:
        return file_lock.try_shared(folder / MANIFEST)
    except OSError:
        return None


def is_in_use(folder: Path) -> bool:
    """Whether somebody uses a folder or still builds in it."""
    if folder.is_symlink():
        return False
    try:
        lock = file_lock.try_exclusive(folder / MANIFEST)
    except OSError:
        return False
    if lock is not None:
        os.close(lock)
    return lock is None
