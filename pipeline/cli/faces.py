"""`align`: the verb that turns photographs into faces."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import typer

from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say


def align(
    photographs: Annotated[Path, typer.Argument(help="Folder or archive of photographs, NAME/NAME_0001.jpg.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="New folder, or a .bin.", show_default=False)],
    landmarks: options.Landmarks = None,
    detector: options.Detector = None,
    pairs: Annotated[
        Path | None, typer.Option(help="Pair list; needed for a .bin, and limits a folder.", show_default=False)
    ] = None,
    no_face: Annotated[
        Literal["refuse", "centre"], typer.Option(help="What a photograph without a detected face gives.")
    ] = "refuse",
    on_bad_image: options.OnBadImage = "error",
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet (.jpg).", show_default=False)] = None,
    jobs: options.Jobs = None,
) -> None:
    """Align photographs to 112x112 faces on the ArcFace template."""
    options.check_output(output)
    options.check_photographs(photographs)
    options.check_alignment(landmarks, detector)
    if pairs is not None:
        options.check_pairs(pairs)

    from ghostface_edge.calibration.unusable import OnBadImage
    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.pipeline.tools.align import AlignJob, align

    job = AlignJob(
        photographs=photographs,
        output=output,
        landmarks=landmarks,
        detector=detector,
        pairs=pairs,
        no_face=no_face,
        on_bad_image=OnBadImage(on_bad_image),
        sheet=sheet,
        cores=options.cores(jobs),
    )
    say(align(job, Progress()))


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"align": align})
