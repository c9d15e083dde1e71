"""Options that several verbs share, and how they are read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from ghostface_edge.reports import policy, report

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads for inference.")]
Faces = Annotated[Path | None, typer.Option(help="Images behind a pairs.txt: a folder or archive.", show_default=False)]
Landmarks = Annotated[
    Path | None, typer.Option(help="CSV of five landmarks per photograph, to align them.", show_default=False)
]
Detector = Annotated[
    Path | None, typer.Option(help="YuNet .onnx that finds the landmarks instead.", show_default=False)
]
OnBadImage = Annotated[Literal["error", "skip"], typer.Option(help="What becomes of images that cannot be used.")]
LabelErrors = Annotated[Literal["keep", "exclude"], typer.Option(help="LFW's pairs whose label is known to be wrong.")]
Input = Annotated[
    Literal["uint8", "int8", "float32"] | None,
    typer.Option(
        "--input",
        help="What TFLite's INT8 models take: int8 by default; uint8 are the camera's bytes.",
        show_default=False,
    ),
]
Policy = Annotated[Path | None, typer.Option(help="policy.yaml; the built-in policy if not given.", show_default=False)]
Baseline = Annotated[Path | None, typer.Option(help="report.json of an earlier release.", show_default=False)]


def split(names: str) -> list[str]:
    """The names of a comma-separated list."""
    return [name.strip() for name in names.split(",") if name.strip()]


def read_policy(path: Path | None) -> "policy.Policy":
    """The policy in a file, or the built-in one."""
    from ghostface_edge.reports.policy import Policy

    return Policy.read() if path is None else Policy.read(path)


def read_report(path: Path | None) -> "report.Report | None":
    """The report in a file, if one is given."""
    from ghostface_edge.reports.report import Report

    return None if path is None else Report.read(path)
