"""`doctor` and `cache`: what is here, what of it works, and what may go."""

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ghostface_edge.pipeline.cli import options
from ghostface_edge.pipeline.cli.printing import say, say_json, say_table
from ghostface_edge.pipeline.support import messages
from ghostface_edge.reports.errors import ExitCode, InputError

if TYPE_CHECKING:
    from ghostface_edge.pipeline.support.cache_contents import CacheContents


def doctor(json_: options.Json = False) -> None:
    """Say what is installed, what each runtime can use here and what is missing, with the line that brings it.

    Ends with a text for issues, which names nobody. Exit code: 0 if the core works, 3 if it does not.
    """
    from ghostface_edge.pipeline.tools.doctor import examine

    found = examine()
    if json_:
        say_json(found.as_json())
    else:
        for line in found.as_lines():
            typer.echo(line)
    if not found.core_works:
        raise typer.Exit(ExitCode.TOOL_FAILED)


def cache(
    what: Annotated[Literal["info", "prune", "clear"], typer.Argument(help="What to do with it.")] = "info",
    yes: Annotated[bool, typer.Option("--yes", help="Clear it without asking.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Clear downloads, emulated CPUs, environments and the key as well.")
    ] = False,
    json_: options.Json = False,
) -> None:
    """See what the cache holds, keep it to its size, or empty it; what is in use always stays.

    `cache info` lists artifacts by stage: how many, how large, used when; and what else lies there. `cache prune`
    removes those that were unused longest, until the rest keeps to GHOSTFACE_EDGE_CACHE_LIMIT (`8G`, `500M`; 4G by
    default), as every run does at its end. `cache clear` removes all of them; runs make them again.
    """
    if everything and what != "clear":
        raise InputError(f"--all is nothing to `cache {what}`", fix="leave it out, or clear the cache")
    if what == "info":
        _show(json_=json_)
        return
    if what == "clear" and not yes:
        _ask(everything=everything)
    _shrink(0 if what == "clear" else None, everything=everything, json_=json_)


def _show(*, json_: bool) -> None:
    from ghostface_edge.pipeline.support.cache_contents import look
    from ghostface_edge.reports.cache_root import default_root

    contents = look(default_root())
    if json_:
        say_json(contents.as_json())
        return
    say(contents.headline())
    if contents.stages:
        say_table(contents.stage_rows(), ("Stage", "Artifacts", "Size", "Last used"))
    if contents.beside:
        say_table(contents.beside_rows(), ("Beside them", "Size", "What it is"))


def _ask(*, everything: bool) -> None:
    from ghostface_edge.pipeline.support.cache_contents import look
    from ghostface_edge.reports.cache_root import default_root

    if not sys.stdin.isatty():
        raise InputError("there is nobody to ask whether the cache may be cleared", fix="say so with --yes")
    messages.say(look(default_root()).headline())
    what = "them and all that lies beside them" if everything else "them"
    if not typer.confirm(f"Remove {what}?", err=True):
        raise typer.Exit


def _shrink(at_most: int | None, *, everything: bool, json_: bool) -> None:
    from ghostface_edge.pipeline.support.cache_contents import look, remove_beside
    from ghostface_edge.pipeline.support.store import Store
    from ghostface_edge.reports.cache_root import default_root

    root = default_root()
    before = look(root)
    if before.stages:
        Store(root).prune(at_most)
    if everything:
        remove_beside(root)
    after = look(root)
    if json_:
        say_json({"removed_bytes": before.total_bytes - after.total_bytes, **after.as_json()})
    else:
        say(_told(before, after))


def _told(before: "CacheContents", after: "CacheContents") -> str:
    from ghostface_edge.pipeline.support.cache_limit import size_text

    return f"{size_text(before.total_bytes - after.total_bytes)} removed; {after.headline()}"


VERBS: Mapping[str, Callable[..., None]] = MappingProxyType({"doctor": doctor, "cache": cache})
