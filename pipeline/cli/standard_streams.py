"""Standard input, output and error as a job can rely on them, whatever the caller has made of them.

A result that cannot be delivered is an error, unless whoever was to read it has had enough; a message is lost then.
"""

import io
import os
import sys
from typing import TYPE_CHECKING, Final

from ghostface_edge.reports.errors import ToolError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_INPUT, _OUTPUT, _ERRORS = 0, 1, 2
_HOW: Final = {_INPUT: os.O_RDONLY, _OUTPUT: os.O_RDONLY, _ERRORS: os.O_WRONLY}
"""To open what is closed: an output that is not there is one that cannot be written."""


def prepare() -> None:
    """Fill in closed streams, so that no file of ours gets their numbers; from here on no character fails to print."""
    for descriptor, how in _HOW.items():
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, how)  # gets the lowest number that is free
    sys.stdout = _text(_Output(_OUTPUT, "w", closefd=False))
    sys.stderr = _text(_Messages(_ERRORS, "w", closefd=False))


def _text(stream: io.FileIO) -> io.TextIOWrapper:
    encoding = getattr(sys.__stderr__ or sys.__stdout__, "encoding", "utf-8")
    return io.TextIOWrapper(io.BufferedWriter(stream), encoding, errors="backslashreplace", line_buffering=True)


class _Output(io.FileIO):
    """For results."""

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), _OUTPUT)  # for what is written at the end of the process
            raise ToolError(
                f"standard output cannot be written: {error.strerror}", fix="direct it somewhere that takes the result"
            ) from error


class _Messages(io.FileIO):
    """For what is said on the way."""

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes
