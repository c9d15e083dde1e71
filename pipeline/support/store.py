"""Frozen artifacts, addressed by what they were made from.

In: a stage's name, its inputs and a function that builds its files. Out: a folder with those files, built once.
The key covers inputs, options, library versions and this package's own source; a folder appears whole or not at
all, and is hashed again before it is used again.
"""

import functools
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ghostface_edge.reports.errors import InputError

_MANIFEST = "manifest.json"
_LIMIT_BYTES = 4 * 2**30
_PACKAGES = ("calibration", "targets", "pipeline")


@dataclass(frozen=True, slots=True)
class Stored:
    """One artifact folder."""

    folder: Path
    key: str
    reused: bool


class Store:
    """Artifacts under one root folder.

    Args:
        root: where; by default `$GHOSTFACE_EDGE_CACHE`, else `ghostface-edge` in the user's cache folder.

    Raises:
        InputError: the root cannot be written.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise InputError(
                f"the cache folder {self.root} cannot be written ({error.strerror})",
                fix="set GHOSTFACE_EDGE_CACHE to a writable folder",
            ) from error

    def make(self, stage: str, inputs: Mapping[str, object], build: Callable[[Path], None]) -> Stored:
        """Return the stage's folder, calling `build(folder)` only if it is not there yet.

        Args:
            stage: its name.
            inputs: JSON values that decide the outcome.
            build: writes the stage's files into the folder it is given.
        """
        key = _digest({"stage": stage, "inputs": inputs, "code": code_version()})
        folder = self.root / f"{stage}-{key[:32]}"
        if _is_whole(folder):
            os.utime(folder)
            return Stored(folder, key, reused=True)
        shutil.rmtree(folder, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{stage}-", dir=self.root))
        try:
            build(partial)
            (partial / _MANIFEST).write_text(json.dumps(_hashes(partial)))
            try:
                partial.rename(folder)
            except OSError:  # another process was faster; its outcome is as good
                if not _is_whole(folder):
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return Stored(folder, key, reused=False)

    def prune(self) -> None:
        """Remove the artifacts that were not used for longest, until the rest fits 4 GiB."""
        folders = sorted(
            (path for path in self.root.iterdir() if path.is_dir() and not path.name.startswith(".")),
            key=lambda path: path.stat().st_mtime,
            reverse=True,
        )
        total = 0
        for folder in folders:
            total += sum(file.stat().st_size for file in folder.rglob("*"))
            if total > _LIMIT_BYTES:
                shutil.rmtree(folder, ignore_errors=True)


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
            digest.update(str(path.relative_to(root)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def file_sha256(*paths: Path) -> str:
    """SHA-256 over the files' bytes, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
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
