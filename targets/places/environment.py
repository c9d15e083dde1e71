"""An environment of its own: a Python, packages at pinned versions, and what of ours is sent there.

`pipeline/tools/environments.py` installs it; here is where it lies, whether it is there, and how to run something in
it. Nothing of ours is installed there: the far side arrives with the first bytes of each connection.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from ghostface_edge.reports.cache_root import default_root
from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.targets.places.application import BOOTSTRAP, SEAM, application
from ghostface_edge.targets.places.place import Place

Served = TypeVar("Served")

WHOLE: Final = ".whole"
"""In the folder of an environment that was made to its end."""
_INVENTORY: Final = "targets.places.inventory"
_OWN_LOG: Final = Path("/proc/self/fd/2")
_LONG_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Environment:
    """What is installed beside ours.

    Args:
        name: that a user installs it by.
        python: its version, two numbers.
        requirements: every package, pinned: what it is for first, then all that this pulls in; nothing else is taken.
        imports: modules of theirs that have to import there.
        modules: of ours that run there, without the leading package; Python 3.9 and NumPy, like the seam's own.
        download_mb: size of the wheels when they were pinned.
        installed_mb: size of the folder then.
    """

    name: str
    python: str
    requirements: tuple[str, ...]
    imports: tuple[str, ...]
    modules: tuple[str, ...]
    download_mb: int
    installed_mb: int

    @property
    def folder(self) -> Path:
        """Where it lies; another set of pins is another folder.

        Raises:
            InputError: there is no cache folder.
        """
        pins = json.dumps([self.python, self.requirements])
        return self.root / f"{self.name}-{hashlib.sha256(pins.encode()).hexdigest()[:16]}"

    @property
    def root(self) -> Path:
        """Where all of them lie."""
        return default_root() / "environments"

    @property
    def versions(self) -> dict[str, str]:
        """Of the packages, as they are pinned."""
        return dict(requirement.split("==") for requirement in self.requirements)

    @property
    def is_installed(self) -> bool:
        """Whether it is there, made to its end."""
        return (self.folder / WHOLE).is_file()

    def require(self) -> None:
        """Raise RuntimeMissingError with the line that installs it, unless it is there."""
        if not self.is_installed:
            raise RuntimeMissingError(
                f"the environment of {self.name} is not installed", fix=f"ghostface-edge targets install {self.name}"
            )

    @property
    def place(self) -> Place:
        """The place inside; its Python heeds no variables and no packages of this user's."""
        program = application((*SEAM, _INVENTORY, *self.modules))
        python = str(self.folder / "bin" / "python")
        return Place(f"environment {self.name}", (python, "-I", "-c", BOOTSTRAP, str(len(program))), program)

    @contextmanager
    def open(self, kind: Callable[..., Served], *arguments: object) -> Iterator[Served]:
        """An object of a class of `modules` in there, from a process that runs a target; see `Place.open`.

        What it prints goes where this process's own messages go. Its bounds are wide: the process that asked this one
        keeps narrower ones, over all that was started.

        Raises:
            RuntimeMissingError: it is not installed.
        """
        self.require()
        with self.place.open(kind, *arguments, log=Path(os.path.realpath(_OWN_LOG)), timeout_s=_LONG_S) as there:
            yield there
