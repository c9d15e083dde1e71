"""Requirements of a runtime: what has to be installed, which versions are, and which inputs it takes."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

from packaging.requirements import Requirement

from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.targets.protocol import InputType
from ghostface_edge.targets.table import ENVIRONMENTS, load_environment

_PACKAGES: Final = MappingProxyType({"ethosu": "ethos-u-vela"})
"""Of modules that have another name than their package."""


def require_modules(extra: str, *modules: str) -> None:
    """Check that an extra's modules are installed, without importing them.

    Raises:
        RuntimeMissingError: one is not; `fix` is the line that installs it, or which Pythons it can be installed in.
    """
    for module in modules:
        if find_spec(module) is None:
            package = _PACKAGES.get(module, module.replace("_", "-"))
            raise RuntimeMissingError(f"{module} is not installed", fix=_how_to_install(extra, package))


def _how_to_install(extra: str, package: str) -> str:
    """The line that installs an extra, or in which Pythons its package can be, where that is not this one."""
    ends = f'extra == "{extra}"'
    try:
        known = requires("ghostface-edge") or []
    except PackageNotFoundError:  # imported from a tree that nobody installed
        known = []
    for wanted in map(Requirement, known):
        marker = wanted.marker
        if marker and wanted.name == package and str(marker).endswith(ends) and not marker.evaluate({"extra": extra}):
            return f"use a Python that {package} has packages for: {str(marker).removesuffix(f' and {ends}')}"
    return f"pip install 'ghostface-edge[{extra}]'"


def require_input(runtime: str, known: tuple[InputType, ...], input_type: InputType | None) -> None:
    """Check that a runtime's INT8 artifacts can take an input of this type; None is what they take unless asked.

    Raises:
        InputError: they cannot.
    """
    if input_type is not None and input_type not in known:
        raise InputError(
            f"{runtime} takes {' or '.join(known)}, not {input_type}",
            fix="leave the type of the input to the runtime, or name tflite or tflite-micro",
        )


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions, for cache keys and reports: as installed here, else of what environments of their own are for.

    A package that is in neither is left out.
    """
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            if package in (pinned := _pinned()):
                found[package] = pinned[package]
    return found


def _pinned() -> dict[str, str]:
    """The package that each installed environment of its own is for."""
    environments = map(load_environment, ENVIRONMENTS)
    return dict(next(iter(each.versions.items())) for each in environments if each.is_installed)
