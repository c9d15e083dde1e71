"""The setup of a search: what it works on, and what it has to keep."""

from dataclasses import dataclass
from pathlib import Path

from ghostface_edge.pipeline.quantize.options import LatencyOptions
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.targets.protocol import Faces


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

    @property
    def log(self) -> Path:
        """File for what the runtime prints."""
        return self.logs / f"{self.runtime}-search.log"
