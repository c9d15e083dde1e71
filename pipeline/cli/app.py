"""`ghostface-edge`: the verbs, and what becomes of errors."""

import os
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Final, NoReturn

import typer

from ghostface_edge.pipeline.cli import (
    bundles,
    elsewhere,
    faces,
    main_job,
    matrix,
    measure,
    models,
    networks,
    release,
    standard_streams,
)
from ghostface_edge.pipeline.cli.printing import say
from ghostface_edge.pipeline.cli.signals import Ended, raise_signals
from ghostface_edge.reports.errors import ExitCode, GhostfaceEdgeError, InputError, ToolError
from ghostface_edge.reports.printable import printable, shortened
from ghostface_edge.reports.write import is_machine_fault, machine_fault
from ghostface_edge.targets.places.memory_limit import bound_own_memory

_MEMORY_LIMIT_MB: Final = 8192
_LONGEST: Final = 2000
"""Characters of a message."""
_UNBOUNDED: Final = ("train",)
"""Verbs that hold what the user chose to train on, in this process."""

app = typer.Typer(
    name="ghostface-edge",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 pass, 1 gate failed, 2 wrong use or bad input, 3 a tool or runtime failed, 4 inconclusive.",
)
for group in (
    main_job.VERBS,
    matrix.VERBS,
    models.VERBS,
    measure.VERBS,
    release.VERBS,
    bundles.VERBS,
    faces.VERBS,
    networks.VERBS,
    elsewhere.VERBS,
):
    for name, verb in group.items():
        app.command(name)(verb)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ghostface-edge {version('ghostface-edge')}")
        raise typer.Exit


@app.callback()
def about(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Put a trained GhostFaceNet on edge devices as FP32, FP16 and INT8 models, and prove what each one lost.

    `ghostface-edge run` shows everything on a small network of its own; bring yours with
    `ghostface-edge run --checkpoint NET.h5 --pairs lfw.bin --calibration FACES`.
    """
    if context.invoked_subcommand not in _UNBOUNDED:
        bound_own_memory(_MEMORY_LIMIT_MB)


def main() -> None:
    """Entry point: errors and signals become one message and an exit code."""
    standard_streams.prepare()
    try:
        raise_signals()
        _check_arguments(sys.argv[1:])
        try:
            app()
        finally:
            sys.stdout.flush()
    except GhostfaceEdgeError as error:
        _fail(error)
    except Ended as ending:
        say(f"ended by {ending.signal.name}; what was finished is kept and the next run goes on from there", err=True)
        sys.exit(ending.exit_code)
    except MemoryError:
        _fail(ToolError(f"more than {_MEMORY_LIMIT_MB} MB of memory were needed", fix="give smaller inputs"))
    except OSError as error:
        what = "what the run makes" if error.filename is None else shortened(os.fsdecode(error.filename), _LONGEST // 2)
        if error.filename is None or is_machine_fault(error):
            _fail(machine_fault(what, error))
        _fail(InputError(f"{what} cannot be used: {error.strerror}", fix="check the path and its permissions"))
    except Exception as error:
        if isinstance(error, RuntimeError) and "start new thread" in str(error):
            _fail(
                ToolError("the system has no room for another thread", fix="free memory, or raise `ulimit -u` and -v")
            )
        for line in traceback.format_exc().splitlines():
            say(f"| {line}", err=True)  # a line of its own is none of a workflow's commands
        typer.secho("error: this is a fault of ghostface-edge; please report it", fg=typer.colors.RED, err=True)
        sys.exit(ExitCode.TOOL_FAILED)


def _check_arguments(arguments: Sequence[str]) -> None:
    """Refuse what no option means: an empty text, as an unset variable leaves it, and bytes that are no text."""
    for argument in arguments:
        if not argument or re.fullmatch(r"--[a-z-]+=", argument):
            raise InputError("an argument is empty", fix="give a value, or leave its option out")
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise InputError(f"{argument!a} is not UTF-8", fix="rename the file") from None


def _fail(error: GhostfaceEdgeError) -> NoReturn:
    typer.secho(f"error: {printable(shortened(error.message, _LONGEST))}", fg=typer.colors.RED, err=True)
    say(f"  fix: {shortened(error.fix, _LONGEST)}", err=True)
    sys.exit(error.exit_code)
