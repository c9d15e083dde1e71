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
from ghostface_edge.targets.protocol import InputType, Precision, Target

_MICRO = "tflite-micro"
TARGETS = MappingProxyType(
    {
        "openvino": "ghostface_edge.targets.openvino:OpenvinoTarget",
        "onnxruntime": "ghostface_edge.targets.onnxruntime:OnnxruntimeTarget",
        "tflite": "ghostface_edge.targets.tflite.target:TfliteTarget",
        _MICRO: "ghostface_edge.targets.tflite_micro:TfliteMicroTarget",
    }
)
CPU_RUNTIMES = ("openvino", "onnxruntime", "tflite")
"""Those whose time on this machine says something of another one's."""
STOCK = "stock"
_EVERYWHERE = ((Precision.FP32, ""), (Precision.FP16, ""), (Precision.INT8, ""), (Precision.INT8, STOCK))
_OFFERED = MappingProxyType({_MICRO: ((Precision.FP32, ""), (Precision.INT8, ""))})
"""What a runtime has, where that is not everything."""


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

    @property
    def is_firmware(self) -> bool:
        """Whether it goes into a microcontroller's program, with a C array and models compiled for NPUs."""
        return self.runtime == _MICRO and self.precision is Precision.INT8


ALIASES = MappingProxyType({"ethos-u": VariantId(_MICRO, Precision.INT8)})
"""Other names of a variant: what Vela compiles for an Ethos-U is the model of microcontrollers."""


def all_variants() -> tuple[VariantId, ...]:
    """Every variant, runtime by runtime."""
    return tuple(
        variant
        for runtime in TARGETS
        for variant in (VariantId(runtime, *cell) for cell in _OFFERED.get(runtime, _EVERYWHERE))
    )


def parse_variants(names: Iterable[str]) -> tuple[VariantId, ...]:
    """Variant ids as users write them; a runtime's name alone stands for all that it has.

    Raises:
        InputError: an unknown name; the message suggests the nearest.
    """
    known = {str(variant): variant for variant in all_variants()}
    names_known = [*TARGETS, *ALIASES, *known]
    chosen: dict[VariantId, None] = {}
    for name in names:
        if name in TARGETS:
            chosen |= {variant: None for variant in known.values() if variant.runtime == name}
        elif name in known or name in ALIASES:
            chosen[known.get(name) or ALIASES[name]] = None
        else:
            near = get_close_matches(name, names_known, n=1)
            raise InputError(
                f"'{name}' is no target or variant",
                fix=f"did you mean '{near[0]}'?" if near else f"choose from {', '.join(names_known)}",
            )
    if not chosen:
        raise InputError("no target was named", fix=f"choose from {', '.join(names_known)}")
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
    """Installed versions, for cache keys and reports; a package that is not there is left out."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
