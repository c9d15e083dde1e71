"""A runtime in a place: everything that its target does natively."""

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.reports.evidence import ProfileRow
from ghostface_edge.targets.places.elsewhere import Elsewhere
from ghostface_edge.targets.places.inference import Inference
from ghostface_edge.targets.protocol import ArtifactInfo, ComputedTensor, Faces, InputType, Precision
from ghostface_edge.targets.table import load_target


class RuntimeWorker(Inference):
    """A target, and at most one loaded artifact of it; opened by `Place.open`.

    Args:
        runtime: a name of `table.TARGETS`.
    """

    def __init__(self, runtime: str) -> None:
        self._target = load_target(runtime)
        self._target.require()
        super().__init__(self._target.load)

    def time(self, face: Faces, runs: int) -> list[float]:
        """See `Inference.time`; by the clock of the process that infers."""
        return self._loaded.time(face, runs) if isinstance(self._loaded, Elsewhere) else super().time(face, runs)

    def peak_rss_mb(self) -> float:
        """See `Inference.peak_rss_mb`; of the process that infers."""
        return self._embedder.peak_rss_mb() if isinstance(self._embedder, Elsewhere) else super().peak_rss_mb()

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

    def lower_quantized(self, model: Path, artifact: Path, input_type: InputType | None = None) -> float:
        """See `Target.lower_quantized`; returns seconds."""
        started = time.perf_counter()
        self._target.lower_quantized(model, artifact, input_type)
        return time.perf_counter() - started

    def inspect(self, artifact: Path) -> ArtifactInfo:
        """See `Target.inspect`."""
        return self._target.inspect(artifact)

    def profile(self, artifact: Path, threads: int) -> tuple[ProfileRow, ...]:
        """See `Target.profile`."""
        return self._target.profile(artifact, threads)

    def tensors(self, artifact: Path) -> tuple[ComputedTensor, ...]:
        """See `Target.tensors`."""
        return self._target.tensors(artifact)

    def cut(self, artifact: Path, tensor: str, out: Path) -> None:
        """See `Target.cut`."""
        self._target.cut(artifact, tensor, out)

    def infer(self, inputs: NDArray[np.generic]) -> NDArray[np.generic]:
        """The first output of the loaded artifact for an input that is prepared already."""
        output: NDArray[np.generic] = self._loaded.infer(inputs)
        return output
