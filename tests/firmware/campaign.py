"""The network on bare metal: built for Cortex-M cores, run on emulated boards, compared byte for byte.

    python -m tests.firmware.campaign MODEL.tflite PAIRS.bin --faces 50 --cores cortex-m7,cortex-m55

MODEL.tflite is the one beside a `c-int8` model. What every core gives is compared with the portable kernels on this
host and with TensorFlow Lite Micro's interpreter; exit code 1 if one byte differs, with the first layer that does.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.bin_file import read_bin
from ghostface_edge.calibration.verification import distinct
from ghostface_edge.targets.c.compiler import HOST, LIBRARY, compile_c, find_compiler
from ghostface_edge.targets.c.embedder import CEmbedder
from ghostface_edge.targets.c.generate import generate
from ghostface_edge.targets.c.metal.build import build
from ghostface_edge.targets.c.metal.cores import CORES, EMULATOR, find
from ghostface_edge.targets.c.metal.embedder import MetalEmbedder
from ghostface_edge.targets.devices.instructions import compile_plugin, read_count
from ghostface_edge.targets.tflite_micro.interpreter import MicroEmbedder

STEP = 64
PORTABLE = ("-DMODEL_PORTABLE",)
TRACED = ("-DMODEL_TRACE=trace",)
COLUMNS = ("core", "equal", "faces", "flash", "RAM", "arena", "stack", "frame", "M instr./face")


@dataclass(frozen=True, slots=True)
class Given:
    """What all cores get."""

    source: Path
    faces: NDArray[np.uint8]
    portable: NDArray[np.int8]
    micro: NDArray[np.int8]
    folder: Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--faces", type=int, default=50)
    parser.add_argument("--cores", default=",".join(CORES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="firmware-") as folder:
        given = prepare(options.model, options.pairs, options.faces, Path(folder))
        wrong = int((given.portable != given.micro).any(axis=1).sum())
        print(
            f"portable kernels here: {wrong} of {len(given.faces)} faces differ from TensorFlow Lite Micro", flush=True
        )
        print(" | ".join(COLUMNS), flush=True)
        for core in options.cores.split(","):
            wrong += run(core, given)
    return int(wrong > 0)


def prepare(model: Path, pairs: Path, count: int, folder: Path) -> Given:
    """Generate the C, and embed the first faces with the portable kernels and with TensorFlow Lite Micro."""
    source = folder / "model.c"
    shutil.copyfile(model, source.with_suffix(".tflite"))
    generated = generate(model).source
    source.write_text(generated.c)
    source.with_suffix(".h").write_text(generated.h)
    images, _ = distinct(read_bin(pairs)[0])
    faces = np.concatenate(list(iterate_faces(images[:count], STEP)))
    compile_c(find_compiler(), [source], [*HOST, *LIBRARY, *PORTABLE], folder / "portable.so")
    embedders = (CEmbedder(folder / "portable.so"), MicroEmbedder(model))
    portable, micro = (one.infer(one.prepare(faces)).reshape(len(faces), -1).astype(np.int8) for one in embedders)
    return Given(source, faces, portable, micro, folder)


def run(core: str, given: Given) -> int:
    """Build, run and compare; prints a line, returns the faces that differ."""
    folder = given.folder / core
    folder.mkdir()
    program = build(given.source, core, folder)
    counter = folder / "count"
    emulator = (find(EMULATOR), "-plugin", f"{compile_plugin(EMULATOR, given.folder)},out={counter}")
    found, count, began = [], 0, time.monotonic()
    with closing(MetalEmbedder(program, emulator)) as board:
        found.append(board.infer(given.faces[:1]))  # what comes before the first face counts for none
        before = read_count(counter)
        for at in range(1, len(given.faces), STEP):
            found.append(board.infer(given.faces[at : at + STEP]))
            print(f"{core}: {min(at + STEP, len(given.faces))}", end="\r", file=sys.stderr, flush=True)
        count = read_count(counter) - before
        arena, stack = board.arena_bytes, board.stack_bytes()
    different = (np.concatenate(found) != given.portable).any(axis=1)
    wrong, faces = int(different.sum()), len(given.faces)
    each = count / max(faces - 1, 1) / 1e6
    sizes = (program.flash_bytes, program.ram_bytes, arena, stack, program.frame_bytes)
    line = [core, f"{faces - wrong:,}", f"{faces:,}", *(f"{size:,}" for size in sizes), f"{each:.2f}"]
    print(" | ".join(line), f"({time.monotonic() - began:.0f} s)", flush=True)
    if wrong:
        print(f"{core}: parts from the portable kernels at {first_difference(core, given, different.argmax())}")
    return wrong


def first_difference(core: str, given: Given, face: np.intp) -> str:
    """The first layer whose values are others than with the portable kernels on the same core."""
    found = {}
    for name, options in (("chosen", ()), ("portable", PORTABLE)):
        folder = given.folder / f"{core}-{name}"
        folder.mkdir()
        program = build(given.source, core, folder, (*TRACED, *options))
        with closing(MetalEmbedder(program, (find(EMULATOR),))) as board:
            found[name] = list(board.layers(given.faces[face]))
    return next(_differing(found["chosen"], found["portable"]), "no layer: it differs from this host's")


def _differing(one: list[tuple[int, NDArray[np.int8]]], other: list[tuple[int, NDArray[np.int8]]]) -> Iterator[str]:
    for (layer, values), (_, expected) in zip(one, other, strict=True):
        if (values != expected).any():
            yield f"layer {layer}: {int((values != expected).sum()):,} of {values.size:,} values"


if __name__ == "__main__":
    sys.exit(main())
