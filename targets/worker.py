"""What a child process holds: one target, and at most one loaded artifact of it."""

import time
from pathlib import Path

import numpy as np

from ghostface_edge.targets.child import peak_rss_mb
from ghostface_edge.targets.profile import ProfileRow
from ghostface_edge.targets.protocol import ArtifactInfo, Embedder, Embeddings, Faces, InputType, Precision
from ghostface_edge.targets.table import load_target


class Worker:
    """The far side of a `child.Child`; its methods are called by name.

    Args:
        runtime: a key of `table.TARGETS`.
    """

    def __init__(self, runtime: str) -> None:
        self._target = load_target(runtime)
        self._target.require()
        self._embedder: Embedder | None = None
        self._batch = 1

    def convert(self, model: Path, precision: Precision, artifact: Path) -> float:
        """See `Target.convert`; returns seconds."""
        started = time.perf_counter()
        self._target.convert(model, precision, artifact)
        return time.perf_counter() - started

    def quantize_stock(self, model: Path, faces: Faces, artifact: Path) -> float:
        """See `Target.quantize_stock`; returns seconds."""
        started = time.perf_counter()
        self._target.quantize_stock(model, faces, artifact)
        return time.perf_counter() - started

    def lower_quantized(self, carrier: Path, artifact: Path, input_type: InputType | None = None) -> float:
        """See `Target.lower_quantized`; returns seconds."""
        started = time.perf_counter()
        self._target.lower_quantized(carrier, artifact, input_type)
        return time.perf_counter() - started

    def inspect(self, artifact: Path) -> ArtifactInfo:
        """See `Target.inspect`."""
        return self._target.inspect(artifact)

    def load(self, artifact: Path, threads: int, batch: int) -> float:
        """Load an artifact; returns milliseconds, the runtime's import not counted."""
        started = time.perf_counter()
        self._embedder = self._target.load(artifact, threads, batch)
        self._batch = batch
        return (time.perf_counter() - started) * 1e3

    def embed(self, faces: Faces) -> Embeddings:
        """Embed any number of faces (N, S, S, 3); the last batch is filled up with its last face."""
        assert self._embedder is not None
        parts = []
        for at in range(0, len(faces), self._batch):
            part = faces[at : at + self._batch]
            missing = self._batch - len(part)
            filled = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)]) if missing else part
            parts.append(self._embedder.run(self._embedder.prepare(filled))[: len(part)])
        return np.concatenate(parts)

    def embed_file(self, faces: Path, start: int, stop: int) -> Embeddings:
        """Embed rows of a `.npy` of faces (N, S, S, 3), read as a memory map."""
        return self.embed(np.load(faces, mmap_mode="r")[start:stop])

    def time(self, face: Faces, runs: int) -> list[float]:
        """Milliseconds of each of `runs` inferences on one prepared batch."""
        assert self._embedder is not None
        inputs = self._embedder.prepare(face)
        samples = []
        for _ in range(runs):
            started = time.perf_counter_ns()
            self._embedder.run(inputs)
            samples.append((time.perf_counter_ns() - started) / 1e6)
        return samples

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:
        """See `Target.profile`."""
        return self._target.profile(artifact, threads)

    def peak_rss_mb(self) -> float:
        """Peak resident memory of this child so far."""
        return peak_rss_mb()
