"""The store behind the local one: outcomes of stages that other machines made, or may use.

In: an outcome's name. Out: its files in a folder, where the store has it whole and it may be believed. What lies there
was written by strangers: bindings are read as `pipeline.support.binding` says, contents are held to their hashes while
they are read. Whatever is wrong with one is said, the stage runs again, and its outcome takes the bad one's place.

A store that is away, slow, full or not to be written to ends no run: that is said once, and nobody asks it again for a
minute.
"""

import contextlib
import hashlib
import io
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from ghostface_edge.pipeline.support import manifest
from ghostface_edge.pipeline.support.binding import (
    MAX_BINDING_BYTES,
    Binding,
    BoundFile,
    describe,
    read_binding,
    write_binding,
)
from ghostface_edge.pipeline.support.depot import PIECE_BYTES, Depot, NoObjectError
from ghostface_edge.pipeline.support.depot_folder import DepotFolder
from ghostface_edge.pipeline.support.dsse import Signer, is_encrypted, is_private, read_public_key
from ghostface_edge.pipeline.support.patience import within
from ghostface_edge.reports.errors import InputError

if TYPE_CHECKING:
    from ghostface_edge.pipeline.support.dsse import PublicKey

Say = Callable[[str], None]
_BUCKET: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w=-][\w.=-]*)*/?", re.ASCII)
_ANSWER_S: Final = 30
_SLOWEST_BYTES_PER_S: Final = 2**20
_SLOWEST_FILES_PER_S: Final = 5
"""Below that it is quicker to make most outcomes again."""
_REST_S: Final = 60


class _DamagedError(Exception):
    """What is in the store cannot be used."""


@dataclass(slots=True)
class _Access:
    """Reading, or writing: left alone for a while after it failed, which is said once."""

    failing: str
    rests_until: float = 0.0
    is_told: bool = False

    @property
    def is_open(self) -> bool:
        return time.monotonic() >= self.rests_until

    @contextlib.contextmanager
    def trying(self, say: Say) -> Iterator[None]:
        """Whatever goes wrong in the block, the run goes on; any client has errors of its own."""
        try:
            yield
        except Exception as error:
            self.rests_until = time.monotonic() + _REST_S
            if not self.is_told:
                self.is_told = True
                say(f"{self.failing}: {getattr(error, 'strerror', None) or error or type(error).__name__}")


class SharedStore:
    """See the module.

    Args:
        where: names it to the user.
        depot: holds its objects.
        key: must have signed what is used; None believes whoever can write there.
        signer: signs what is put there; a store with a key and no signer is only read.
    """

    def __init__(self, where: str, depot: Depot, key: "PublicKey | None" = None, signer: Signer | None = None) -> None:
        self._depot, self._key, self._signer = depot, key, signer
        self._reading = _Access(f"the shared store {where} is not used, the run goes on without it")
        self._writing = _Access(f"nothing can be put into the shared store {where}, the run goes on")
        self._bad: set[str] = set()
        """Objects that were refused."""

    def fetch(self, name: str, folder: Path, say: Say, read: Callable[[Path], object] = lambda _: None) -> bool:
        """Bring an outcome here; False where there is none that can be used.

        Args:
            name: of the outcome.
            folder: to make, where nobody else writes; without the outcome there may be a part of it.
            say: told what was taken, what is not used, and that the store cannot be reached.
            read: what the stage reads its outcome with; what it cannot read is not used.
        """
        if not self._reading.is_open:
            return False
        with self._reading.trying(say):
            try:
                binding = self._binding(name)
                if binding is None:
                    return False
                within(_patience_s(binding), partial(self._copy_all, binding, folder))
                _require_readable(folder, read)
            except (_DamagedError, InputError) as error:
                self._bad.add(f"bindings/{name}")
                fault = error.message if isinstance(error, InputError) else str(error)
                say(f"{name} in the shared store is not used and made again: {fault}")
                return False
            say(f"{name} taken from the shared store")
            return True
        return False

    def put(self, name: str, folder: Path, say: Say) -> None:
        """Put a finished outcome there, contents first, so that a binding never names what is not there yet.

        Args:
            name: of the outcome.
            folder: of the local store, with its manifest, held against removal.
            say: told once that nothing can be put there.
        """
        if (self._key is not None and self._signer is None) or not self._writing.is_open:
            return
        with self._writing.trying(say):
            try:
                binding = describe(name, manifest.entries(folder))
            except InputError as error:
                say(f"{name} cannot be put into the shared store: {error.message}")
                return
            within(_patience_s(binding), partial(self._put_all, binding, folder))

    def _binding(self, name: str) -> Binding | None:
        def read() -> bytes | None:
            try:
                with self._depot.open(f"bindings/{name}") as source:
                    return b"".join(_pieces(source, MAX_BINDING_BYTES, "its binding"))
            except FileNotFoundError:
                return None
            except NoObjectError:
                raise _DamagedError("its binding is no file") from None

        data = within(_ANSWER_S, read)
        return None if data is None else read_binding(data, name, self._key)

    def _copy_all(self, binding: Binding, folder: Path) -> None:
        folder.mkdir()
        for path in binding.empty_folders:
            (folder / path).mkdir(parents=True)
        for file in binding.files:
            self._copy(file, folder / file.path)

    def _copy(self, file: BoundFile, place: Path) -> None:
        """Copy a content that is what its hash says; never more of it than it should have."""
        key, digest = f"blobs/{file.sha256}", hashlib.sha256()
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._depot.open(key) as source, place.open("xb") as target:
                for piece in _pieces(source, file.size, file.path):
                    digest.update(piece)
                    target.write(piece)
                has = target.tell()
        except FileNotFoundError:
            raise _DamagedError(f"{file.path} is missing") from None
        except NoObjectError:
            self._bad.add(key)
            raise _DamagedError(f"{file.path} is no file") from None
        if has < file.size:
            raise _DamagedError(f"{file.path} ends too early")
        if digest.hexdigest() != file.sha256:
            self._bad.add(key)
            raise _DamagedError(f"{file.path} was changed")

    def _put_all(self, binding: Binding, folder: Path) -> None:
        for file in binding.files:
            self._put_content(file, folder / file.path)
        key, data = f"bindings/{binding.name}", write_binding(binding, self._signer)
        self._depot.put(key, io.BytesIO(data), replace=key in self._bad)
        self._bad.discard(key)

    def _put_content(self, file: BoundFile, path: Path) -> None:
        key = f"blobs/{file.sha256}"
        size, is_bad = self._depot.size(key), key in self._bad
        if size != file.size or is_bad:
            with path.open("rb") as source:
                self._depot.put(key, source, replace=size is not None or is_bad)
            self._bad.discard(key)


def open_store(url: str | None = None, key: Path | None = None) -> SharedStore | None:
    """The store that a user names, which need not be there.

    Args:
        url: a folder, or `s3://BUCKET/PREFIX`; None asks `GHOSTFACE_EDGE_STORE`.
        key: file of a private key to sign with, or of a public one to hold others to; None asks
            `GHOSTFACE_EDGE_STORE_KEY`. The passphrase of an encrypted one is `GHOSTFACE_EDGE_PASSPHRASE`.

    Returns:
        None where no store is named.

    Raises:
        InputError: no such kind of store, or no key.
        RuntimeMissingError: what reaches that kind is not installed.
    """
    url = url or os.environ.get("GHOSTFACE_EDGE_STORE")
    if not url:
        if key is not None:
            raise InputError("--store-key is the key of a store, and none is named", fix="name one with --store")
        return None
    key_file = key or os.environ.get("GHOSTFACE_EDGE_STORE_KEY")
    depot = _depot(url)
    if not key_file:
        return SharedStore(url, depot)
    path = Path(key_file)
    if not is_private(path):
        return SharedStore(url, depot, read_public_key(path))
    signer = Signer.read(path, os.environ.get("GHOSTFACE_EDGE_PASSPHRASE") if is_encrypted(path) else None)
    return SharedStore(url, depot, signer.public_key, signer)


def _depot(url: str) -> Depot:
    if "://" not in url:
        return DepotFolder(Path(url))
    if not _BUCKET.fullmatch(url):
        raise InputError(f"{url} is no store that can be used", fix="name a folder, or s3://BUCKET/PREFIX")
    from ghostface_edge.pipeline.support.depot_bucket import DepotBucket

    return DepotBucket(url)


def _require_readable(folder: Path, read: Callable[[Path], object]) -> None:
    """Whoever may write there may call anything an outcome of any stage."""
    try:
        read(folder)
    except Exception as error:
        raise _DamagedError(f"it is no outcome of that stage ({type(error).__name__})") from error


def _pieces(source: BinaryIO, at_most: int, what: str) -> Iterator[bytes]:
    left = at_most
    while piece := source.read(min(PIECE_BYTES, left + 1)):
        left -= len(piece)
        if left < 0:
            raise _DamagedError(f"{what} is longer than it may be")
        yield piece


def _patience_s(binding: Binding) -> int:
    size = sum(file.size for file in binding.files)
    return _ANSWER_S + size // _SLOWEST_BYTES_PER_S + len(binding.files) // _SLOWEST_FILES_PER_S
