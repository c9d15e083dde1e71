"""`evaluate`, `match` and `match_video` as the library offers them: options in, parsed here; heavy imports inside."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ghostface_edge.reports.errors import InputError

if TYPE_CHECKING:
    from ghostface_edge.calibration.pairs_source import PairsSource
    from ghostface_edge.pipeline.tools.match_film import Seen
    from ghostface_edge.pipeline.tools.matching import Matching

StrPath = str | os.PathLike[str]


def evaluate(
    artifact: StrPath,
    *,
    pairs: Sequence[StrPath] = (),
    gallery: StrPath | None = None,
    reference: StrPath | None = None,
    faces: StrPath | None = None,
    landmarks: StrPath | None = None,
    detector: StrPath | None = None,
    on_bad_image: Literal["error", "skip"] = "error",
    label_errors: Literal["keep", "exclude"] = "keep",
    groups: StrPath | None = None,
    enrolled_by: StrPath | None = None,
    identification: bool = False,
    flip: bool = False,
    diagnose: bool = False,
) -> dict[str, dict[str, object]]:
    """Embed faces with one artifact and say how well it verifies, and what it lost against a reference.

    Needs `pairs`, or `gallery`, or both: then thresholds are chosen on the gallery and tried on the pairs.

    Args:
        artifact: `.onnx`, `.xml`, `.tflite` or `.c`.
        pairs: as for `run`.
        gallery: as for `run`.
        reference: artifact to compare with, usually the FP32 ONNX.
        faces: as for `run`.
        landmarks: as for `run`.
        detector: as for `run`.
        on_bad_image: as for `run`.
        label_errors: as for `run`.
        groups: CSV of people with attributes; needs `reference`.
        enrolled_by: artifact of an older release that enrolled everybody.
        identification: search probes among many too, 1:N.
        flip: add the mirrored face's embedding, as InsightFace's protocol does.
        diagnose: try the usual input mistakes on the first pairs and say which one fits.

    Returns:
        What `ghostface-edge evaluate --json` prints: by title (`accuracy`, `all_pairs`, `versus_reference` …), fields
        with their values.

    Raises:
        InputError: an artifact, faces or options cannot be used.
        RuntimeMissingError: the artifact's runtime is not installed.
        ToolError: a runtime failed.
    """
    from ghostface_edge.targets.judge import judge_artifact

    if diagnose and not pairs:
        raise InputError("a diagnosis needs pairs", fix="give them with --pairs")
    if groups is not None and reference is None:
        raise InputError("groups say what was added to a difference", fix="give the FP32 artifact with --reference")
    if groups is not None:
        from ghostface_edge.calibration.people_file import read_people

        read_people(Path(groups))
    for model in (artifact, reference, enrolled_by):
        if model is not None:
            judge_artifact(Path(model))

    from ghostface_edge.calibration.unusable import OnBadImage
    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.pipeline.tools.embedded import Question
    from ghostface_edge.pipeline.tools.evaluate import diagnose_artifact
    from ghostface_edge.pipeline.tools.evaluate import evaluate as answer

    progress, given = Progress(), sources_of(pairs, faces, landmarks, detector, on_bad_image, label_errors)
    asked = Question(
        Path(artifact),
        pairs=given,
        gallery=path_of(gallery),
        reference=path_of(reference),
        enrolled_by=path_of(enrolled_by),
        identification=identification,
        flip=flip,
        groups=path_of(groups),
        on_bad_image=OnBadImage(on_bad_image),
    )
    facts = answer(asked, progress)
    if diagnose:
        facts["diagnosis"] = diagnose_artifact(asked.artifact, given[0], progress)
    return facts


def match(
    first: StrPath,
    second: StrPath,
    *,
    model: StrPath | None = None,
    run: StrPath | None = None,
    detector: StrPath | None = None,
    face: Literal["largest", "central"] = "largest",
    fmr: Literal["0.01", "0.001", "0.0001", "0.00001", "0.000001"] | None = None,
    show: StrPath | None = None,
) -> "Matching":
    """Compare the face in a photograph with that in another, or with those of a folder.

    Nothing of the photographs is kept, but for what `show` asks for.

    Args:
        first: a photograph of at least one face.
        second: another, or a folder of them, as `NAME/FILE.jpg` or lying flat.
        model: artifact of any runtime; by default the run's INT8.
        run: folder of the run that tells error rates; by default the model's, or `out`.
        detector: YuNet `.onnx`; by default what `ghostface-edge fetch yunet` brought.
        face: which is meant where a photograph shows several; `evaluate` takes the central one.
        fmr: false-match rate of the threshold; by default 0.001, or the strictest looser one that the run tells.
        show: page (`.html`) or picture (`.png`) to write.

    Returns:
        Scores, the most alike first, as `evaluate` computes them; with the threshold, decisions and how often
        strangers score as high, where the run tells that, else None. Boxes and landmarks are pixels of the photograph.

    Raises:
        InputError: a photograph that cannot be used or shows no face, no model, no detector, or a false-match rate that
            the run does not tell.
        RuntimeMissingError: the model's runtime is not installed.
        ToolError: a runtime or reading the photographs failed.
    """
    from ghostface_edge.calibration.detector import Choice
    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.pipeline.tools.match import Comparing
    from ghostface_edge.pipeline.tools.match import match as compare

    asked = Comparing(
        Path(first),
        Path(second),
        model=path_of(model),
        run=path_of(run),
        detector=path_of(detector),
        choice=Choice(face),
        fmr=fmr,
        show=path_of(show),
    )
    return compare(asked, Progress())


def match_video(
    first: StrPath,
    video: StrPath | None = None,
    *,
    camera: int | None = None,
    model: StrPath | None = None,
    run: StrPath | None = None,
    detector: StrPath | None = None,
    face: Literal["largest", "central"] = "largest",
    fmr: Literal["0.01", "0.001", "0.0001", "0.00001", "0.000001"] | None = None,
    show: StrPath | None = None,
) -> "Seen":
    """Compare the face in a photograph with that in every frame of a video, or of what a camera sees.

    Args:
        first: a photograph.
        video: what FFmpeg reads.
        camera: the number of one, instead; it is shown in a window until `q`, or a minute of it is recorded by `show`.
        model: as for `match`.
        run: as for `match`.
        detector: as for `match`.
        face: as for `match`.
        fmr: as for `match`.
        show: annotated video to write, `.mp4` or `.webm`.

    Returns:
        A sighting for every frame that shows a face: seconds from the start, score, and whether it reaches the
        threshold.

    Raises:
        InputError: a photograph without a face, no video, camera, window, model or detector.
        RuntimeMissingError: the model's runtime is not installed.
        ToolError: a runtime or the video failed.
    """
    if (video is None) == (camera is None):
        raise InputError("a photograph is looked for in one thing", fix="give a video or a camera")

    from ghostface_edge.calibration.detector import Choice
    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.pipeline.tools.match import Comparing
    from ghostface_edge.pipeline.tools.match_film import match_film

    asked = Comparing(
        Path(first),
        Path(f"camera {camera}" if video is None else video),
        model=path_of(model),
        run=path_of(run),
        detector=path_of(detector),
        choice=Choice(face),
        fmr=fmr,
        show=path_of(show),
    )
    return match_film(asked, camera, Progress())


def sources_of(
    pairs: Sequence[StrPath],
    faces: StrPath | None,
    landmarks: StrPath | None,
    detector: StrPath | None,
    on_bad_image: str,
    label_errors: str,
) -> "tuple[PairsSource, ...]":
    """Verification sets by the names of their files and options."""
    from ghostface_edge.calibration.pairs_source import sources
    from ghostface_edge.calibration.unusable import OnBadImage
    from ghostface_edge.calibration.verification import LabelErrors

    images = path_of(faces), path_of(landmarks), path_of(detector)
    bad, errors = OnBadImage(on_bad_image), LabelErrors(label_errors)
    return sources([Path(path) for path in pairs], *images, on_bad_image=bad, label_errors=errors)


def path_of(given: StrPath | None) -> Path | None:
    """A path that may be left out."""
    return None if given is None else Path(given)
