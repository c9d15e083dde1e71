"""Frozen artifacts, addressed by what they were made from.

In: a stage's name, its inputs and a function that builds its files. Out: a folder with those files, built once.
The key covers inputs, options, library versions and this package's own source; a folder appears whole or not at
all, and is hashed again before it is used again. All of it lies in one marked folder under the root, and nothing
outside that folder is ever touched. Several processes may use it: names change under one lock, what a process uses
is locked until it ends, and what a killed process had begun is known by its lock, which died with it.
"""

import functools
import hashlib
import json
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ghostface_edge.pipeline.support import file_lock
from ghostface_edge.reports.errors import InputError

_FOLDER, _MARK = "artifacts", ".ghostface-edge-artifacts"
_MARK_TEXT = "Artifacts that ghostface-edge made and can make again. Put nothing else here: it is cleared by size.\n"
_MANIFEST, _TEMPORARY = "manifest.json", ".temporary"
_PARTIAL = ".partial-"
_ARTIFACT = re.compile(r"[a-z0-9-]+-[0-9a-f]{32}")
_LIMIT_BYTES = 4 * 2**30
_PACKAGES = ("calibration", "pipeline", "reports", "targets")


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
        InputError: the root cannot be written, or what others put there is in the way.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()
        self.folder = self.root / _FOLDER
        self._mark = self.folder / _MARK
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
            if not self._mark.exists():
                self._claim()
        except OSError as error:
            raise InputError(
                f"the cache folder {self.root} cannot be written ({error.strerror})",
                fix="set GHOSTFACE_EDGE_CACHE to a writable folder",
            ) from error
        self._held: dict[Path, int] = {}
        """Locks on the artifacts that this process uses."""
        weakref.finalize(self, _close, self._held)
        with file_lock.exclusive(self._mark):
            self._remove_leftovers()

    def make(self, stage: str, inputs: Mapping[str, object], build: Callable[[Path], None]) -> Stored:
        """Return the stage's folder, calling `build(folder)` only if it is not there yet; it stays while it is used.

        Args:
            stage: its name.
            inputs: JSON values that decide the outcome.
            build: writes the stage's files into the folder it is given.
        """
        key = _digest({"stage": stage, "inputs": inputs, "code": code_version()})
        folder = self.folder / f"{stage}-{key[:32]}"
        if self._take(folder):
            return Stored(folder, reused=True)
        partial, lock = self._begin()
        try:
            build(partial)
            if (partial / _TEMPORARY).exists():
                self._hold(partial, lock)
                return Stored(partial, reused=False)
            (partial / _MANIFEST).write_text(json.dumps(_hashes(partial)))
            self._publish(partial, folder, lock)
        except BaseException:
            os.close(lock)
            shutil.rmtree(partial, ignore_errors=True)
            raise
        return Stored(folder, reused=False)

    def prune(self) -> None:
        """Remove the artifacts that were not used for longest, until the rest fits 4 GiB; what is in use stays."""
        with file_lock.exclusive(self._mark):
            folders = [path for path in self.folder.iterdir() if _ARTIFACT.fullmatch(path.name) and path.is_dir()]
            total = 0
            for folder in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True):
                total += sum(file.lstat().st_size for file in folder.rglob("*"))
                if total > _LIMIT_BYTES:
                    _remove_unused(folder)

    def _claim(self) -> None:
        if others := [path.name for path in self.folder.iterdir() if path.name != _MARK]:
            raise InputError(
                f"{self.folder} holds files of others: {', '.join(others[:3])}",
                fix="set GHOSTFACE_EDGE_CACHE to another folder, or move them away",
            )
        self._mark.write_text(_MARK_TEXT)

    def _remove_leftovers(self) -> None:
        for partial in self.folder.glob(f"{_PARTIAL}*"):
            _remove_unused(partial)

    def _begin(self) -> tuple[Path, int]:
        """A folder to build in, and the lock that says that somebody does."""
        with file_lock.exclusive(self._mark):
            partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=self.folder))
            (partial / _MANIFEST).touch()
            lock = file_lock.try_exclusive(partial / _MANIFEST)
            assert lock is not None
            return partial, lock

    def _take(self, folder: Path) -> bool:
        """Lock an artifact against removal, if it is there and whole."""
        with file_lock.exclusive(self._mark):
            lock = file_lock.try_shared(folder / _MANIFEST)
        if lock is None:
            return False
        if not _is_whole(folder):
            os.close(lock)
            return False
        os.utime(folder)
        self._hold(folder, lock)
        return True

    def _publish(self, partial: Path, folder: Path, lock: int) -> None:
        """Give what was built its name; where another process was faster, its outcome is as good."""
        with file_lock.exclusive(self._mark):
            if not _is_whole(folder):
                if folder.exists():
                    folder.rename(partial.with_name(f"{partial.name}-damaged"))
                partial.rename(folder)
                file_lock.share(lock)
                self._hold(folder, lock)
                self._remove_leftovers()
                return
        os.close(lock)
        shutil.rmtree(partial, ignore_errors=True)
        self._take(folder)

    def _hold(self, folder: Path, lock: int) -> None:
        if folder in self._held:
            os.close(self._held[folder])
        self._held[folder] = lock


def mark_temporary(folder: Path) -> None:
    """From inside `build`: this outcome is for its caller only and must not be used again."""
    (folder / _TEMPORARY).touch()


def default_root() -> Path:
    """The user's cache folder for this tool."""
    if chosen := os.environ.get("GHOSTFACE_EDGE_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ghostface-edge"


@functools.cache
def code_version() -> str:
    """Hash of this package's own source: a changed stage never meets an old artifact."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        root = Path(str(files(f"ghostface_edge.{package}")))
        for path in sorted(root.rglob("*.py")):
            digest.update(f"{package}/{path.relative_to(root).as_posix()}".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def file_sha256(*paths: Path) -> str:
    """SHA-256 over the files' bytes, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_sha256(path) for path in files if path.name != _MANIFEST}


def _is_whole(folder: Path) -> bool:
    try:
        recorded = json.loads((folder / _MANIFEST).read_text())
    except (OSError, ValueError):
        return False
    return bool(recorded == _hashes(folder))


def _remove_unused(folder: Path) -> None:
    """Remove a folder unless somebody uses it or still builds in it."""
    manifest = folder / _MANIFEST
    lock = file_lock.try_exclusive(manifest)
    if lock is not None or not manifest.exists():
        shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        os.close(lock)


def _close(locks: Mapping[Path, int]) -> None:
    for lock in locks.values():
        os.close(lock)
