"""Cortex-M cores, each on a board that QEMU emulates, and what of the host builds and runs a program for them."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ghostface_edge.reports.errors import RuntimeMissingError

COMPILER: Final = "arm-none-eabi-gcc"
SIZER: Final = "arm-none-eabi-size"
EMULATOR: Final = "qemu-system-arm"
INSTALL: Final = "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm"


@dataclass(frozen=True, slots=True)
class Core:
    """A core and its board's memory.

    Args:
        name: of the board, as QEMU has it.
        vectors_at: where the core looks for its first instruction.
        flash: address and bytes of what does not change.
        ram: of what does.
    """

    name: str
    vectors_at: int
    flash: tuple[int, int]
    ram: tuple[int, int]


_4_MB: Final = 4 << 20
_VECTORS: Final = 0x400
"""Bytes that are left to them."""
_PLAIN: Final = (0, (_VECTORS, _4_MB - _VECTORS), (0x2000_0000, _4_MB))
_SECURE: Final = 0x1000_0000
CORES: Final = MappingProxyType(
    {
        "cortex-m4": Core("mps2-an386", *_PLAIN),
        "cortex-m7": Core("mps2-an500", *_PLAIN),
        "cortex-m33": Core("mps2-an505", _SECURE, (_SECURE + _VECTORS, _4_MB - _VECTORS), (0x3800_0000, _4_MB)),
        "cortex-m55": Core("mps3-an547", _SECURE, (_SECURE + 0x100_0000, 2 << 20), (0x3100_0000, _4_MB)),
    }
)
"""By GCC's name. The M55's board has its instructions in SRAM: its tightly coupled memory takes 512 kB."""


def far_side(core: str) -> tuple[str, ...]:
    """The command that starts a far side which builds for a core, and runs that on its board.

    Raises:
        RuntimeMissingError: no compiler, or no emulator.
    """
    find(COMPILER)
    return (sys.executable, "-P", "-m", f"{__package__}.far_side", core, find(EMULATOR))


def find(tool: str) -> str:
    """Where a tool is.

    Raises:
        RuntimeMissingError: it is not installed.
    """
    if (path := shutil.which(tool)) is None:
        raise RuntimeMissingError(f"{tool} is not installed", fix=INSTALL)
    return path


def version(tool: str) -> str:
    """A tool's version, as the first line that it says of itself tells."""
    told = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    found = re.search(r"(?:version|\)) (\d[\d.]*)", told)
    return found[1] if found else told


def source(name: str) -> Path:
    """A file of the program around the model."""
    return Path(__file__).with_name(name)
