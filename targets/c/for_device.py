"""C for a device under Linux: which compiler, which instruction sets, and the library that comes of it.

In: what a device tells of its machine. Out: a shared library that needs only what every program there has.
Only C that this version generates is compiled. Served in a place, by a process of its own.
"""

import platform
import shutil
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ghostface_edge.reports.errors import RuntimeMissingError, ToolError
from ghostface_edge.targets.c.compiler import LIBRARY, compile_c, find_compiler
from ghostface_edge.targets.c.target import origin_of

_CROSS: Final = MappingProxyType(
    {
        "aarch64": ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
        "armv7l": ("arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf"),
        "armv8l": ("arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf"),
        "riscv64": ("riscv64-linux-gnu-gcc", "gcc-riscv64-linux-gnu"),
        "x86_64": ("x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu"),
    }
)
"""By what `uname -m` says: a compiler that runs elsewhere, and Debian's package of it."""
_SETS: Final[MappingProxyType[str, tuple[tuple[tuple[str, ...], str], ...]]] = MappingProxyType(
    {
        "aarch64": ((("asimddp",), "-march=armv8.2-a+dotprod"),),
        "armv7l": ((("neon", "vfpv4"), "-mfpu=neon-vfpv4"),),
        "armv8l": ((("neon", "vfpv4"), "-mfpu=neon-vfpv4"),),
        "x86_64": (
            (("avx2",), "-mavx2"),
            (("fma",), "-mfma"),
            (("avx512_vnni", "avx512vl"), "-mavx512vnni"),
            (("avx512_vnni", "avx512vl"), "-mavx512vl"),
        ),
    }
)
"""By machine: words of `/proc/cpuinfo`, and the option that lets kernels use what they say."""
UNLINKED: Final = ("-nostdlib",)
"""`memcpy` and `memset` are the loading program's, whatever its C library is called."""


class DeviceCompiler:
    """Compiles for devices; opened by `Place.open`."""

    def build(self, artifact: Path, machine: str, features: str, library: Path) -> None:
        """Compile a `.c` to a library.

        Args:
            artifact: with its `.tflite` beside it.
            machine: as the device names it.
            features: words of its `/proc/cpuinfo`.
            library: what to write.

        Raises:
            InputError: it is not what this version generates.
            RuntimeMissingError: no compiler for that machine.
            ToolError: the compiler failed.
        """
        from ghostface_edge.targets.c.generate import generate  # needs LiteRT's schema

        compiler, flags = compiler_for(machine), flags_for(machine, features)
        generate(origin_of(artifact)).require_same(artifact)
        compile_c(compiler, [artifact], [*flags, *LIBRARY, *UNLINKED], library)


def compiler_for(machine: str) -> str:
    """This host's own compiler for its own kind, else a cross compiler.

    Raises:
        RuntimeMissingError: there is none.
        ToolError: nobody knows which that would be.
    """
    if machine == platform.machine():
        return find_compiler()
    if machine not in _CROSS:
        raise ToolError(f"no compiler is known for '{machine}'", fix=f"use a device of {', '.join(_CROSS)}")
    name, package = _CROSS[machine]
    if found := shutil.which(name):
        return found
    raise RuntimeMissingError(f"no C compiler for {machine}: {name} is not there", fix=f"apt-get install {package}")


def flags_for(machine: str, features: str) -> tuple[str, ...]:
    """Options for what a device's CPU has; without any, the machine's least."""
    there = set(features.split())
    return tuple(option for wanted, option in _SETS.get(machine, ()) if there.issuperset(wanted))
