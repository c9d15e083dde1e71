"""A folder of aligned faces with a manifest: what `align` writes, and what later runs read from their cache.

In: photographs, and who keeps the folder. The key is a hash of all that decides the faces: photographs, landmarks or
detector, OpenCV's version. A cache gives back what it was filled with for that key, if it can vouch for it; a folder
of the user's is written anew, beside its place, and moved there whole.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from ghostface_edge.calibration.alignment import AlignedFace, Locator, Origin, Progress, YuNet, align_photos
from ghostface_edge.calibration.photos import Photos
from ghostface_edge.calibration.quality import Flag
from ghostface_edge.calibration.unusable import OnBadImage, Unusable, unusable_error
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.read import read_text
from ghostface_edge.reports.write import replacing

MANIFEST = "aligned.json"
_MAX_MANIFEST_BYTES = 2**28
"""Of the largest sets: 350 bytes a face."""

Keep: TypeAlias = Callable[[str, Callable[[Path], None]], Path]
"""Given a key and what fills an empty folder, gives the folder filled for that key: now, or in an earlier run."""


@dataclass(frozen=True, slots=True)
class AlignedFile:
    """One face in the folder."""

    name: str
    """The photograph's."""
    file: str
    """The face's, `NAME/NAME_0001.png`."""
    sha256: str
    photo_sha256: str
    origin: Origin
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class AlignedFolder:
    """Aligned faces on disk."""

    path: Path
    key: str
    files: tuple[AlignedFile, ...]
    skipped: tuple[Unusable, ...]
    """Photographs without a face in here, and why."""

    def count(self, origin: Origin) -> int:
        """How many faces have landmarks of that origin."""
        return sum(file.origin is origin for file in self.files)

    @property
    def flagged(self) -> tuple[AlignedFile, ...]:
        """Faces of low quality."""
        return tuple(file for file in self.files if file.flags)


def align_folder(
    photos: Photos,
    keep: Keep,
    locator: Locator,
    *,
    wanted: Collection[str] | None = None,
    on_bad_image: OnBadImage = OnBadImage.ERROR,
    jobs: int = 1,
    progress: Progress | None = None,
    label: Callable[[str], str] = str,
) -> AlignedFolder:
    """Align photographs into a folder.

    Args:
        photos: where they are.
        keep: who keeps the folder: a cache, or `new_folder`.
        locator: landmarks as given, or the detector that finds them.
        wanted: names of photographs, None for all.
        on_bad_image: whether a photograph that gives no face ends everything or is skipped and counted.
        jobs: number of child processes.
        progress: told after every few photographs; not at all where nothing is to be done.
        label: how an error calls a photograph.

    Raises:
        InputError: photographs that cannot be used, no photograph that can, or a folder that holds other things.
        ToolError: a child process died.
    """
    names = frozenset(photos.names() if wanted is None else wanted)
    key = _key(photos, names, locator, on_bad_image)

    def fill(folder: Path) -> None:
        files, unusable = _write(align_photos(photos, names, locator, jobs, progress), folder)
        if not files or (unusable and on_bad_image is OnBadImage.ERROR):
            raise unusable_error(
                [Unusable(label(one.where), one.reason) for one in unusable],
                len(names),
                "photographs",
                fix="replace or remove them, or skip them with --on-bad-image skip",
            )
        files.sort(key=lambda file: file.file)
        unusable.sort(key=lambda one: one.where)
        aligned = AlignedFolder(folder, key, tuple(files), tuple(unusable))
        (folder / MANIFEST).write_text(_to_json(aligned), encoding="utf-8")

    aligned = read_aligned(keep(key, fill))
    assert aligned is not None
    return aligned


def new_folder(folder: Path) -> Keep:
    """A folder that the user names: new, empty, or with nothing but what `align_folder` wrote, which is replaced.

    Raises:
        InputError: the folder holds other things, or cannot be written.
        ToolError: the disk is full or fails.
    """

    def keep(_key: str, fill: Callable[[Path], None]) -> Path:
        if os.path.lexists(folder) and (others := _others(folder)):
            raise InputError(f"{folder} holds something else: {others[0]}", fix="name a new or empty folder")
        with replacing(folder) as partial:
            partial.mkdir()
            fill(partial)
            if folder.is_dir():
                shutil.rmtree(folder)
        return folder

    return keep


def read_aligned(folder: Path) -> AlignedFolder | None:
    """Read a folder's manifest; None if it has none."""
    try:
        text = read_text(folder / MANIFEST, fix="align the photographs again", at_most=_MAX_MANIFEST_BYTES)
        content = json.loads(text)
        files = tuple(_file(entry) for entry in content["files"])
        skipped = tuple(Unusable(str(entry["where"]), str(entry["reason"])) for entry in content["skipped"])
        return AlignedFolder(folder, str(content["key"]), files, skipped)
    except (InputError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _others(folder: Path) -> list[str]:
    """What lies in a folder besides aligned faces; the folder itself, if it is none."""
    if folder.is_symlink() or not folder.is_dir():
        return [folder.name]
    aligned = read_aligned(folder)
    ours = set() if aligned is None else {MANIFEST, *(file.file for file in aligned.files)}
    found = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return sorted({path.relative_to(folder).as_posix() for path in found} - ours)


def _write(outcomes: Iterable[AlignedFace | Unusable], folder: Path) -> tuple[list[AlignedFile], list[Unusable]]:
    files: dict[str, AlignedFile] = {}
    unusable = []
    for outcome in outcomes:
        if isinstance(outcome, Unusable):
            unusable.append(outcome)
            continue
        file = str(PurePosixPath(outcome.name).with_suffix(".png"))
        if file in files:
            unusable.append(Unusable(outcome.name, f"its face would overwrite that of {files[file].name}"))
            continue
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(outcome.png)
        sha256 = hashlib.sha256(outcome.png).hexdigest()
        files[file] = AlignedFile(outcome.name, file, sha256, outcome.photo_sha256, outcome.origin, outcome.flags)
    return list(files.values()), unusable


def _key(photos: Photos, names: Collection[str], locator: Locator, on_bad_image: OnBadImage) -> str:
    import cv2

    if isinstance(locator, YuNet):
        how = f"yunet {file_sha256(locator.model)} {locator.when_no_face} {locator.choice}"
    else:
        how = f"landmarks {locator.sha256}"
    parts = (cv2.__version__, on_bad_image, how, photos.fingerprint(names))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _to_json(aligned: AlignedFolder) -> str:
    content = {
        "key": aligned.key,
        "files": [asdict(file) for file in aligned.files],
        "skipped": [asdict(one) for one in aligned.skipped],
    }
    return json.dumps(content, indent=1)


def _file(entry: dict[str, Any]) -> AlignedFile:
    file = PurePosixPath(entry["file"])
    if file.is_absolute() or ".." in file.parts:
        raise ValueError(file)
    return AlignedFile(
        name=str(entry["name"]),
        file=str(file),
        sha256=str(entry["sha256"]),
        photo_sha256=str(entry["photo_sha256"]),
        origin=Origin(entry["origin"]),
        flags=tuple(Flag(flag) for flag in entry["flags"]),
    )
