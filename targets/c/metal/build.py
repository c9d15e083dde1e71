"""A model in C to a program for a Cortex-M core.

In: `.c` and `.h`, as `target.CTarget` writes them. Out: an ELF file that reads faces and writes embeddings through
semihosting, and what it takes of a board.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostface_edge.targets.c.compiler import compile_c
from ghostface_edge.targets.c.metal.cores import COMPILER, CORES, SIZER, find, source

_SOURCES: Final = ("startup.c", "main.c")
_LINKER_SCRIPT: Final = "board.ld"
_FLAGS: Final = ("-mthumb", "-mfloat-abi=hard", "-mfpu=auto", "-ffunction-sections", "-fdata-sections", "-fstack-usage")
_LINKING: Final = ("-nostartfiles", "-Wl,--gc-sections")


@dataclass(frozen=True, slots=True)
class Program:
    """A linked program.

    Args:
        core: that it is for.
        path: of the ELF file.
        flash_bytes: instructions, constants, and what variables begin as.
        ram_bytes: variables, the arena and the face among them; without the stack.
        frame_bytes: the largest of a function of the model on the stack, as the compiler tells.
    """

    core: str
    path: Path
    flash_bytes: int
    ram_bytes: int
    frame_bytes: int


def build(model: Path, core: str, folder: Path, options: Iterable[str] = ()) -> Program:
    """Compile and link.

    Args:
        model: its `.c`; the `.h` is beside it.
        core: of `CORES`.
        folder: another one, to write to.
        options: more of the compiler's, such as `-DMODEL_TRACE=trace`.

    Raises:
        RuntimeMissingError: no compiler.
        ToolError: the compiler refuses the model, or it does not fit into the board's memory.
    """
    board, program = CORES[core], folder / f"{core}.elf"
    for suffix in (".c", ".h"):
        shutil.copyfile(model.with_suffix(suffix), folder / f"model{suffix}")
    memory = {
        "vectors_at": board.vectors_at,
        "flash_at": board.flash[0],
        "flash_bytes": board.flash[1],
        "ram_at": board.ram[0],
        "ram_bytes": board.ram[1],
    }
    symbols = [f"-Wl,--defsym={name}={value}" for name, value in memory.items()]
    flags = [f"-mcpu={core}", *_FLAGS, f"-I{folder}", *_LINKING, *symbols, f"-T{source(_LINKER_SCRIPT)}", *options]
    compile_c(find(COMPILER), [folder / "model.c", *map(source, _SOURCES)], flags, program)
    told = subprocess.run([find(SIZER), str(program)], capture_output=True, text=True, check=True).stdout
    text, data, variables = map(int, told.splitlines()[1].split()[:3])
    frames = re.findall(r"\t(\d+)\t", next(folder.glob("*model.su")).read_text())
    return Program(core, program, text + data, data + variables, max(map(int, frames), default=0))
