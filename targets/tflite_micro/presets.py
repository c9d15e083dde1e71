"""What models are compiled for: an accelerator with the memories around it, a line each.

The memory mode decides what a board must provide: `Shared_Sram` has the arena in SRAM and the weights in flash,
`Sram_Only` both in SRAM, `Dedicated_Sram` arena and weights in DRAM and some SRAM for the NPU alone. The system decides
which order of work Vela takes for fast, and its estimate; a model compiled for another one computes the same.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SYSTEMS: Final = ("Arm/vela.ini", Path(__file__).with_name("boards.ini"))
"""Vela's own configurations, and those of boards that it does not bring along."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Vela's options, as it calls them."""

    name: str
    accelerator: str
    system: str
    memory_mode: str


PRESETS: Final = (
    # Himax WiseEye2: Grove Vision AI V2 and the like; its published memory mode is Shared_Sram by another name
    Preset("ethos-u55-64", "ethos-u55-64", "Himax_WE2", "Shared_Sram"),
    # the same chip where 2 MB of SRAM have room for the weights, too: a third of the time
    Preset("ethos-u55-64-sram-only", "ethos-u55-64", "Himax_WE2", "Sram_Only"),
    # Vela's defaults; microcontrollers with flash: Arm Corstone-300, Alif Ensemble E1, E3, E5, E7, Renesas RA8P1
    Preset("ethos-u55-128", "ethos-u55-128", "Ethos_U55_High_End_Embedded", "Shared_Sram"),
    Preset("ethos-u55-256", "ethos-u55-256", "Ethos_U55_High_End_Embedded", "Shared_Sram"),
    # Vela's defaults; systems with DRAM: NXP i.MX 93 · Arm Corstone-320
    Preset("ethos-u65-256", "ethos-u65-256", "Ethos_U65_Client_Server", "Dedicated_Sram_384KB"),
    Preset("ethos-u85-256", "ethos-u85-256", "Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram_384KB"),
    # a U85 on a microcontroller, which has no DRAM: Alif Ensemble E4, E6, E8
    Preset("ethos-u85-256-shared-sram", "ethos-u85-256", "Ethos_U85_SYS_Flash_High", "Shared_Sram"),
)
