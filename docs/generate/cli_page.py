"""The page of the command line, from the command line itself."""

import re
from collections.abc import Iterator, Mapping

import typer
from typer.core import TyperCommand, TyperGroup

from ghostface_edge.pipeline.cli.app import app
from ghostface_edge.reports.errors import ExitCode

_CODES: Mapping[ExitCode, str] = {
    ExitCode.PASS: "done; of `run` and `gate`: the release may ship",
    ExitCode.GATE_FAILED: "the gate failed: the release may not ship",
    ExitCode.BAD_INPUT: "wrong use, or a file that cannot be used",
    ExitCode.TOOL_FAILED: "a tool or a runtime failed",
    ExitCode.INCONCLUSIVE: "inconclusive: too little evidence either way",
}


def verbs() -> list[str]:
    """Names of all verbs, in the order in which they are listed; those of a group after its name, `cache info`."""
    return [name for name, _ in _commands()]


def page() -> str:
    """Markdown: a section per verb, with what it takes."""
    program = typer.main.get_command(app)
    parts = [
        "# Command line",
        "This page is made from the program. `ghostface-edge VERB --help` prints the same in a terminal.",
        "| exit code | |\n| --- | --- |\n" + "\n".join(f"| {code.value} | {said} |" for code, said in _CODES.items()),
        "129, 130 and 143 are a job that was ended by SIGHUP, Ctrl-C or SIGTERM; the next run goes on from there. "
        "What messages mean: [Troubleshooting](../troubleshooting/index.md).",
        "Before the verb:",
        *_entries(program, typer.Context(program)),
    ]
    for name, context in _commands():
        command = context.command
        usage = _values(" ".join(command.get_usage(context).split()[1:]))
        parts += [f"## {name} {{#{name.replace(' ', '-')}}}", f"```\n{usage}\n```", _text(command.help or "")]
        parts += _entries(command, context)
    return "\n\n".join(parts) + "\n"


def _commands() -> Iterator[tuple[str, typer.Context]]:
    """Every verb with the context that it would run in."""
    program = typer.main.get_command(app)
    waiting = [("", typer.Context(program, info_name="ghostface-edge"))]
    while waiting:
        name, context = waiting.pop(0)
        if isinstance(context.command, TyperGroup):
            waiting[:0] = [
                (f"{name} {each}".strip(), typer.Context(command, info_name=each, parent=context))
                for each, command in context.command.commands.items()
            ]
        else:
            yield name, context


def _entries(command: TyperCommand | TyperGroup, context: typer.Context) -> Iterator[str]:
    """What a command takes, each as a term and what it means."""
    for parameter in command.params:
        if record := parameter.get_help_record(context):
            names, said = record
            yield f"`{_values(names)}`\n:   {_text(' '.join(said.split())) or 'See above.'}"


def _values(said: str) -> str:
    """What an option takes, in words of no language's types."""
    said = re.sub(r"<list\[(\w+)\]>", lambda kind: f"<{kind[1].lower()}>…", said)
    return said.replace("[[", "[").replace("]]", "]").replace("<str>", "<text>")


def _text(said: str) -> str:
    """Help texts are Markdown but for brackets, in which defaults stand, and what looks like HTML."""
    return re.sub(r"(?<!`)<", "&lt;", said.replace("\b", "").strip()).replace("[", r"\[")
