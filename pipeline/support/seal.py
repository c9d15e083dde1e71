"""What a user's own runs wrote, told from what anybody else put in its place: HMAC-SHA256 with that user's key.

The key is 32 random bytes in a file that only the user can read. One that is missing, a link, somebody else's, open to
others or of another size is replaced by a new one, and whatever the old one sealed is not believed any more. A program
that may read the user's files may read the key as well: against that nothing is promised.
"""

import hmac
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from ghostface_edge.reports.errors import InputError

_KEY_BYTES: Final = 32


class Seal:
    """Signs texts with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, *texts: str) -> str:
        """The signature of texts in this order."""
        return hmac.new(self._key, json.dumps(texts).encode(), "sha256").hexdigest()

    def holds(self, signature: str, *texts: str) -> bool:
        """Whether `sign` gave this signature for these texts."""
        return hmac.compare_digest(signature.encode(errors="replace"), self.sign(*texts).encode())


def user_seal(path: Path) -> Seal:
    """The seal whose key is in a file, made anew where that cannot be trusted; only one process at a time may ask.

    Raises:
        OSError: the file cannot be written.
        InputError: its folder's file system does not keep files to one user.
    """
    key = _read(path)
    if key is None:
        _write(path, secrets.token_bytes(_KEY_BYTES))
        key = _read(path)
    if key is None:
        raise InputError(
            f"{path} is open to others as soon as it is written",
            fix="set GHOSTFACE_EDGE_CACHE to a folder on a disk that keeps owners and permissions of files",
        )
    return Seal(key)


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        is_private = status.st_uid == os.geteuid() and not status.st_mode & 0o077 and status.st_nlink == 1
        if not stat.S_ISREG(status.st_mode) or not is_private or status.st_size != _KEY_BYTES:
            return None
        return os.read(descriptor, _KEY_BYTES)
    finally:
        os.close(descriptor)


def _write(path: Path, key: bytes) -> None:
    partial = path.with_name(f"{path.name}.partial")  # of one name, so that what a killed process left is in the way
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, key)
    finally:
        os.close(descriptor)
    partial.replace(path)
