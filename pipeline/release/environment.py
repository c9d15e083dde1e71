"""An environment with the versions that a run recorded: this one, if it has them, else one made in the cache.

In: versions of Python and of packages. Out: a Python that has them and this release of the tool. What is made is kept,
under a name that its content decides.
"""

import hashlib
import json
import platform
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Final

from ghostface_edge.pipeline.release.provenance import installed_packages
from ghostface_edge.pipeline.support.code_version import PACKAGES, code_version
from ghostface_edge.pipeline.support.virtual_environment import clean, make, minor
from ghostface_edge.reports.errors import RuntimeMissingError, ToolError
from ghostface_edge.targets.environment import WHOLE

TOOL: Final = "ghostface-edge"


def other_versions(recorded: Mapping[str, str], python: str) -> dict[str, tuple[str, str | None]]:
    """What this environment has in another version: name, then recorded and own.

    Args:
        recorded: versions by package; this tool's own does not count.
        python: of Python; its first two numbers count.
    """
    here = installed_packages()
    pairs = {name: (version, here.get(name)) for name, version in recorded.items() if name != TOOL}
    pairs["Python"] = (minor(python), minor(platform.python_version()))
    return {name: (was, now) for name, (was, now) in pairs.items() if was != now}


def environment(recorded: Mapping[str, str], python: str, root: Path, say: Callable[[str], None]) -> Path:
    """The Python of an environment with these versions, made under `root` if it is not there.

    Raises:
        RuntimeMissingError: that version of Python is not installed.
        ToolError: pip failed.
    """
    wanted = {name: version for name, version in recorded.items() if name != TOOL}
    key = json.dumps([minor(python), sorted(wanted.items()), code_version()])
    folder = root / f"environment-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    requirements = [f"{name}=={version}" for name, version in sorted(wanted.items())]
    if not (folder / WHOLE).is_file():
        say(f"making an environment of {len(wanted)} packages at their recorded versions in {folder}")
    try:
        return make(folder, python, requirements, _install_ourselves)
    except (RuntimeMissingError, ToolError) as error:
        raise type(error)(error.message, fix=f"{error.fix}, or give --here") from error


def _install_ourselves(python: Path) -> None:
    """Copy this release of the tool."""
    (site,) = python.parents[1].glob("lib/python*/site-packages")
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


def run_there(python: Path, arguments: Sequence[str]) -> int:
    """Run this tool in another environment; returns its exit code."""
    command = [str(python), "-P", "-m", "ghostface_edge.pipeline", *arguments]
    return subprocess.run(command, env=clean(), check=False).returncode
