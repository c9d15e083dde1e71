"""A program on an emulated board, as an `Embedder`: faces go in through semihosting, embeddings come out."""

import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.c.metal.build import Program
from ghostface_edge.targets.c.metal.cores import CORES
from ghostface_edge.targets.protocol import Embeddings, Faces

_GREETING: Final = struct.Struct("<IIIif")
_STACK: Final = struct.Struct("<I")
_LAYER: Final = struct.Struct("<iii")
_OPTIONS: Final = ("-display", "none", "-monitor", "none", "-serial", "none")
_SEMIHOSTING: Final = ("-semihosting-config", "enable=on,target=native")


class MetalEmbedder:
    """One program on one board, which is started with the first face and stays.

    Args:
        program: what to run.
        emulator: QEMU's command, with more of its options where they are wanted.
    """

    def __init__(self, program: Program, emulator: Sequence[str]) -> None:
        self._program = program
        self._command = [*emulator, "-M", CORES[program.core].name, *_OPTIONS, *_SEMIHOSTING]
        self._command += ["-kernel", str(program.path)]
        self._process: subprocess.Popen[bytes] | None = None
        self.arena_bytes = 0
        self._face_bytes, self._embedding_bytes, self._zero_point, self._scale = 0, 0, 0, 0.0

    def prepare(self, faces: Faces) -> NDArray[np.uint8]:
        """The camera's bytes as they are."""
        return np.ascontiguousarray(faces)

    def run(self, inputs: NDArray[np.generic]) -> Embeddings:
        """Embed; float32 (N, E)."""
        integers = self.infer(inputs).astype(np.float32)
        return (integers - np.float32(self._zero_point)) * np.float32(self._scale)

    def infer(self, inputs: NDArray[np.generic]) -> NDArray[np.int8]:
        """Embed; int8 (N, E)."""
        found = []
        for face in inputs:
            self._give(face)
            found.append(np.frombuffer(self._take(self._embedding_bytes), np.int8))
        return np.stack(found)

    def layers(self, face: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.int8]]]:
        """Numbers and values (pixels, channels) of a face's layers, where they are traced; the embedding is -1."""
        self._give(face)
        layer = 0
        while layer >= 0:
            layer, pixels, channels = _LAYER.unpack(self._take(_LAYER.size))
            yield layer, np.frombuffer(self._take(pixels * channels), np.int8).reshape(pixels, channels)

    def stack_bytes(self) -> int:
        """What the stack takes at its deepest, which no face changes; the program starts anew after that."""
        entrance, _ = self._streams()
        self.infer(np.zeros((1, self._face_bytes), np.uint8))
        entrance.close()
        (used,) = _STACK.unpack(self._take(_STACK.size))
        self.close()
        return int(used)

    def close(self) -> None:
        """End the program."""
        if self._process is None:
            return
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                stream.close() if stream else None
        self._process.wait()
        self._process = None

    def _give(self, face: NDArray[np.generic]) -> None:
        entrance, _ = self._streams()
        if face.nbytes != self._face_bytes:
            raise ToolError(
                f"the program takes faces of {self._face_bytes} bytes, not {face.nbytes}", fix="give aligned faces"
            )
        try:
            entrance.write(face.tobytes())
            entrance.flush()
        except BrokenPipeError as error:
            raise self._death() from error

    def _take(self, size: int) -> bytes:
        _, exit_ = self._streams()
        taken = exit_.read(size)
        if len(taken) != size:
            raise self._death()
        return taken

    def _streams(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            greeting = _GREETING.unpack(self._take(_GREETING.size))
            self._face_bytes, self._embedding_bytes, self.arena_bytes, self._zero_point, self._scale = greeting
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def _death(self) -> ToolError:
        self.close()
        return ToolError(
            f"the program on {self._program.core} ended without an answer",
            fix="it faulted, or the emulator knows no such board: see the log",
        )
