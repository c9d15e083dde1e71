"""An environment with the versions that a run recorded: this one, if it has them, else one made in the cache.

In: versions of Python and of packages. Out: a Python that has them and this release of the tool. What is made is kept,
under a name that its content decides.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Final

from ghostface_edge.pipeline.release.provenance import installed_packages
from ghostface_edge.pipeline.support.code_version import PACKAGES, code_version
from ghostface_edge.reports.errors import RuntimeMissingError, ToolError
from ghostface_edge.reports.write import remove

TOOL: Final = "ghostface-edge"
_WHOLE: Final = ".whole"


def other_versions(recorded: Mapping[str, str], python: str) -> dict[str, tuple[str, str | None]]:
    """What this environment has in another version: name, then recorded and own.

    Args:
        recorded: versions by package; this tool's own does not count.
        python: of Python; its first two numbers count.
    """
    here = installed_packages()
    pairs = {name: (version, here.get(name)) for name, version in recorded.items() if name != TOOL}
    pairs["Python"] = (_minor(python), _minor(platform.python_version()))
    return {name: (was, now) for name, (was, now) in pairs.items() if was != now}


def environment(recorded: Mapping[str, str], python: str, root: Path, say: Callable[[str], None]) -> Path:
    """The Python of an environment with these versions, made under `root` if it is not there.

    Raises:
        RuntimeMissingError: that version of Python is not installed.
        ToolError: pip failed.
    """
    wanted = {name: version for name, version in recorded.items() if name != TOOL}
    key = json.dumps([_minor(python), sorted(wanted.items()), code_version()])
    folder = root / f"environment-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    inside = folder / "bin" / "python"
    if (folder / _WHOLE).is_file():
        return inside
    say(f"making an environment of {len(wanted)} packages at their recorded versions in {folder}")
    remove(folder)
    try:
        _run([str(_python(python)), "-m", "venv", str(folder)])
        requirements = [f"{name}=={version}" for name, version in sorted(wanted.items())]
        _run([str(inside), "-m", "pip", "install", "--quiet", "--no-deps", *requirements])
        _install_ourselves(
            Path(_run([str(inside), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip())
        )
    except BaseException:
        remove(folder)
        raise
    (folder / _WHOLE).touch()
    return inside


def _install_ourselves(site: Path) -> None:
    """Copy this release of the tool."""
    for package in PACKAGES:
        source = Path(str(files(f"{__name__.partition('.')[0]}.{package}")))
        shutil.copytree(
            source, site / "ghostface_edge" / package, ignore=shutil.ignore_patterns("__pycache__"), symlinks=False
        )
    own = distribution(TOOL)
    described = site / f"ghostface_edge-{own.version}.dist-info"
    described.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (described / name).write_text(own.read_text(name) or "", encoding="utf-8")


def _python(version: str) -> Path:
    minor = _minor(version)
    if minor == _minor(platform.python_version()):
        return Path(sys.executable)
    found = shutil.which(f"python{minor}")
    if found is None:
        raise RuntimeMissingError(
            f"Python {minor}, which made the bundle, is not here", fix=f"install Python {minor}, or give --here"
        )
    return Path(found)


def run_there(python: Path, arguments: Sequence[str]) -> int:
    """Run this tool in another environment; returns its exit code."""
    command = [str(python), "-P", "-m", "ghostface_edge.pipeline", *arguments]
    return subprocess.run(command, env=_clean(), check=False).returncode


def _clean() -> dict[str, str]:
    """Variables for a Python of another environment."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, env=_clean(), check=True, capture_output=True, text=True, errors="replace")
    except subprocess.CalledProcessError as error:
        said = next((line for line in error.stderr.splitlines() if line.startswith("ERROR")), error.stderr[-300:])
        raise ToolError(
            f"an environment of the recorded versions cannot be made: {said.strip()[:300]}",
            fix="check the network and pip's indexes, or give --here",
        ) from error
    return done.stdout
