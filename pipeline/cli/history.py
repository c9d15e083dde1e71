"""`history`: how figures went over the runs that were kept."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say_json, terminal


def history(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of runs, as `run --history` keeps them.")],
    html: Annotated[Path | None, typer.Option(help="Write table and plots as a page.", show_default=False)] = None,
    json_: options.Json = False,
) -> None:
    """Say which figures changed over the runs by more than their noise, and in which run first.

    It reports and judges nothing: `gate --baseline` does that for the newest run.
    """
    from ghostface_edge.targets.requirements import require_modules

    require_modules("history", "ruptures")
    if html is not None:
        options.check_output(html)

    from ghostface_edge.reports.history.folder import read_history
    from ghostface_edge.reports.history.history import look_at

    found = look_at(read_history(folder))
    if html is not None:
        from ghostface_edge.reports.renderings.html import render_history
        from ghostface_edge.reports.write import write_text

        write_text(html, render_history(found))
    if json_:
        say_json(found.model_dump(mode="json"))
        return
    from ghostface_edge.reports.renderings.console import print_history

    print_history(found, terminal())


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"history": history})
