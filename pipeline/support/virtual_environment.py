"""Virtual environments in the cache: the Python that they need, made once, whole or not at all."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ghostface_edge.pipeline.support.whole_folder import make_whole, run_installer
from ghostface_edge.reports.errors import RuntimeMissingError

_ASK = "import sys; print('%d.%d' % sys.version_info[:2])"


def minor(version: str) -> str:
    """A version's first two numbers."""
    return ".".join(version.split(".")[:2])


def find_python(version: str) -> Path:
    """A Python of this version, by its first two numbers: this one, one on PATH, or one of pyenv's.

    Raises:
        RuntimeMissingError: there is none.
    """
    wanted = minor(version)
    if wanted == minor(platform.python_version()):
        return Path(sys.executable)
    for candidate in _candidates(wanted):
        try:
            asked = subprocess.run([candidate, "-c", _ASK], env=clean(), capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):  # pyenv's shims answer for versions that are not switched on
            continue
        if asked.stdout.strip() == wanted:
            return Path(candidate)
    raise RuntimeMissingError(
        f"there is no Python {wanted} on PATH or of pyenv's",
        fix=f"install it, for example with `pyenv install {wanted}`",
    )


def _candidates(wanted: str) -> Iterator[str]:
    if found := shutil.which(f"python{wanted}"):
        yield found
    root = Path(os.environ.get("PYENV_ROOT") or Path("~/.pyenv").expanduser())
    yield from sorted(map(str, root.glob(f"versions/{wanted}.*/bin/python{wanted}")), reverse=True)


def make(folder: Path, version: str, requirements: Iterable[str], finish: Callable[[Path], None]) -> Path:
    """The Python of a virtual environment, made unless it is there.

    Args:
        folder: where; what lies there half made is cleared away.
        version: of Python.
        requirements: for pip; what they ask for besides is not installed.
        finish: given that Python, does what is left to do; where it fails, nothing stays.

    Raises:
        RuntimeMissingError: there is no such Python.
        ToolError: pip failed.
    """

    def fill(lock: int) -> None:
        _run([str(find_python(version)), "-m", "venv", str(folder)], lock)
        _run([str(inside), "-m", "pip", "install", "--quiet", "--no-deps", *requirements], lock)
        finish(inside)

    inside = folder / "bin" / "python"
    make_whole(folder, fill)
    return inside


def clean() -> dict[str, str]:
    """Variables for a Python of another environment."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}


def _run(command: Sequence[str], lock: int) -> None:
    run_installer(command, lock, clean(), "check the network and pip's indexes")
