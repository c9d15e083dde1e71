"""A model in C to a program for a Cortex-M core.

In: `model.c` and `model.h`, as `target.CTarget` writes them. Out: an ELF file that reads faces and writes embeddings
through semihosting, and what it takes of a board.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.c.compiler import FLAGS
from ghostface_edge.targets.c.metal.cores import COMPILER, CORES, find, source

_SOURCES: Final = ("startup.c", "main.c")
_LINKER_SCRIPT: Final = "board.ld"
_FLAGS: Final = (
    *FLAGS,
    "-mthumb",
    "-mfloat-abi=hard",
    "-mfpu=auto",
    "-ffunction-sections",
    "-fdata-sections",
)
_LINK: Final = ("-nostartfiles", "-Wl,--gc-sections")
_TIMEOUT_S: Final = 600.0


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
        folder: to write to.
        options: more of the compiler's, such as `-DMODEL_TRACE=trace`.

    Raises:
        RuntimeMissingError: no compiler.
        ToolError: the compiler refuses the model, or it does not fit into the board's memory.
    """
    compiler, board = find(COMPILER), CORES[core]
    for suffix in (".c", ".h"):
        shutil.copyfile(model.with_suffix(suffix), folder / f"model{suffix}")
    program = folder / f"{core}.elf"
    memory = {
        "vectors_at": board.vectors_at,
        "flash_at": board.flash[0],
        "flash_bytes": board.flash[1],
        "ram_at": board.ram[0],
        "ram_bytes": board.ram[1],
    }
    compiled = [compiler, *_FLAGS, f"-mcpu={core}", "-fstack-usage", *options, "-I", str(folder)]
    objects = []
    for file in (folder / "model.c", *map(source, _SOURCES)):
        objects.append(str(folder / f"{file.stem}.o"))
        _run([*compiled, "-c", str(file), "-o", objects[-1]])
    symbols = [f"-Wl,--defsym={name}={value}" for name, value in memory.items()]
    _run([*compiled, *_LINK, *symbols, "-T", str(source(_LINKER_SCRIPT)), *objects, "-o", str(program)])
    said = _run([find(COMPILER.replace("gcc", "size")), str(program)])
    text, data, variables = map(int, said.splitlines()[1].split()[:3])
    frames = re.findall(r"\t(\d+)\t", (folder / "model.su").read_text())
    return Program(core, program, text + data, data + variables, max(map(int, frames), default=0))


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as late:
        raise ToolError(f"{command[0]} took more than {_TIMEOUT_S:.0f} s", fix="give it a faster host") from late
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line or "region" in line] or ["nothing said"]
        raise ToolError(f"{command[0]} refuses the program: {lines[0][:300]}", fix="is this C that this project wrote?")
    return done.stdout
