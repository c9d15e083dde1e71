"""Table of the runtimes this project knows. To add one, add a line, or install a package that brings an entry point.

An installed package adds its own runtime under `ghostface_edge.targets` in its metadata, without a change here:

    [project.entry-points."ghostface_edge.targets"]
    my-runtime = "my_package:MyTarget"
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Final, cast

from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.environment import Environment, NodeEnvironment
from ghostface_edge.targets.protocol import STOCK, Precision, Target

TARGETS: Final = MappingProxyType(
    {
        "openvino": "ghostface_edge.targets.openvino:OpenvinoTarget",
        "onnxruntime": "ghostface_edge.targets.onnxruntime:OnnxruntimeTarget",
        "tflite": "ghostface_edge.targets.tflite.target:TfliteTarget",
        "tflite-micro": "ghostface_edge.targets.tflite_micro:TfliteMicroTarget",
        "tflite-runtime": "ghostface_edge.targets.tflite.old_runtime:TfliteRuntimeTarget",
        "c": "ghostface_edge.targets.c:CTarget",
        "ncnn": "ghostface_edge.targets.ncnn:NcnnTarget",
        "web": "ghostface_edge.targets.web:WebTarget",
        "executorch": "ghostface_edge.targets.executorch:ExecutorchTarget",
        "rknn-rk3588": "ghostface_edge.targets.rknn:rk3588",
        "rknn-rk3566": "ghostface_edge.targets.rknn:rk3566",
        "rknn-rv1106": "ghostface_edge.targets.rknn:rv1106",
        "sophgo-cv181x": "ghostface_edge.targets.sophgo.target:cv181x",
        "sophgo-bm1684x": "ghostface_edge.targets.sophgo.target:bm1684x",
    }
)
ENVIRONMENTS: Final = MappingProxyType(
    {
        "rknn": "ghostface_edge.targets.rknn.environment:RKNN",
        "tflite-runtime": "ghostface_edge.targets.tflite.old_runtime:TFLITE_RUNTIME",
        "web": "ghostface_edge.targets.web:WEB",
        "executorch": "ghostface_edge.targets.executorch.target:EXECUTORCH",
        "sophgo": "ghostface_edge.targets.sophgo.target:SOPHGO",
    }
)
"""What runtimes that cannot share our environment have; theirs are called as it is, or as it is and a hyphen."""
ENTRY_POINTS: Final = "ghostface_edge.targets"
"""The group that other packages name their targets in; a name of the table stays the table's."""


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
        return self.precision is Precision.INT8 and load_target(self.runtime).is_firmware


ALIASES: Final = MappingProxyType({"ethos-u": VariantId("tflite-micro", Precision.INT8)})
"""Other names of a variant: what Vela compiles for an Ethos-U is the model of microcontrollers."""


def runtimes() -> tuple[str, ...]:
    """Every runtime's name: the table's, then those of installed packages."""
    return tuple(dict.fromkeys((*TARGETS, *sorted(entry_points(group=ENTRY_POINTS).names))))


def all_variants() -> tuple[VariantId, ...]:
    """Every variant, runtime by runtime."""
    return tuple(VariantId(runtime, *method) for runtime in runtimes() for method in load_target(runtime).methods)


def fp32_of(runtime: str) -> VariantId:
    """What a runtime's times and bytes are compared with: its own FP32, or TFLite's where it has none."""
    has_own = (Precision.FP32, "") in load_target(runtime).methods
    return VariantId(runtime if has_own else "tflite", Precision.FP32)


def parse_variants(names: Iterable[str]) -> tuple[VariantId, ...]:
    """Variant ids as users write them; a runtime's name alone stands for all that it has.

    Raises:
        InputError: an unknown name; the message suggests the nearest.
    """
    known = {str(variant): variant for variant in all_variants()}
    names_known = [*runtimes(), *ALIASES, *known]
    chosen: dict[VariantId, None] = {}
    for name in names:
        if name in runtimes():
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
    """The target of a runtime; its own heavy imports have not happened yet.

    Raises:
        KeyError: no such runtime.
    """
    if runtime in TARGETS:
        point = EntryPoint(runtime, TARGETS[runtime], ENTRY_POINTS)
    else:
        point = entry_points(group=ENTRY_POINTS)[runtime]
    return cast("Target", point.load()())


def load_environment(name: str) -> Environment | NodeEnvironment:
    """An environment of the table.

    Raises:
        InputError: no such environment; the message suggests the nearest.
    """
    if name not in ENVIRONMENTS:
        near = get_close_matches(name, ENVIRONMENTS, n=1)
        raise InputError(
            f"'{name}' is no environment of its own",
            fix=f"did you mean '{near[0]}'?" if near else f"choose from {', '.join(ENVIRONMENTS)}",
        )
    return cast("Environment | NodeEnvironment", EntryPoint(name, ENVIRONMENTS[name], ENTRY_POINTS).load())
