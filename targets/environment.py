"""An environment of its own: a Python or Node, packages at pinned versions, and what of ours runs there.

`pipeline/tools/environments.py` installs it, `targets/places/inside.py` runs something in it.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostface_edge.reports.cache_root import default_root
from ghostface_edge.reports.errors import RuntimeMissingError

WHOLE: Final = ".whole"
"""In the folder of an environment that was made to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedPackages:
    """What is installed beside ours, whatever runs it.

    Args:
        name: that a user installs it by.
        requirements: every package, pinned: what it is for first, then all that this pulls in; nothing else is taken.
        imports: modules of theirs that have to import there.
        download_mb: size of the packages when they were pinned.
        installed_mb: size of the folder then.
    """

    name: str
    requirements: tuple[str, ...]
    imports: tuple[str, ...]
    download_mb: int
    installed_mb: int

    @property
    def interpreter(self) -> str:
        """The version of Python, or that of Node with its name."""
        raise NotImplementedError

    @property
    def folder(self) -> Path:
        """Where it lies; another set of pins is another folder.

        Raises:
            InputError: there is no cache folder.
        """
        pins = json.dumps([self.interpreter, self.requirements])
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(PinnedPackages):
    """Of pip's packages.

    Args:
        python: its version, two numbers.
        modules: of ours that run there, without the leading package; Python 3.9 and NumPy, like the seam's own.
    """

    python: str
    modules: tuple[str, ...]

    @property
    def interpreter(self) -> str:
        """See `PinnedPackages.interpreter`."""
        return self.python


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEnvironment(PinnedPackages):
    """Of npm's packages.

    Args:
        node: oldest major version of Node that runs them.
        far_side: the module of ours that runs there, `package:file`; it is given the environment's folder, and serves.
    """

    node: int
    far_side: str

    @property
    def interpreter(self) -> str:
        """See `PinnedPackages.interpreter`."""
        return f"Node {self.node}"

    def require(self) -> None:
        """See `PinnedPackages.require`; and Node itself, which npm's packages do not bring."""
        super(NodeEnvironment, self).require()
        self.require_node()

    def require_node(self) -> None:
        """Raise RuntimeMissingError unless Node and npm are on PATH."""
        if missing := [program for program in ("node", "npm") if shutil.which(program) is None]:
            raise RuntimeMissingError(
                f"{self.name} runs in Node, and there is no {missing[0]} on PATH",
                fix=f"install Node.js {self.node} or newer with npm, for example with `apt-get install nodejs npm`",
            )
