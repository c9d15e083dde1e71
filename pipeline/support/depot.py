"""What a shared store keeps its objects in, and the errors that tell a bad object from a bad place.

An object has a key of two parts, `blobs/<sha256>` or `bindings/<name>`, and appears whole or not at all.
"""

from typing import BinaryIO, Final, Protocol

PIECE_BYTES: Final = 4 << 20
"""Of what is read and written at once."""


class NoObjectError(Exception):
    """What lies under a key is a link, a folder, a pipe: nothing that a store wrote."""


class Depot(Protocol):
    """A folder or a bucket; other errors than those below are the place's own, of whatever kind its client raises."""

    def open(self, key: str) -> BinaryIO:
        """Read an object.

        Raises:
            FileNotFoundError: there is none.
            NoObjectError: something else is in its place.
        """
        ...

    def size(self, key: str) -> int | None:
        """Bytes of an object; None where there is none, or something else is in its place."""
        ...

    def put(self, key: str, source: BinaryIO, *, replace: bool) -> None:
        """Write an object; one that is there is left as it is unless it is to be replaced.

        Args:
            key: of the object.
            source: its bytes.
            replace: what is in its place is bad.
        """
        ...
