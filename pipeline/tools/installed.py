"""Which of this tool's requirements are installed, by its own metadata: the core's and each extra's.

Only what Python brings is needed to see that something is missing.
"""

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Final

TOOL: Final = "ghostface-edge"
_NAME: Final = re.compile(r"[\w.-]+", re.ASCII)
_EXTRA: Final = re.compile(r"""extra == ['"]([\w-]+)['"]""")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A distribution that is asked for.

    Args:
        name: of it.
        asked: all that the metadata says, such as `numpy>=2.0`.
        extra: that asks for it; None for the core.
        found: its version here.
        is_met: whether that is one of those asked for.
    """

    name: str
    asked: str
    extra: str | None
    found: str | None
    is_met: bool


def requirements() -> tuple[Requirement, ...]:
    """Every requirement that holds here, as the metadata orders them, but those of this tool on its own extras."""
    lines = [line for line in requires(TOOL) or () if not line.startswith(f"{TOOL}[") and _applies(line)]
    return tuple(_look(line.partition(";")[0].strip(), _extra(line)) for line in lines)


def _extra(line: str) -> str | None:
    found = _EXTRA.search(line)
    return None if found is None else found[1]


def _look(asked: str, extra: str | None) -> Requirement:
    found = _NAME.match(asked)
    assert found is not None
    try:
        here = version(found[0])
    except PackageNotFoundError:
        return Requirement(found[0], asked, extra, None, is_met=False)
    return Requirement(found[0], asked, extra, here, is_met=_meets(here, asked))


def _applies(line: str) -> bool:
    """Whether this Python and this system are among those that the requirement is for."""
    try:
        from packaging.requirements import Requirement as Asked
    except ImportError:  # it is missing itself, and told as such
        return True
    marker = Asked(line).marker
    return marker is None or marker.evaluate({"extra": _extra(line) or ""})


def _meets(here: str, asked: str) -> bool:
    try:
        from packaging.requirements import Requirement as Asked
    except ImportError:
        return True
    return Asked(asked).specifier.contains(here, prereleases=True)
