"""`match`: the verb that compares a user's own photographs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import typer

import ghostface_edge
from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say, say_json, say_table
from ghostface_edge.reports.errors import ExitCode, InputError

_LISTED = 20
"""Photographs of a folder that a table shows; JSON has all."""


def match(
    first: Annotated[Path, typer.Argument(help="A photograph, JPEG or PNG.")],
    second: Annotated[
        Path | None, typer.Argument(help="Another, or a folder of them; not with --video or --camera.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Artifact of any runtime; the run's INT8 if not given.", show_default=False)
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="Folder of the run that tells error rates; the model's, or `out`.", show_default=False),
    ] = None,
    detector: Annotated[
        Path | None, typer.Option(help="YuNet .onnx; what `fetch yunet` brought if not given.", show_default=False)
    ] = None,
    face: Annotated[
        Literal["largest", "central"],
        typer.Option(help="Which is meant where a photograph shows several; `evaluate` and `align` take the central."),
    ] = "largest",
    fmr: Annotated[
        Literal["0.01", "0.001", "0.0001", "0.00001", "0.000001"] | None,
        typer.Option(help="False-match rate of the threshold; 0.001 if the run tells it.", show_default=False),
    ] = None,
    video: Annotated[
        Path | None, typer.Option(help="Look for the face in every frame of a video.", show_default=False)
    ] = None,
    camera: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=99,
            help="Look for it in what a camera sees, live; q ends it, with --show a minute.",
            show_default=False,
        ),
    ] = None,
    show: Annotated[
        Path | None,
        typer.Option(
            help="Page (.html) or picture (.png) of what was found and where the score lies; of a video .mp4 or .webm.",
            show_default=False,
        ),
    ] = None,
    json_: options.Json = False,
) -> None:
    """Say whether two photographs show one person, and how sure that is by the evidence of a run.

    Of several faces in a photograph the largest is taken, and that is said. Photographs stay where they are: neither
    they nor what is computed of them is kept.

    Exit code: 0 with an answer, whichever it is; 2 for a photograph that shows no face or cannot be read; 4 where no
    run tells a threshold for the model, so that there is a score only.
    """
    if sum(given is not None for given in (second, video, camera)) != 1:
        raise InputError(
            "a photograph is compared with one thing", fix="give a second photograph, a folder, --video or --camera"
        )
    options.check_inputs(first, model, video)
    options.check_alignment(None, detector)
    if show is not None:
        options.check_output(show)

    if second is None:
        seen = ghostface_edge.match_video(
            first, video, camera=camera, model=model, run=run, detector=detector, face=face, fmr=fmr, show=show
        )
        _say_seen(seen, f"{first} in {f'camera {camera}' if video is None else video}", json_)
        raise typer.Exit(ExitCode.INCONCLUSIVE if seen.threshold is None else ExitCode.PASS)
    found = ghostface_edge.match(first, second, model=model, run=run, detector=detector, face=face, fmr=fmr, show=show)
    if json_:
        from ghostface_edge.pipeline.tools.matching import said

        say_json(said(found))
    elif second.is_dir():
        _say_folder(found, second)
    else:
        _say_pair(found)
    if found.threshold is None:
        raise typer.Exit(ExitCode.INCONCLUSIVE)


def _say_seen(seen: "ghostface_edge.Seen", title: str, json_: bool) -> None:
    if json_:
        from pydantic import TypeAdapter

        say_json(TypeAdapter(ghostface_edge.Seen).dump_python(seen, mode="json"))
        return
    best, threshold = seen.best, seen.threshold
    rows = [
        ("frames", f"{seen.frames:,}, {len(seen.sightings):,} with a face"),
        ("same person", "not decided" if threshold is None else f"in {seen.same:,} frames"),
        ("most alike", "no face" if best is None else f"{best.score:.4f}, at {best.second:.2f} s"),
        ("threshold", "no run tells one for this model" if threshold is None else f"{threshold.cosine:.4f}"),
        ("model", seen.model),
    ]
    say_table(rows, title=title)


def _say_pair(found: "ghostface_edge.Matching") -> None:
    one = found.matches[0]
    rows = [
        ("answer", one.answer),
        ("score", f"{one.score:.4f}"),
        ("threshold", found.deciding),
        ("how sure", found.how_sure(one)),
        ("model", found.model),
        *(("note", note) for note in found.notes),
    ]
    say_table(rows, title=f"{found.face.photo} and {one.face.photo}")


def _say_folder(found: "ghostface_edge.Matching", folder: Path) -> None:
    from ghostface_edge.pipeline.tools.matching import bound

    shown = found.matches[:_LISTED]
    rates = ["" if one.certainty is None else bound(one.certainty.fmr) for one in shown]
    rows = [
        (one.face.photo.relative_to(folder), f"{one.score:.4f}", one.answer, rate)
        for one, rate in zip(shown, rates, strict=True)
    ]
    say_table(rows, ("Photograph", "Score", "Answer", "FMR at most"), title=str(found.face.photo))
    if len(found.matches) > len(shown):
        say(f"and {len(found.matches) - len(shown):,} that are less alike")
    say(f"threshold: {found.deciding}; model: {found.model}")
    for line in (*found.notes, *(f"left out: {one}" for one in found.unusable)):
        say(line)


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"match": match})
