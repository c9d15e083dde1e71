"""What is in an artifact's folder, written beside it and sealed, and whether it is still so.

In: a folder of ordinary files, in subfolders or not. The manifest names every one of them with its size and SHA-256;
the seal over that and the folder's name says that a run of this user made it, and made it for this name.
"""

import json
import os
import stat
from pathlib import Path
from typing import Final, TypeAlias

from ghostface_edge.pipeline.support.seal import Seal
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import read_bytes

MANIFEST: Final = "manifest.json"
_PURPOSE: Final = "artifact"

_Shape: TypeAlias = dict[str, int | None]
"""Bytes of every file by its path in the folder, None of a subfolder."""


class _NotWholeError(Exception):
    """A folder is not what was written."""


def write_manifest(folder: Path, name: str, seal: Seal) -> None:
    """Describe a folder and seal it for the name that it is going to have."""
    described = {
        path: (size, None if size is None else file_sha256(folder / path)) for path, size in _shape(folder).items()
    }
    entries = json.dumps(described)
    signature = seal.sign(_PURPOSE, name, entries)
    (folder / MANIFEST).write_text(f'{{"entries": {entries},\n"hmac": "{signature}"}}\n')


def entries(folder: Path) -> dict[str, tuple[int | None, str | None]]:
    """Size and SHA-256 of every file of a folder that was just written or found whole, None of a subfolder."""
    return {path: tuple(one) for path, one in json.loads((folder / MANIFEST).read_bytes())["entries"].items()}


def fault(folder: Path, seal: Seal) -> str | None:
    """Why a folder is not what its manifest says and its seal confirms; None if it is."""
    try:
        _check(folder, seal)
    except InputError as error:
        return error.message
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except _NotWholeError as error:
        return str(error)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "its manifest is no manifest"
    return None


def _check(folder: Path, seal: Seal) -> None:
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise _NotWholeError("it is no folder")
    content = json.loads(read_bytes(folder / MANIFEST, fix="make it again"))
    entries = content["entries"]
    if not seal.holds(content["hmac"], _PURPOSE, folder.name, json.dumps(entries)):
        raise _NotWholeError("no run of this user made it under this name")
    recorded: _Shape = {path: size for path, (size, _) in entries.items()}
    found = _shape(folder)
    # Sizes before contents: what was put there may be too large to be hashed in good time.
    for path in sorted(recorded.keys() | found.keys()):
        if path not in recorded:
            raise _NotWholeError(f"{path} was added to it")
        if path not in found:
            raise _NotWholeError(f"{path} is missing")
        if recorded[path] != found[path]:
            raise _NotWholeError(f"{path} has another size")
    for path, (_, sha256) in entries.items():
        if sha256 is not None and file_sha256(folder / path) != sha256:
            raise _NotWholeError(f"{path} was changed")


def _shape(folder: Path) -> _Shape:
    found: _Shape = {}
    pending = [""]
    while pending:
        with os.scandir(folder / pending.pop()) as entries:
            for entry in entries:
                path = Path(entry.path).relative_to(folder).as_posix()
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    pending.append(path)
                    found[path] = None
                elif not stat.S_ISREG(status.st_mode):
                    raise _NotWholeError(f"{path} is neither a file nor a folder")
                elif path != MANIFEST:
                    found[path] = status.st_size
    return found
