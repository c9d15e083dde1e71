"""`devices`: where models will live."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated

import typer

from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say, say_json
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
    from ghostface_edge.pipeline.support.store import default_root
    from ghostface_edge.pipeline.tools import devices as tool

    userlands, words, progress = default_root() / "userlands", list(what or ()), Progress()
    if words[:1] == ["install"]:
        if words[1:] != ["qemu"]:
            raise InputError("only emulated CPUs can be installed", fix="ghostface-edge devices install qemu")
        tool.install(userlands, lambda line: say(line, err=True))
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


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"devices": devices})
