"""`ghostface-edge`: the verbs, and what becomes of errors."""

import io
import sys
import traceback
from typing import Annotated

import typer

from ghostface_edge.pipeline.cli import faces, main_job, measure, models, networks, release
from ghostface_edge.pipeline.cli.printing import say
from ghostface_edge.reports.errors import ExitCode, GhostfaceEdgeError
from ghostface_edge.reports.printable import printable, shortened

_INTERRUPTED = 130
_LONGEST = 2000
"""Characters of a message."""

app = typer.Typer(
    name="ghostface-edge",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 pass, 1 gate failed, 2 wrong use or bad input, 3 a tool or runtime failed, 4 inconclusive.",
)
for group in (main_job.VERBS, models.VERBS, measure.VERBS, release.VERBS, faces.VERBS, networks.VERBS):
    for name, verb in group.items():
        app.command(name)(verb)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ghostface-edge {version('ghostface-edge')}")
        raise typer.Exit


@app.callback()
def about(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Put a trained GhostFaceNet on edge devices as FP32, FP16 and INT8 models, and prove what each one lost.

    `ghostface-edge run` shows everything on a small network of its own; bring yours with
    `ghostface-edge run --checkpoint NET.h5 --pairs lfw.bin --calibration FACES`.
    """


def main() -> None:
    """Entry point: errors become one message and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # whatever a terminal cannot show, it is told by its number
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except GhostfaceEdgeError as error:
        typer.secho(f"error: {printable(shortened(error.message, _LONGEST))}", fg=typer.colors.RED, err=True)
        say(f"  fix: {shortened(error.fix, _LONGEST)}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as ending:
        if ending.code == _INTERRUPTED:
            typer.echo("interrupted; what was finished is kept and the next run goes on from there", err=True)
        raise
    except BrokenPipeError:
        sys.exit(ExitCode.PASS)
    except Exception:
        for line in traceback.format_exc().splitlines():
            say(f"| {line}", err=True)  # a line of its own is none of a workflow's commands
        typer.secho("error: this is a fault of ghostface-edge; please report it", fg=typer.colors.RED, err=True)
        sys.exit(ExitCode.TOOL_FAILED)
