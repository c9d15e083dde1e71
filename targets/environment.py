"""An environment of its own: a Python, packages at pinned versions, and what of ours is sent there.

`pipeline/tools/environments.py` installs it, `targets/places/inside.py` runs something in it.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostface_edge.reports.cache_root import default_root
from ghostface_edge.reports.errors import RuntimeMissingError

WHOLE: Final = ".whole"
"""In the folder of an environment that was made to its end."""


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
