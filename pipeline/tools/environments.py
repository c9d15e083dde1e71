"""Environments of their own: installed in the cache, checked, removed, and what there is of them."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostface_edge.pipeline.support import node_modules, virtual_environment
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.reports.write import remove as remove_folder
from ghostface_edge.targets.environment import Environment, NodeEnvironment
from ghostface_edge.targets.places.inside import place_inside
from ghostface_edge.targets.places.inventory import Inventory
from ghostface_edge.targets.table import ENVIRONMENTS, load_environment

_MB: Final = 1e6
_PATIENT_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment, and what there is of it."""

    name: str
    interpreter: str
    """The version of Python, or that of Node with its name."""
    packages: dict[str, str]
    """Pinned versions."""
    folder: str
    size_bytes: int | None
    """None where it is not installed."""


def install(environment: Environment | NodeEnvironment, say: Callable[[str], None]) -> None:
    """Make an environment, unless it is there.

    Args:
        environment: which.
        say: told its size before anything is fetched, and its versions when it is there.

    Raises:
        RuntimeMissingError: the Python or Node that it needs is not there.
        ToolError: pip or npm failed, or what they installed cannot be imported; nothing is left then.
    """
    name = environment.name

    def check(*_: object) -> None:
        log = environment.root / f"{name}.log"  # what is left of one that failed
        with place_inside(environment).open(Inventory, environment.imports, log=log, timeout_s=_PATIENT_S) as there:
            versions = there.versions()
        if isinstance(environment, NodeEnvironment) and versions != environment.versions:  # npm takes what is missing
            raise ToolError(f"{name}: npm installed {versions}, and not what is pinned", fix="check npm's settings")
        say(f"{name}: {', '.join(f'{package} {version}' for package, version in sorted(versions.items()))}")

    if not environment.is_installed:
        say(
            f"{name}: {len(environment.requirements)} packages for {_interpreter(environment)}, "
            f"{environment.download_mb:,} MB to download, {environment.installed_mb:,} MB on disk, as recorded when "
            "they were pinned"
        )
    if isinstance(environment, NodeEnvironment):
        node_modules.make(environment.folder, environment.versions, check)
    else:
        virtual_environment.make(environment.folder, environment.python, environment.requirements, check)
    found = described(environment)
    say(f"{name}: {(found.size_bytes or 0) / _MB:,.0f} MB in {found.folder}")


def _interpreter(environment: Environment | NodeEnvironment) -> str:
    if isinstance(environment, Environment):
        return str(virtual_environment.find_python(environment.python))
    environment.require_node()
    return environment.interpreter


def remove(environment: Environment | NodeEnvironment) -> int:
    """Remove an environment, and those of other pins under its name; returns how many bytes that was."""
    size = 0
    for folder in environment.root.glob(f"{environment.name}-*"):
        if re.fullmatch("[0-9a-f]{16}", folder.name.removeprefix(f"{environment.name}-")):
            size += _size(folder)
            remove_folder(folder)
    return size


def described(environment: Environment | NodeEnvironment) -> Installed:
    """What there is of an environment."""
    size = _size(environment.folder) if environment.is_installed else None
    return Installed(environment.name, environment.interpreter, environment.versions, str(environment.folder), size)


def described_for(runtime: str) -> Installed | None:
    """The environment of a runtime; None where it shares ours."""
    named = (name for name in ENVIRONMENTS if f"{runtime}-".startswith(f"{name}-"))
    return next((described(load_environment(name)) for name in named), None)


def _size(folder: Path) -> int:
    return sum(os.lstat(Path(place, file)).st_size for place, _, files in os.walk(folder) for file in files)
