"""The system's C compiler, as a program of its own."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ghostface_edge.reports.errors import RuntimeMissingError, ToolError

FLAGS: Final = ("-O3", "-std=c99", "-Wall", "-Wextra", "-Werror")
HOST: Final = ("-march=native",)
LIBRARY: Final = ("-shared", "-fPIC")
_NAMES: Final = ("cc", "gcc", "clang")
_TIMEOUT_S: Final = 600


def find_compiler() -> str:
    """The program that `CC` names, or the system's.

    Raises:
        RuntimeMissingError: there is none.
    """
    names = (os.environ["CC"],) if os.environ.get("CC") else _NAMES
    for name in names:
        if found := shutil.which(name):
            return found
    raise RuntimeMissingError(f"no C compiler: {' or '.join(names)} is not there", fix="apt-get install gcc libc6-dev")


def compile_c(compiler: str, sources: Sequence[Path], flags: Sequence[str], out: Path) -> None:
    """Compile and link.

    Args:
        compiler: a program that takes gcc's options.
        sources: C files.
        flags: besides `FLAGS`.
        out: what to write.

    Raises:
        ToolError: it failed; the message has its first error.
    """
    command = [compiler, *FLAGS, *flags, "-o", str(out), *map(str, sources)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise ToolError(
            f"{compiler} did not finish within {_TIMEOUT_S} s", fix="compile it by hand to see why"
        ) from expired
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "collect2" not in line]  # says that the linker said it
        said = [line for line in lines if "error" in line] or lines
        raise ToolError(
            f"{compiler} refuses {sources[0].name}: {said[0] if said else f'exit code {done.returncode}'}",
            fix=f"try `{' '.join(command)}`",
        )
