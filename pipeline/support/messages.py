"""What is said on the way, on standard error: lines for people, or an object of JSON a line for what reads logs.

The tool's logger says all of it, so a program that uses this package can direct it as it does its own; names of others
are written out before, so that they are but names wherever it goes. The command line
chooses once how; a line's level is `info`, `warning` or `error`.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

from ghostface_edge.reports.printable import printable

LOGGER: Final = logging.getLogger("ghostface_edge")
_FACTS: Final = "facts"
_RED: Final = "\x1b[31m{}\x1b[0m"


def say(text: object, **facts: object) -> None:
    """One line.

    Args:
        text: for people, whole by itself.
        facts: JSON values, for what reads logs.
    """
    LOGGER.info("%s", printable(text), extra={_FACTS: facts})


def warn(text: object) -> None:
    """One line on what may be other than was meant."""
    LOGGER.warning("%s", printable(text), extra={_FACTS: {}})


def fail(text: object, *, fix: str | None = None, more: str | None = None, trace: str | None = None) -> None:
    """What ended the program, how to mend it, where to read on, and where the fault is if it is the program's own."""
    facts = {"fix": fix, "more": more, "trace": trace}
    known = {name: value for name, value in facts.items() if value is not None}
    LOGGER.error("%s", printable(text), extra={_FACTS: known})


def choose(*, quiet: bool, as_json: bool) -> None:
    """Say errors only, or all as JSON; what libraries say of themselves goes the same way then."""
    _HANDLER.setFormatter(_JsonLines() if as_json else _Lines())
    LOGGER.setLevel(logging.ERROR if quiet else logging.INFO)
    if quiet or as_json:
        logging.basicConfig(handlers=[_HANDLER], level=logging.ERROR if quiet else logging.WARNING, force=True)
        logging.captureWarnings(True)


def may_draw() -> bool:
    """Whether bars may be drawn: for people who have not asked for silence, on a terminal that may be controlled."""
    lines = isinstance(_HANDLER.formatter, _Lines) and LOGGER.isEnabledFor(logging.INFO)
    return lines and sys.stderr.isatty() and may_colour(sys.stderr)


def may_colour(stream: TextIO) -> bool:
    """Whether escape codes may go to a stream: to a terminal that takes them, or where `FORCE_COLOR` wants them.

    Source: no-color.org, whose `NO_COLOR` has the last word.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR"))


class _StandardError(logging.Handler):
    """Writes to what standard error is at that moment: bars put something in its place while they are drawn."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")
        sys.stderr.flush()


class _Lines(logging.Formatter):
    """For people: names of others are but names, and an error is followed by how to mend it."""

    def format(self, record: logging.LogRecord) -> str:
        text = printable(record.getMessage())
        if record.levelno < logging.WARNING:
            return text
        if record.levelno < logging.ERROR:
            return f"warning: {text}"
        head = f"error: {text}"
        facts = getattr(record, _FACTS, {})
        told = [f"  {name}: {printable(facts[name])}" for name in ("fix", "more") if name in facts]
        # at the head of its lines a mark, so that none of them is taken for a command of a workflow
        trace = [f"| {printable(line)}" for line in facts.get("trace", "").splitlines()]
        return "\n".join([*trace, _RED.format(head) if may_colour(sys.stderr) else head, *told])


class _JsonLines(logging.Formatter):
    """For what reads logs, in ASCII: `time`, `level`, `text`, and what else is known."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = {"time": moment, "level": record.levelname.lower(), "text": record.getMessage()}
        foreign = {} if record.name == LOGGER.name else {"logger": record.name}
        return json.dumps({**head, **foreign, **getattr(record, _FACTS, {})})


_HANDLER: Final = _StandardError()
_HANDLER.setFormatter(_Lines())
LOGGER.addHandler(_HANDLER)
LOGGER.setLevel(logging.INFO)
LOGGER.propagate = False
