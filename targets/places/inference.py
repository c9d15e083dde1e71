"""A loaded artifact in a place: embeds faces, and times itself. Boards run this file as it is."""

import hashlib
import time
from pathlib import Path
from typing import Any, Callable, List

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.targets.places.memory import peak_rss_mb


class Inference:
    """One artifact at most.

    Args:
        load: artifact, threads and batch to a `targets.protocol.Embedder`.
    """

    def __init__(self, load: Callable[[Path, int, int], Any]) -> None:
        self._load = load
        self._embedder: Any = None
        self._artifact = Path()
        self._batch = 1

    def load(self, artifact: Path, threads: int, batch: int) -> float:
        """Load an artifact; returns milliseconds, the runtime's import not counted."""
        started = time.perf_counter()
        self._embedder = self._load(artifact, threads, batch)
        self._artifact, self._batch = Path(artifact), batch
        return (time.perf_counter() - started) * 1e3

    def embed(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed any number of faces (N, S, S, 3), RGB, to (N, E); the last batch is filled up with its last face."""
        parts = []
        for at in range(0, len(faces), self._batch):
            part = faces[at : at + self._batch]
            missing = self._batch - len(part)
            filled = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)]) if missing else part
            parts.append(self._loaded.run(self._loaded.prepare(filled))[: len(part)])
        return np.concatenate(parts)

    def embed_file(self, faces: Path, start: int, stop: int) -> NDArray[np.float32]:
        """Embed rows of a `.npy` of faces (N, S, S, 3), read as a memory map."""
        return self.embed(np.load(faces, mmap_mode="r")[start:stop])

    def tensor(self, faces: NDArray[np.uint8]) -> NDArray[Any]:
        """The first output as the artifact gives it, whatever its type and shape, for exactly one batch of faces."""
        return self._loaded.infer(self._loaded.prepare(faces))  # type: ignore[no-any-return]

    def sha256(self) -> str:
        """Of the loaded artifact as it lies here, with the weights beside an `.xml`."""
        digest = hashlib.sha256()
        for path in (self._artifact, self._artifact.with_suffix(".bin")):
            if path.is_file():
                digest.update(path.read_bytes())
        return digest.hexdigest()

    def time(self, face: NDArray[np.uint8], runs: int) -> List[float]:
        """Milliseconds of each of `runs` inferences on one prepared batch."""
        inputs = self._loaded.prepare(face)
        samples = []
        for _ in range(runs):
            started = time.perf_counter_ns()
            self._loaded.run(inputs)
            samples.append((time.perf_counter_ns() - started) / 1e6)
        return samples

    def peak_rss_mb(self) -> float:
        """Peak resident memory of this process so far."""
        return peak_rss_mb()

    @property
    def _loaded(self) -> Any:
        if self._embedder is None:
            raise RuntimeError("no artifact is loaded")
        return self._embedder
