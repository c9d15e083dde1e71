"""The place inside an environment of its own.

Nothing of ours is installed there: the far side arrives with the first bytes of each connection, or is a file that
Node is given.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeVar

from ghostface_edge.targets.environment import Environment, NodeEnvironment
from ghostface_edge.targets.places.application import BOOTSTRAP, SEAM, application
from ghostface_edge.targets.places.place import Place

Served = TypeVar("Served")

_INVENTORY: Final = "targets.places.inventory"
_OWN_LOG: Final = "/proc/self/fd/2"
_LONG_S: Final = 24 * 3600.0


def place_inside(environment: Environment | NodeEnvironment) -> Place:
    """The place, whether it is installed or not; its Python heeds no variables and no packages of this user's."""
    name = f"environment {environment.name}"
    if isinstance(environment, NodeEnvironment):
        package, _, file = environment.far_side.partition(":")
        return Place(name, ("node", str(files(package) / file), str(environment.folder)))
    program = application((*SEAM, _INVENTORY, *environment.modules))
    python = str(environment.folder / "bin" / "python")
    return Place(name, (python, "-I", "-c", BOOTSTRAP, str(len(program))), program)


def open_inside(
    environment: Environment | NodeEnvironment, kind: Callable[..., Served], *arguments: object
) -> AbstractContextManager[Served]:
    """An object of a class of the environment's modules, from a process that runs a target; see `Place.open`.

    What it prints goes where this process's own messages go. Its bounds are wide: the process that asked this one keeps
    narrower ones, over all that was started.

    Raises:
        RuntimeMissingError: it is not installed.
    """
    environment.require()
    log = Path(os.path.realpath(_OWN_LOG))
    return place_inside(environment).open(kind, *arguments, log=log, timeout_s=_LONG_S)
