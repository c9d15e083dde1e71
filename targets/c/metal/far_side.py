"""The far side of a Cortex-M core: models come as C, are built here, and run on an emulated board.

Started with the core's name and the emulator's command.
"""

import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ghostface_edge.reports.child import follow_parent
from ghostface_edge.targets.c.generate import generate
from ghostface_edge.targets.c.metal.build import build
from ghostface_edge.targets.c.metal.cores import COMPILER, CORES, EMULATOR, version
from ghostface_edge.targets.c.metal.embedder import MetalEmbedder
from ghostface_edge.targets.c.target import origin_of
from ghostface_edge.targets.places.board import Board
from ghostface_edge.targets.places.inference import Inference
from ghostface_edge.targets.places.plain_side import main


class MetalBoard(Board):
    """What a `Board` does, for a core that no Python runs on.

    Args:
        core: of `CORES`.
        emulator: QEMU's command.
        runtime: whose models come.
        reference_kernels: as `runtime`, of no concern: there is one runtime, and it computes integers.
        folder: of models, on this host.
        cores: none to choose from.
    """

    def __init__(
        self,
        core: str,
        emulator: tuple[str, ...],
        runtime: str,  # noqa: ARG002 - all far sides are opened alike
        reference_kernels: bool = False,  # noqa: ARG002
        folder: str = "",
        cores: tuple[int, ...] = (),  # noqa: ARG002
    ) -> None:
        Inference.__init__(self, self._build)
        self._core, self._emulator, self._folder = core, emulator, Path(folder)
        self._built = TemporaryDirectory(prefix="metal-")

    def facts(self) -> dict[str, Any]:
        """The emulated board; the tools that build and run its programs stand for its runtimes."""
        board = CORES[self._core]
        return {
            "machine": board.name,
            "cpu": self._core,
            "os": "none",
            "python": None,
            "versions": {tool: version(tool) for tool in (COMPILER, EMULATOR)},
            "cores": 1,
            "memory_mb": board.ram[1] >> 20,
            "free_mb": board.flash[1] >> 20,
            "clock_s": time.time(),
        }

    def footprint(self) -> dict[str, int]:
        """Flash, variables and the deepest stack of the loaded model's program."""
        program = self._program
        stack_bytes = self._loaded.stack_bytes()
        return {"flash_bytes": program.flash_bytes, "ram_bytes": program.ram_bytes, "stack_bytes": stack_bytes}

    def _build(self, artifact: Path, threads: int, batch: int) -> MetalEmbedder:  # noqa: ARG002 - a core has one thread
        if self._embedder is not None:
            self._embedder.close()
        generate(origin_of(artifact)).require_same(artifact)
        self._program = build(artifact, self._core, Path(self._built.name))
        return MetalEmbedder(self._program, self._emulator)


if __name__ == "__main__":
    follow_parent()
    main(partial(MetalBoard, sys.argv[1], tuple(sys.argv[2:])))
