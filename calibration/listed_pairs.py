"""Pair lists over images: `pairs.txt` and a folder, instead of a `.bin`.

In: a pair list, and photographs or aligned faces named as LFW names them. Out: a verification set, or one error that
says on which lines the images are missing or cannot be used.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import check_aligned
from ghostface_edge.calibration.aligned_folder import AlignedFolder, Keep, align_folder
from ghostface_edge.calibration.alignment import Locator, Progress
from ghostface_edge.calibration.cfp_protocol import read_cfp, scan_poses
from ghostface_edge.calibration.faces import read_image, scan_folder
from ghostface_edge.calibration.image_file import BadImageError
from ghostface_edge.calibration.pairs_file import ImageName, NamedPair, PairsFile, read_pairs_file
from ghostface_edge.calibration.photos import Photos
from ghostface_edge.calibration.unusable import OnBadImage, Unusable, unusable_error
from ghostface_edge.calibration.verification import LabelErrors, VerificationSet, distinct, without_label_errors

_FOLDS_DEALT = 10
_FIX = "complete the folder, take the lines out of the list, or skip them with --on-bad-image skip"


def align_listed(
    path: Path,
    photos: Photos,
    keep: Keep,
    locator: Locator,
    *,
    on_bad_image: OnBadImage = OnBadImage.ERROR,
    jobs: int = 1,
    progress: Progress | None = None,
) -> AlignedFolder:
    """Align the photographs that a pair list names, and no others.

    Args:
        path: the pair list, or a folder that holds CFP's `Protocol`.
        photos: where the photographs are.
        keep: who keeps the faces, as for `align_folder`.
        locator: landmarks as given, or the detector that finds them.
        on_bad_image: what to do about photographs that are missing or give no face.
        jobs: number of child processes.
        progress: told after every few photographs.

    Raises:
        InputError: the list is bad, or photographs are missing or cannot be used: with line numbers.
        ToolError: a child process died.
    """
    listed = read_list(path)
    lines = _first_lines(listed)
    found, missing = _look_up(lines, photos.names(), listed.counted)
    if missing and (on_bad_image is OnBadImage.ERROR or not found):
        raise unusable_error(missing, len(lines), f"images of {path}", fix=_FIX)
    line_of = {name: lines[image] for image, name in found.items()}
    return align_folder(
        photos,
        keep,
        locator,
        wanted=line_of,
        on_bad_image=on_bad_image,
        jobs=jobs,
        progress=progress,
        label=lambda name: f"{path.name}, {listed.counted} {line_of[name]}: {name}",
    )


def load_listed_pairs(
    path: Path,
    faces: Path,
    *,
    on_bad_image: OnBadImage = OnBadImage.ERROR,
    label_errors: LabelErrors = LabelErrors.KEEP,
) -> VerificationSet:
    """Read a pair list over a folder of aligned faces.

    A list of one fold is dealt into ten, each with its share of both kinds, so that thresholds are never chosen on the
    pairs they are applied to.

    Args:
        path: the pair list, or a folder that holds CFP's `Protocol`.
        faces: folder of aligned 112x112 faces, NAME/NAME_0001.png or .jpg; of CFP 001/frontal/01.png.
        on_bad_image: whether missing or unusable faces end everything or cost their pairs, counted.
        label_errors: whether LFW's published wrong pairs stay in.

    Raises:
        InputError: the list is bad, or faces are missing or cannot be used: with line numbers.
    """
    listed = read_list(path)
    lines = _first_lines(listed)
    files = scan_poses(faces) if path.is_dir() else {file.name: file.path for file in scan_folder(faces)}
    found, unusable = _look_up(lines, files, listed.counted)
    content: dict[ImageName, bytes] = {}
    for image, name in found.items():
        data = read_image(files[name])
        try:
            check_aligned(data)
            content[image] = data
        except BadImageError as error:
            unusable.append(Unusable(f"{listed.counted} {lines[image]}: {name}", str(error)))
    if unusable and (on_bad_image is OnBadImage.ERROR or not content):
        raise unusable_error(unusable, len(lines), f"images of {path}", fix=_FIX)
    pairs = [pair for pair in _order(listed) if pair.left in content and pair.right in content]
    images, position = distinct(content[side] for pair in pairs for side in (pair.left, pair.right))
    loaded = VerificationSet(
        name=path.resolve().name if path.is_dir() else path.stem,
        path=path,
        sha256=listed.sha256,
        images=images,
        index=position.reshape(-1, 2),
        same=np.array([pair.same for pair in pairs], np.bool_),
        folds=_FOLDS_DEALT if listed.folds == 1 else listed.folds,
        identities=tuple(side.person for pair in pairs for side in (pair.left, pair.right)),
        skipped_pairs=len(listed.pairs) - len(pairs),
        skipped=tuple(unusable),
        dealt=listed.folds == 1,
    )
    return without_label_errors(loaded, pairs) if label_errors is LabelErrors.EXCLUDE else loaded


def read_list(path: Path) -> PairsFile:
    """Parse a pair list: LFW's file, or CFP's folder.

    Raises:
        InputError: it cannot be used.
    """
    return read_cfp(path) if path.is_dir() else read_pairs_file(path)


def _first_lines(listed: PairsFile) -> dict[ImageName, int]:
    lines: dict[ImageName, int] = {}
    for pair in listed.pairs:
        lines.setdefault(pair.left, pair.line)
        lines.setdefault(pair.right, pair.line)
    return lines


def _look_up(
    lines: Mapping[ImageName, int], names: Iterable[str], counted: str
) -> tuple[dict[ImageName, str], list[Unusable]]:
    """Find each image's file, whatever its suffix, in its person's folder or lying flat."""
    by_stem = {str(PurePosixPath(name).with_suffix("")): name for name in names}
    found: dict[ImageName, str] = {}
    missing = []
    for image, line in lines.items():
        stem = image.file.removesuffix(".jpg")
        name = by_stem.get(stem) or by_stem.get(PurePosixPath(stem).name)
        if name is None:
            missing.append(Unusable(f"{counted} {line}: {image.file}", "no such image"))
        else:
            found[image] = name
    return found, missing


def _order(listed: PairsFile) -> Collection[NamedPair]:
    if listed.folds > 1:
        return listed.pairs
    kinds = [[pair for pair in listed.pairs if pair.same is kind] for kind in (True, False)]
    parts: list[list[NDArray[np.intp]]] = [np.array_split(np.arange(len(kind)), _FOLDS_DEALT) for kind in kinds]
    return [kinds[kind][place] for fold in range(_FOLDS_DEALT) for kind in (0, 1) for place in parts[kind][fold]]
