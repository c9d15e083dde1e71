"""`devices` and `localize`: where models will live, and what is the matter with them there."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say, say_json
from ghostface_edge.pipeline.support import messages
from ghostface_edge.reports.errors import ExitCode, InputError


def devices(
    what: Annotated[
        list[str] | None, typer.Argument(help="`install qemu`, `clean`, or devices to look at; all by default.")
    ] = None,
    json_: options.Json = False,
) -> None:
    """List the devices that models can run on; check those that are named; install emulated CPUs; clean up.

    `devices` lists, `devices pi4 cortex-a72` checks and times, `devices install qemu` makes emulated ARM CPUs in the
    cache, `devices clean [NAME…]` removes what this tool left on devices.
    """
    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.pipeline.tools import devices as tool
    from ghostface_edge.reports.cache_root import default_root

    userlands, words, progress = default_root() / "userlands", list(what or ()), Progress()
    if words[:1] == ["install"]:
        if words[1:] != ["qemu"]:
            raise InputError("only emulated CPUs can be installed", fix="ghostface-edge devices install qemu")
        tool.install(userlands, messages.say)
        return
    if words[:1] == ["clean"]:
        for name, size in tool.clean(words[1:], userlands, progress).items():
            say(f"{name}: {size / 1e6:.1f} MB removed")
        return
    checked = tool.check(words, userlands, progress) if words else tool.known(userlands)
    if json_:
        say_json([each.as_json() for each in checked])
    else:
        for line in (line for each in checked for line in each.as_lines()):
            say(line)
    if words and not all(each.is_usable for each in checked):
        raise typer.Exit(ExitCode.TOOL_FAILED)


def localize(
    model: Annotated[Path, typer.Argument(help=".onnx, .xml, .tflite or .param.")],
    device: Annotated[str, typer.Option(help="Where it gives other embeddings.", show_default=False)],
    pairs: Annotated[
        Path | None, typer.Option(help="Verification pairs to take faces from.", show_default=False)
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Folder of aligned faces instead; images like faces if neither is given.")
    ] = None,
    json_: options.Json = False,
) -> None:
    """Find the first tensor in which a device differs from this host, and the likely cause.

    Exits with 0 where nothing is the matter, with 1 where a cause was found, with 4 where none explains it.
    """
    options.check_artifacts(model)
    options.check_folders(calibration)
    if pairs is not None:
        options.check_pairs(pairs)
    found_device = options.read_device(device)

    from dataclasses import asdict

    from ghostface_edge.pipeline.support.progress import Progress
    from ghostface_edge.pipeline.tools.localize import faces_of, localize
    from ghostface_edge.targets.diagnosis.diagnosis import Verdict

    progress = Progress()
    found = localize(model, found_device, faces_of(pairs, calibration, progress), progress)
    if json_:
        say_json({"model": str(model), "device": found_device.name, **asdict(found)})
    else:
        for line in found.as_lines():
            say(line)
    exit_code = {Verdict.FAULT: ExitCode.GATE_FAILED, Verdict.UNEXPLAINED: ExitCode.INCONCLUSIVE}.get(found.verdict)
    if exit_code is not None:
        raise typer.Exit(exit_code)


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"devices": devices, "localize": localize})
