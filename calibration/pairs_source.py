"""One way in for every verification set: a `.bin`, a pair list or CFP's protocol over aligned faces or photographs.

In: what a user names. Out: the pairs, and how their faces were aligned where that was our work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ghostface_edge.calibration.aligned_folder import AlignedFolder, Keep
from ghostface_edge.calibration.alignment import Locator, Progress, WhenNoFace, YuNet
from ghostface_edge.calibration.cfp_protocol import IMAGES, scan_poses
from ghostface_edge.calibration.landmarks import read_landmarks
from ghostface_edge.calibration.listed_pairs import align_listed, load_listed_pairs
from ghostface_edge.calibration.photos import PhotoFolder, open_photos
from ghostface_edge.calibration.unusable import OnBadImage
from ghostface_edge.calibration.verification import LabelErrors, VerificationSet, load_pairs
from ghostface_edge.reports.errors import InputError


@dataclass(frozen=True, slots=True)
class PairsSource:
    """What a user names."""

    path: Path
    """A `.bin`, a pair list such as `pairs.txt`, or a folder that holds CFP's `Protocol`."""
    faces: Path | None = None
    """For a pair list: a folder of aligned faces; or photographs, in a folder or archive, with one of the next two.
    CFP's are a folder, by default its own `Data/Images`."""
    landmarks: Path | None = None
    detector: Path | None = None
    names: Path | None = None
    """For a `.bin`: the pair list that it was made from."""
    when_no_face: WhenNoFace = WhenNoFace.REFUSE
    on_bad_image: OnBadImage = OnBadImage.ERROR
    label_errors: LabelErrors = LabelErrors.KEEP


@dataclass(frozen=True, slots=True)
class OpenedPairs:
    """A verification set and where its faces come from."""

    pairs: VerificationSet
    aligned: AlignedFolder | None
    """None where the faces came aligned."""


def sources(
    paths: Sequence[Path],
    faces: Path | None = None,
    landmarks: Path | None = None,
    detector: Path | None = None,
    *,
    on_bad_image: OnBadImage = OnBadImage.ERROR,
    label_errors: LabelErrors = LabelErrors.KEEP,
) -> tuple[PairsSource, ...]:
    """Several sets as a user names them at once: the images belong to the lists, a .bin beside one has its own."""
    lists = [path for path in paths if path.suffix != ".bin"]

    def images_of(path: Path) -> tuple[Path | None, Path | None, Path | None]:
        return (faces, landmarks, detector) if path in lists or not lists else (None, None, None)

    return tuple(
        PairsSource(path, *images_of(path), on_bad_image=on_bad_image, label_errors=label_errors) for path in paths
    )


def open_pairs(source: PairsSource, keep: Keep, jobs: int = 1, progress: Progress | None = None) -> OpenedPairs:
    """Read a verification set, aligning its photographs if that is needed and not done already.

    Args:
        source: what the user named.
        keep: who keeps the aligned faces.
        jobs: number of child processes that align.
        progress: told how many photographs are aligned.

    Raises:
        InputError: files that cannot be used, or options that do not go together.
        ToolError: a child process died.
    """
    _check_options(source)
    is_cfp = source.path.is_dir()
    faces = source.path / IMAGES if is_cfp and source.faces is None else source.faces
    if faces is None:
        pairs = load_pairs(
            source.path, source.names, label_errors=source.label_errors, on_bad_image=source.on_bad_image
        )
        return OpenedPairs(pairs, None)
    locator, aligned = _locator(source), None
    if locator is not None:
        aligned = align_listed(
            source.path,
            PhotoFolder(faces, scan_poses(faces)) if is_cfp else open_photos(faces),
            keep,
            locator,
            on_bad_image=source.on_bad_image,
            jobs=jobs,
            progress=progress,
        )
        faces = aligned.path
    pairs = load_listed_pairs(source.path, faces, on_bad_image=source.on_bad_image, label_errors=source.label_errors)
    return OpenedPairs(pairs, aligned)


def _check_options(source: PairsSource) -> None:
    if source.landmarks is not None and source.detector is not None:
        raise InputError("landmarks and a detector are both given", fix="give one of --landmarks and --detector")
    if (
        source.faces is None
        and not source.path.is_dir()
        and (source.landmarks is not None or source.detector is not None)
    ):
        raise InputError("landmarks or a detector are given, but no photographs", fix="give their folder with --faces")
    if source.faces is not None and source.path.suffix == ".bin":
        raise InputError(
            f"{source.path} holds its own faces, {source.faces} is given too",
            fix="leave --faces out, or name a pairs.txt",
        )
    if source.faces is not None and source.names is not None:
        raise InputError(f"{source.path} is a list of names itself", fix="name the list of a .bin only")


def _locator(source: PairsSource) -> Locator | None:
    if source.landmarks is not None:
        return read_landmarks(source.landmarks)
    return None if source.detector is None else YuNet(source.detector, source.when_no_face)
