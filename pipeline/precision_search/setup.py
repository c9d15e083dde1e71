"""The setup of a search: what it works on, and what it has to keep."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ghostface_edge.pipeline.quantize.options import LatencyOptions, Limit
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.targets.places.place import LOCAL
from ghostface_edge.targets.protocol import Faces

Served = TypeVar("Served")


@dataclass(frozen=True, slots=True)
class SearchSetup:
    """What a search needs to know.

    Args:
        runtime: a key of `table.TARGETS` that takes tensors in float.
        prepared: float32 ONNX that was quantized.
        model: the QDQ model made of it.
        fp32: the float32 artifact of that runtime.
        fp32_bytes: of all its files.
        faces: RGB uint8 (N, S, S, 3), held out from calibration.
        threads: to time with.
        folder: where candidates go.
        logs: where children write what they print.
        limit: what one request to a child may take.
    """

    runtime: str
    prepared: Path
    model: Path
    fp32: Path
    fp32_bytes: int
    faces: Faces
    options: LatencyOptions
    threads: int
    folder: Path
    logs: Path
    progress: Progress
    limit: Limit

    @property
    def log(self) -> Path:
        """File for what the runtime prints."""
        return self.logs / f"{self.runtime}-search.log"

    def open(self, kind: Callable[[str], Served]) -> AbstractContextManager[Served]:
        """A far side of the runtime in a process of its own."""
        limit = self.limit
        return LOCAL.open(kind, self.runtime, log=self.log, timeout_s=limit.timeout_s, memory_limit_mb=limit.memory_mb)
