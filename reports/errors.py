"""The errors that users see: what is wrong, where, and how to mend it."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command line."""

    PASS = 0
    GATE_FAILED = 1
    BAD_INPUT = 2
    TOOL_FAILED = 3
    INCONCLUSIVE = 4


class GhostfaceEdgeError(Exception):
    """Root of everything this package raises on purpose.

    Args:
        message: what is wrong and where, one sentence without a full stop.
        fix: how to mend it, one sentence without a full stop.
    """

    exit_code = ExitCode.TOOL_FAILED

    def __init__(self, message: str, *, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} (fix: {self.fix})"


class InputError(GhostfaceEdgeError):
    """The user's file, folder or option cannot be used as it is."""

    exit_code = ExitCode.BAD_INPUT


class ToolError(GhostfaceEdgeError):
    """A runtime or converter failed at its own work."""


class RuntimeMissingError(GhostfaceEdgeError):
    """An optional runtime is not installed; `fix` is the pip line that installs it."""


class ParityError(ToolError):
    """A rewritten or converted model does not compute what its source computes."""
