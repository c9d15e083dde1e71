"""The network as C on every kind of machine with a system: built for it, run, compared byte for byte.

    python -m tests.everywhere.campaign MODEL.tflite PAIRS.bin --faces 50 --machines cortex-a53,cortex-a76

MODEL.tflite is the one beside a `c-int8` model. Programs without this host's instructions run under QEMU's user mode,
linked whole. Everything is compared with the portable kernels on this host; exit code 1 if one byte differs.
"""

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.bin_file import read_bin
from ghostface_edge.calibration.verification import distinct
from ghostface_edge.reports.errors import RuntimeMissingError
from ghostface_edge.targets.c.compiler import HOST, LIBRARY, compile_c
from ghostface_edge.targets.c.for_device import UNLINKED, compiler_for, flags_for
from ghostface_edge.targets.c.generate import generate
from ghostface_edge.targets.devices.emulated import CPUS, EMULATORS
from ghostface_edge.targets.devices.instructions import compile_plugin, read_count

STEP = 64
COUNTED = 16
"""Faces whose instructions are counted, which takes QEMU several times as long."""
COLUMNS = ("machine", "kernels", "faces", "bytes that differ", "M instr./face", "library", "program ran")
PORTABLE = "portable"


@dataclass(frozen=True, slots=True)
class Machine:
    """What C is built for, and what runs it."""

    machine: str
    kernels: str
    flags: tuple[str, ...]
    emulator: tuple[str, ...] = ()
    """None: this host."""


def machines() -> dict[str, Machine]:
    """All that this host can be, and all that QEMU's user mode can be, by name."""
    here = platform.machine()
    known = {
        PORTABLE: Machine(here, PORTABLE, (*HOST, "-DMODEL_PORTABLE")),
        "baseline": Machine(here, "of any such machine", ()),
        "avx2": Machine(here, "AVX2", flags_for("x86_64", "avx2 fma")),
        "native": Machine(here, "this host's best", HOST),
    }
    kinds = {"arm64": "aarch64", "armhf": "armv7l"}
    for name, cpu in CPUS.items():
        machine = kinds[cpu.architecture]
        flags, emulator = flags_for(machine, cpu.features), (EMULATORS[cpu.architecture], "-cpu", name)
        known[name] = Machine(machine, " ".join(flags) or "-march=armv8-a", flags, emulator)
    known["riscv64"] = Machine("riscv64", PORTABLE, (), ("qemu-riscv64",))
    return known


def main() -> int:
    known = machines()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--faces", type=int, default=50)
    parser.add_argument("--machines", default=",".join(known))
    options = parser.parse_args()
    images, _ = distinct(read_bin(options.pairs)[0])
    faces = np.concatenate(list(iterate_faces(images[: options.faces], STEP)))
    with tempfile.TemporaryDirectory(prefix="everywhere-") as name:
        folder = Path(name)
        source = folder / "model.c"
        shutil.copyfile(options.model, source.with_suffix(".tflite"))
        generated = generate(source.with_suffix(".tflite")).source
        source.write_text(generated.c)
        source.with_suffix(".h").write_text(generated.h)
        print(" | ".join(COLUMNS), flush=True)
        expected, wrong = run(PORTABLE, known[PORTABLE], source, faces, None), 0
        for each in options.machines.split(","):
            if each != PORTABLE:
                try:
                    wrong += int((run(each, known[each], source, faces, expected) != expected).sum())
                except RuntimeMissingError as error:
                    print(f"{each}: skipped: {error}", flush=True)
    return int(wrong > 0)


def run(
    name: str, machine: Machine, source: Path, faces: NDArray[np.uint8], expected: NDArray[np.int8] | None
) -> NDArray[np.int8]:
    """Build and run; prints a line, returns int8 (N, E)."""
    folder = source.parent / name
    folder.mkdir()
    program, library_bytes = build(machine, source, folder)
    began, count = time.monotonic(), "-"
    if machine.emulator:
        emulator = machine.emulator[0]
        if shutil.which(emulator) is None:
            raise RuntimeMissingError(f"{emulator} is not there", fix="apt-get install qemu-user")
        counter = folder / "count"
        counting = (*machine.emulator, "-plugin", f"{compile_plugin(emulator, source.parent)},out={counter}")
        embed([*counting, str(program)], faces[:1])
        first = read_count(counter)
        embed([*counting, str(program)], faces[: 1 + COUNTED])
        count = f"{(read_count(counter) - first) / COUNTED / 1e6:.2f}" if len(faces) > COUNTED else "-"
        found = embed([*machine.emulator, str(program)], faces)
    else:
        found = embed([str(program)], faces)
    different = 0 if expected is None else int((found != expected).sum())
    seconds = f"{time.monotonic() - began:.0f} s"
    line = (name, machine.kernels, f"{len(faces):,}", f"{different:,}", count, f"{library_bytes:,}", seconds)
    print(" | ".join(line), flush=True)
    return found


def build(machine: Machine, source: Path, folder: Path) -> tuple[Path, int]:
    """A program that embeds what it reads, and the size of the library that a device would get."""
    compiler, flags = compiler_for(machine.machine), list(machine.flags)
    model, library, program, runner = (folder / name for name in ("model.o", "model.so", "runner", "runner.c"))
    runner.write_text(files(__package__).joinpath("runner.c").read_text())
    compile_c(compiler, [source], [*flags, "-fPIC", "-Wconversion", "-c"], model)
    compile_c(compiler, [model], [*flags, *LIBRARY, *UNLINKED], library)
    compile_c(compiler, [runner, model], [*flags, "-static", f"-I{source.parent}"], program)
    return program, library.stat().st_size


def embed(command: list[str], faces: NDArray[np.uint8]) -> NDArray[np.int8]:
    """What a program answers; int8 (N, E)."""
    done = subprocess.run(command, input=faces.tobytes(), stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, np.int8).reshape(len(faces), -1)


if __name__ == "__main__":
    sys.exit(main())
