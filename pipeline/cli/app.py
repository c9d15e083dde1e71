"""`ghostface-edge`: the verbs, and what becomes of errors."""

import os
import re
import sys
import traceback
from collections.abc import Sequence
from itertools import takewhile
from typing import Annotated, Final, NoReturn, cast

import typer

from ghostface_edge.pipeline.cli import (
    bundles,
    elsewhere,
    faces,
    first_aid,
    history,
    main_job,
    match,
    matrix,
    measure,
    models,
    networks,
    release,
    standard_streams,
)
from ghostface_edge.pipeline.cli.further_reading import further_reading
from ghostface_edge.pipeline.cli.signals import Ended, raise_signals
from ghostface_edge.pipeline.support import messages
from ghostface_edge.reports.errors import ExitCode, GhostfaceEdgeError, InputError, ToolError
from ghostface_edge.reports.printable import shortened
from ghostface_edge.reports.write import is_machine_fault, machine_fault
from ghostface_edge.targets.places.memory_limit import bound_own_memory

_MEMORY_LIMIT_MB: Final = 8192
_LONGEST: Final = 2000
"""Characters of a message."""
_UNBOUNDED: Final = ("train",)
"""Verbs that hold what the user chose to train on, in this process."""
_QUIET: Final = "--quiet"
_LOG_JSON: Final = "--log-json"
_PLAIN_HELP: Final = "_TYPER_FORCE_DISABLE_TERMINAL"
"""Keeps escape codes out of Typer's help, which it would else print into GitHub's logs."""
_USAGE_ERROR: Final = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])
"""Typer and the Click that older ones stand on have it in different places."""

app = typer.Typer(
    name="ghostface-edge",
    no_args_is_help=True,
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
    match.VERBS,
    release.VERBS,
    bundles.VERBS,
    faces.VERBS,
    networks.VERBS,
    elsewhere.VERBS,
    history.VERBS,
    first_aid.VERBS,
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
    _quiet: Annotated[bool, typer.Option(_QUIET, help="Say nothing but results and errors.")] = False,
    _log_json: Annotated[
        bool, typer.Option(_LOG_JSON, help="Say what is said on standard error as JSON, an object a line.")
    ] = False,
) -> None:
    """Put a trained GhostFaceNet on edge devices as FP32, FP16 and INT8 models, and prove what each one lost.

    `ghostface-edge run` shows everything on a small network of its own; bring yours with
    `ghostface-edge run --checkpoint NET.h5 --pairs lfw.bin --calibration FACES`.
    """
    # `main` has read --quiet and --log-json before anything could be wrong with the rest
    if context.invoked_subcommand not in _UNBOUNDED:
        bound_own_memory(_MEMORY_LIMIT_MB)


def main() -> None:
    """Entry point: errors and signals become one message and an exit code."""
    standard_streams.prepare()
    arguments = sys.argv[1:]
    told_first = list(takewhile(lambda argument: argument.startswith("-"), arguments))
    messages.choose(quiet=_QUIET in told_first, as_json=_LOG_JSON in told_first)
    if not messages.may_colour(sys.stdout):
        os.environ[_PLAIN_HELP] = "1"
    try:
        raise_signals()
        _check_arguments(arguments)
        try:
            exit_code = app(standalone_mode=False)
        finally:
            sys.stdout.flush()
    except GhostfaceEdgeError as error:
        _fail(error)
    except _USAGE_ERROR as error:
        _fail_usage(error)
    except typer.Abort:
        _fail(InputError("it was left without an answer", fix="give one, or the option that takes its place"))
    except Ended as ending:
        messages.fail(f"ended by {ending.signal.name}; what was finished is kept and the next run goes on from there")
        sys.exit(ending.exit_code)
    except MemoryError:
        _fail(ToolError(f"more than {_MEMORY_LIMIT_MB} MB of memory were needed", fix="give smaller inputs"))
    except OSError as error:
        _fail(_of_the_system(error))
    except Exception as error:
        if isinstance(error, RuntimeError) and "start new thread" in str(error):
            _fail(
                ToolError("the system has no room for another thread", fix="free memory, or raise `ulimit -u` and -v")
            )
        messages.fail(
            "this is a fault of ghostface-edge; please report it",
            fix="`ghostface-edge doctor` ends with a text for the report",
            trace=traceback.format_exc(),
        )
        sys.exit(ExitCode.TOOL_FAILED)
    sys.exit(exit_code)


def _check_arguments(arguments: Sequence[str]) -> None:
    """Refuse what no option means: an empty text, as an unset variable leaves it, and bytes that are no text."""
    for argument in arguments:
        if not argument or re.fullmatch(r"--[a-z-]+=", argument):
            raise InputError("an argument is empty", fix="give a value, or leave its option out")
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise InputError(f"{argument!a} is not UTF-8", fix="rename the file") from None


def _of_the_system(error: OSError) -> GhostfaceEdgeError:
    what = "what the run makes" if error.filename is None else shortened(os.fsdecode(error.filename), _LONGEST // 2)
    if error.filename is None or is_machine_fault(error):
        return machine_fault(what, error)
    return InputError(f"{what} cannot be used: {error.strerror}", fix="check the path and its permissions")


def _fail(error: GhostfaceEdgeError) -> NoReturn:
    more = None if "--json" in sys.argv else further_reading(error)
    messages.fail(shortened(error.message, _LONGEST), fix=shortened(error.fix, _LONGEST), more=more)
    sys.exit(error.exit_code)


def _fail_usage(error: typer.BadParameter) -> NoReturn:
    """What the arguments mean to nobody; where there are none, help was shown in place of a message."""
    if message := error.format_message():
        verb = "ghostface-edge" if error.ctx is None else error.ctx.command_path
        _fail(InputError(message.rstrip("."), fix=f"`{verb} --help` lists what it takes"))
    sys.exit(ExitCode.BAD_INPUT)
