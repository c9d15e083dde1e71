"""Options that several verbs share, and how they are read."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ghostface_edge.pipeline.support import messages
from ghostface_edge.reports.errors import InputError

if TYPE_CHECKING:
    from ghostface_edge.pipeline.quantize.options import Recipe
    from ghostface_edge.reports import policy, report
    from ghostface_edge.targets.devices.device import Device
    from ghostface_edge.targets.table import VariantId

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads for inference, at most one per core.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Cores to use; all by default.", show_default=False)]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Decides which calibration faces are drawn.")]
Faces = Annotated[Path | None, typer.Option(help="Images behind a pairs.txt: a folder or archive.", show_default=False)]
Landmarks = Annotated[
    Path | None, typer.Option(help="CSV of five landmarks per photograph, to align them.", show_default=False)
]
Detector = Annotated[
    Path | None, typer.Option(help="YuNet .onnx that finds the landmarks instead.", show_default=False)
]
Pairs = Annotated[
    list[Path] | None,
    typer.Option(
        help="Verification pairs: .bin, pairs.txt with --faces, or CFP's folder. May be repeated.", show_default=False
    ),
]
Gallery = Annotated[
    Path | None,
    typer.Option(help="Folder NAME/* of aligned faces, compared all against all.", show_default=False),
]
OnBadImage = Annotated[Literal["error", "skip"], typer.Option(help="What becomes of images that cannot be used.")]
LabelErrors = Annotated[Literal["keep", "exclude"], typer.Option(help="LFW's pairs whose label is known to be wrong.")]
Groups = Annotated[
    Path | None,
    typer.Option(help="CSV of people: `person` and attributes such as sex, to compare groups.", show_default=False),
]
Input = Annotated[
    Literal["uint8", "int8", "float32"] | None,
    typer.Option(
        "--input",
        help="What TFLite's INT8 models take: int8 by default; uint8 are the camera's bytes.",
        show_default=False,
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(
        help="policy.yaml, or nist-800-63b, android-class, iso-19795-1; default if not given.",
        metavar="FILE|NAME",
        show_default=False,
    ),
]
Baseline = Annotated[Path | None, typer.Option(help="report.json of an earlier release.", show_default=False)]
SharedStore = Annotated[
    str | None,
    typer.Option(
        "--store",
        help="Store that machines share: a folder, or s3://BUCKET/PREFIX; default $GHOSTFACE_EDGE_STORE.",
        metavar="FOLDER|URL",
        show_default=False,
    ),
]
StoreKey = Annotated[
    Path | None,
    typer.Option(
        help="Key (PEM) that must have signed what is used of it: a private one signs, too, a public one only reads; "
        "default $GHOSTFACE_EDGE_STORE_KEY.",
        show_default=False,
    ),
]
Devices = Annotated[
    str,
    typer.Option(
        help="Devices that variants run on, too: names of devices.yaml, emulated CPUs, or addresses.",
        metavar="NAME,…",
        show_default=False,
    ),
]


def cores(wanted: int | None) -> int:
    """As many of the cores that this process may use as are wanted, all by default; says so where that is fewer."""
    from ghostface_edge.pipeline.support.host import usable_cores

    usable = usable_cores()
    if wanted is not None and wanted > usable:
        messages.warn(f"{wanted} cores were asked for and {usable} can be used")
    return min(wanted or usable, usable)


def check_inputs(*paths: Path | None) -> None:
    """Refuse what is no file before anything is imported to read it.

    Raises:
        InputError: missing, unreadable, a folder, a pipe or a device.
    """
    from ghostface_edge.reports.read import open_file

    for path in paths:
        if path is not None:
            open_file(path, fix="give the path of a file that you may read").close()


def check_folders(*paths: Path | None) -> None:
    """Refuse what is no folder before anything is imported to read it.

    Raises:
        InputError: missing, or something else.
    """
    for path in paths:
        if path is not None and not path.is_dir():
            raise InputError(f"{path} is no folder", fix="give the path of a folder of images")


def check_checkpoint(path: Path | None) -> None:
    """Refuse a checkpoint by what it declares, before anything is imported to read it.

    Raises:
        InputError: no file, or it is refused.
    """
    from ghostface_edge.pipeline.checkpoints.formats import judge_checkpoint

    check_inputs(path)
    if path is not None:
        judge_checkpoint(path)


def check_artifacts(*paths: Path | None) -> None:
    """Refuse runtimes' files by what they declare, before anything is imported to read them.

    Raises:
        InputError: one is no file, or is refused.
    """
    from ghostface_edge.targets.judge import judge_artifact

    check_inputs(*paths)
    for path in paths:
        if path is not None:
            judge_artifact(path)


def check_pairs(*paths: Path) -> None:
    """Refuse verification sets by their first bytes.

    Raises:
        InputError: one is no file, or no such set.
    """
    from ghostface_edge.calibration.first_look import look_at_pairs

    for path in paths:
        look_at_pairs(path)


def check_photographs(path: Path | None) -> None:
    """Refuse what holds no photographs by its name and its first bytes.

    Raises:
        InputError: neither a folder nor an archive.
    """
    from ghostface_edge.calibration.first_look import look_at_photographs

    if path is not None:
        look_at_photographs(path)


def check_alignment(landmarks: Path | None, detector: Path | None) -> None:
    """Refuse what photographs are to be aligned by, by its first bytes.

    Raises:
        InputError: no such files.
    """
    from ghostface_edge.calibration.first_look import look_at_detector, look_at_landmarks

    if landmarks is not None:
        look_at_landmarks(landmarks)
    if detector is not None:
        look_at_detector(detector)


def check_output(path: Path, *, is_folder: bool = False) -> None:
    """Refuse an output that could not be written at the end of the work, before it begins.

    Raises:
        InputError: it lies in the cache, which is cleared by size, or in no folder that may be written to.
    """
    from ghostface_edge.reports.cache_root import default_root

    folder = path.absolute() if is_folder else path.absolute().parent
    there = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{path} cannot be written: {there} is no folder that may be", fix="choose another place")
    # unlike Path.resolve it leaves a link to itself to whoever writes there
    if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(default_root())):
        raise InputError(f"{path} lies in the cache, {default_root()}", fix="choose a place outside of it")


def check_history(folder: Path | None, release: str | None) -> None:
    """Refuse a history that the run could not be kept in, and a name for a run that is not kept.

    Raises:
        InputError: either.
    """
    if folder is not None:
        check_output(folder, is_folder=True)
    elif release is not None:
        raise InputError("--release names a run in a history", fix="give the folder with --history, too")


def read_variants(names: str) -> "tuple[VariantId, ...]":
    """The variants of a comma-separated list."""
    from ghostface_edge.targets.table import parse_variants

    return parse_variants(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))


def read_devices(names: str) -> "tuple[Device, ...]":
    """The devices of a comma-separated list; this host, which every variant runs on, is none."""
    if not names.strip(", "):
        return ()
    from ghostface_edge.reports.cache_root import default_root
    from ghostface_edge.reports.devices import DeviceKind
    from ghostface_edge.targets.devices.table import find_devices

    listed = [name.strip() for name in names.split(",") if name.strip()]
    found = find_devices(listed, default_root() / "userlands")
    return tuple(device for device in found if device.kind is not DeviceKind.LOCAL)


def read_device(name: str) -> "Device":
    """One device."""
    from ghostface_edge.reports.cache_root import default_root
    from ghostface_edge.targets.devices.table import find_devices

    (found,) = find_devices([name], default_root() / "userlands")
    return found


def read_recipe(source: str) -> "Recipe":
    """A built-in recipe, or the one in a file."""
    from ghostface_edge.pipeline.quantize.options import load_recipe

    return load_recipe(source)


def read_policy(source: str | None) -> "policy.Policy":
    """The policy in a file, or a shipped one."""
    from ghostface_edge.reports.policy import Policy

    return Policy.read() if source is None else Policy.named(source)


def read_report(path: Path | None) -> "report.Report | None":
    """The report in a file, if one is given."""
    from ghostface_edge.reports.report import Report

    return None if path is None else Report.read(path)
