"""The runtimes this project knows, and the variants each offers. To add a runtime, add a line."""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import MappingProxyType
from typing import cast

from ghostface_edge.reports.errors import InputError, RuntimeMissingError
from ghostface_edge.targets.protocol import Precision, Target

TARGETS = MappingProxyType(
    {
        "openvino": "ghostface_edge.targets.openvino:OpenvinoTarget",
        "onnxruntime": "ghostface_edge.targets.onnxruntime:OnnxruntimeTarget",
        "tflite": "ghostface_edge.targets.tflite.target:TfliteTarget",
    }
)
STOCK = "stock"


@dataclass(frozen=True, slots=True, order=True)
class VariantId:
    """`<runtime>-<precision>`, with a suffix where another method filled the same cell."""

    runtime: str
    precision: Precision
    suffix: str = ""

    def __str__(self) -> str:
        return "-".join(part for part in (self.runtime, self.precision, self.suffix) if part)

    @property
    def is_stock(self) -> bool:
        """Whether the runtime's own quantizer makes it."""
        return self.suffix == STOCK


def all_variants() -> tuple[VariantId, ...]:
    """Every variant, runtime by runtime."""
    return tuple(
        variant
        for runtime in TARGETS
        for variant in (
            VariantId(runtime, Precision.FP32),
            VariantId(runtime, Precision.FP16),
            VariantId(runtime, Precision.INT8),
            VariantId(runtime, Precision.INT8, STOCK),
        )
    )


def parse_variants(names: Iterable[str]) -> tuple[VariantId, ...]:
    """Variant ids as users write them; a runtime's name alone stands for its FP32, FP16 and INT8.

    Raises:
        InputError: an unknown name; the message suggests the nearest.
    """
    known = {str(variant): variant for variant in all_variants()}
    chosen: dict[VariantId, None] = {}
    for name in names:
        if name in TARGETS:
            chosen |= {variant: None for variant in known.values() if variant.runtime == name}
        elif name in known:
            chosen[known[name]] = None
        else:
            near = get_close_matches(name, [*known, *TARGETS], n=1)
            raise InputError(
                f"'{name}' is no target or variant",
                fix=f"did you mean '{near[0]}'?" if near else f"choose from {', '.join([*TARGETS, *known])}",
            )
    if not chosen:
        raise InputError("no target was named", fix=f"choose from {', '.join([*TARGETS, *known])}")
    return tuple(variant for variant in known.values() if variant in chosen)


def load_target(runtime: str) -> Target:
    """The target of a runtime; its own heavy imports have not happened yet."""
    module, _, name = TARGETS[runtime].partition(":")
    return cast("Target", getattr(importlib.import_module(module), name)())


def require_modules(extra: str, *modules: str) -> None:
    """Check that an extra's modules are installed, without importing them.

    Raises:
        RuntimeMissingError: one is not; `fix` is the line that installs it.
    """
    for module in modules:
        if find_spec(module) is None:
            raise RuntimeMissingError(f"{module} is not installed", fix=f"pip install 'ghostface-edge[{extra}]'")


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Installed versions, for cache keys and reports; a package that is not there is left out."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
