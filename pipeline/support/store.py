"""Frozen artifacts, addressed by what they were made from.

In: a stage's name, its inputs and a function that builds its files. Out: a folder with those files, built once.
The key covers inputs, options, library versions and this package's own source; a folder appears whole or not at all.
Before it is used again every file is hashed, and the seal of `pipeline.support.seal` must say that a run of this user
made it under this name; else it is made again, and that is said. Who may write as the user while a run reads can
deceive it, and could read the key besides: the promise is for caches that come from elsewhere or were damaged.

All of it lies in one marked folder under the root, which belongs to the user alone; nothing outside that folder is ever
touched but the key beside it. Several processes may use it: names change under one lock, what a process uses is locked
until it ends, and what a killed process had begun is known by its lock, which died with it. Faces that are decoded for
a run only lie there too, and go the same way: the next run finds them wherever TMPDIR points by then, and a folder for
temporary files is often a small piece of memory.
"""

import contextlib
import hashlib
import json
import os
import re
import stat
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ghostface_edge.pipeline.support import file_lock, folder_lock, manifest
from ghostface_edge.pipeline.support.cache_limit import cache_limit
from ghostface_edge.pipeline.support.code_version import code_version
from ghostface_edge.pipeline.support.seal import user_seal
from ghostface_edge.reports.cache_root import SET_ANOTHER, default_root
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.write import is_machine_fault, remove, write_error

FOLDER, _MARK, KEY = "artifacts", ".ghostface-edge-artifacts", ".ghostface-edge-key"
_MARK_TEXT = "Artifacts that ghostface-edge made and can make again. Put nothing else here: it is cleared by size.\n"
_TEMPORARY, _PARTIAL = ".temporary", ".partial-"
_SCRATCH = f"{_PARTIAL}scratch-"
_ARTIFACT = re.compile(r"[a-z0-9-]+-[0-9a-f]{32}")
_BLOCK_BYTES = 512


@dataclass(frozen=True, slots=True)
class Stored:
    """One artifact folder."""

    folder: Path
    reused: bool


class Store:
    """Artifacts under one root folder.

    Args:
        root: where; by default `$GHOSTFACE_EDGE_CACHE`, else `ghostface-edge` in the user's cache folder.

    Raises:
        InputError: the root cannot be written, belongs to somebody else, or what others put there is in the way; or
            what `GHOSTFACE_EDGE_CACHE_LIMIT` says is no size.
        ToolError: its disk is full or fails.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._limit_bytes = cache_limit()
        self.root = (root or default_root()).absolute()
        self.folder = self.root / FOLDER
        self._mark = self.folder / _MARK
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
            self._claim()
            with file_lock.exclusive(self._mark):
                self.seal = user_seal(self.root / KEY)
                self._remove_leftovers()
        except OSError as error:
            raise write_error(f"the cache folder {self.root}", error, fix=SET_ANOTHER) from error
        self._held: dict[Path, int] = {}
        """Locks on the artifacts that this process uses."""
        weakref.finalize(self, _close, self._held)

    def make(
        self,
        stage: str,
        inputs: Mapping[str, object],
        build: Callable[[Path], None],
        *,
        say: Callable[[str], None] = lambda _: None,
    ) -> Stored:
        """Return the stage's folder, calling `build(folder)` only if it is not there yet; it stays while it is used.

        Args:
            stage: its name.
            inputs: JSON values that decide the outcome.
            build: writes the stage's files into the folder it is given.
            say: gets a line if what is there cannot be used.

        Raises:
            ToolError: the disk is full or fails.
            InputError: the cache was taken away.
        """
        folder = self.folder / name_of(stage, inputs)
        with self._own_errors():
            if self._take(folder, say):
                return Stored(folder, reused=True)
            partial, lock = self._begin()
            try:
                build(partial)
                if (partial / _TEMPORARY).exists():
                    self._hold(partial, lock)
                    return Stored(partial, reused=False)
                manifest.write_manifest(partial, folder.name, self.seal)
                self._publish(partial, folder, lock)
            except BaseException:
                os.close(lock)
                remove(partial)
                raise
        return Stored(folder, reused=False)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for this block; where the process is killed, the next one removes it."""
        with self._own_errors():
            folder, lock = self._begin(_SCRATCH)
        try:
            yield folder
        finally:
            os.close(lock)
            remove(folder)

    def prune(self, at_most: int | None = None) -> None:
        """Keep the artifacts that were used last, as far as they fit; one in use stays whatever its size.

        Args:
            at_most: bytes; by default what `GHOSTFACE_EDGE_CACHE_LIMIT` says.
        """
        with self._own_errors(), file_lock.exclusive(self._mark):
            artifacts = [path for path in self.folder.iterdir() if is_artifact(path)]
            room = self._limit_bytes if at_most is None else at_most
            for artifact in sorted(artifacts, key=lambda path: path.lstat().st_mtime, reverse=True):
                size = size_on_disk(artifact)
                if size <= room:
                    room -= size
                elif not folder_lock.is_in_use(artifact):
                    self._discard(artifact)
            self._remove_leftovers()

    def _claim(self) -> None:
        """Make the folder the user's own, if it is not yet."""
        with contextlib.suppress(FileExistsError):
            self.folder.mkdir(mode=0o700)
        status = self.folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise InputError(
                f"{self.folder} is a link, a file or somebody else's folder",
                fix="set GHOSTFACE_EDGE_CACHE to a folder of your own, or move it away",
            )
        self.folder.chmod(0o700)
        if self._mark.is_file():
            return
        others = [path.name for path in self.folder.iterdir()]
        if others:
            raise InputError(
                f"{self.folder} holds files of others: {', '.join(others[:3])}",
                fix="set GHOSTFACE_EDGE_CACHE to another folder, or move them away",
            )
        with contextlib.suppress(FileExistsError), self._mark.open("x") as file:
            file.write(_MARK_TEXT)

    def _remove_leftovers(self) -> None:
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if path.name.startswith(_PARTIAL) and not folder_lock.is_in_use(path):
                    remove(path)

    def _discard(self, artifact: Path) -> None:
        """Make a leftover of an artifact, so that half of one is never met under its name."""
        artifact.rename(artifact.with_name(f"{_PARTIAL}{artifact.name}-{os.urandom(4).hex()}"))

    def _begin(self, prefix: str = _PARTIAL) -> tuple[Path, int]:
        """A folder to build in, and the lock that says that somebody does."""
        with file_lock.exclusive(self._mark):
            partial = Path(tempfile.mkdtemp(prefix=prefix, dir=self.folder))
            try:
                return partial, folder_lock.begin(partial)
            except OSError:
                remove(partial)
                raise

    def _take(self, folder: Path, say: Callable[[str], None]) -> bool:
        """Lock an artifact against removal, if it is there and whole."""
        with file_lock.exclusive(self._mark):
            if not os.path.lexists(folder):
                return False
            lock = folder_lock.try_use(folder)
        fault = manifest.fault(folder, self.seal)
        if lock is not None and fault is None:
            os.utime(folder)
            self._hold(folder, lock)
            return True
        if lock is not None:
            os.close(lock)
        say(f"{folder.name} in the cache is not used and made again: {fault or 'it cannot be locked'}")
        return False

    def _publish(self, partial: Path, folder: Path, lock: int) -> None:
        """Give what was built its name; where another process was faster, its outcome is as good."""
        with file_lock.exclusive(self._mark):
            other = None if manifest.fault(folder, self.seal) else folder_lock.try_use(folder)
            if other is None:
                if os.path.lexists(folder):
                    self._discard(folder)
                partial.rename(folder)
                file_lock.share(lock)
                self._hold(folder, lock)
                self._remove_leftovers()
                return
            self._hold(folder, other)
        os.close(lock)
        remove(partial)

    def _hold(self, folder: Path, lock: int) -> None:
        if folder in self._held:
            os.close(self._held[folder])
        self._held[folder] = lock

    @contextlib.contextmanager
    def _own_errors(self) -> Iterator[None]:
        """Errors of the system become ours where the disk is full or the cache itself is not what it was."""
        try:
            yield
        except OSError as error:
            if not is_machine_fault(error) and self.folder not in Path(str(error.filename)).parents:
                raise
            raise write_error(error.filename or f"the cache folder {self.root}", error, fix=SET_ANOTHER) from error


def name_of(stage: str, inputs: Mapping[str, object]) -> str:
    """The name of a stage's folder; inputs are JSON values that decide the outcome."""
    return f"{stage}-{_digest({'stage': stage, 'inputs': inputs, 'code': code_version()})[:32]}"


def mark_temporary(folder: Path) -> None:
    """From inside `build`: this outcome is for its caller only and must not be used again."""
    (folder / _TEMPORARY).touch()


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()


def is_artifact(path: Path) -> bool:
    """Whether something in the folder is one, by its name and kind."""
    return bool(_ARTIFACT.fullmatch(path.name)) and path.is_dir() and not path.is_symlink()


def size_on_disk(folder: Path) -> int:
    """Bytes that the files take on the disk, which are few where one is mostly a hole; links are not followed."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(place) / name).lstat().st_blocks * _BLOCK_BYTES
    return total


def _close(locks: Mapping[Path, int]) -> None:
    """Let go of artifacts; one that is temporary goes with its store."""
    for artifact, lock in locks.items():
        os.close(lock)
        if artifact.name.startswith(_PARTIAL):
            remove(artifact)
