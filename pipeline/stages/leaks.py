"""The search for calibration faces among the pairs."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.leaks import JudgedFaces, LeakReport, find_leaks
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.targets.protocol import Embeddings
from ghostface_edge.targets.requirements import versions

_REPORT = "leaks.json"


@dataclass(frozen=True, slots=True)
class FindLeaks:
    """The stage; by embedding only where embeddings are given."""

    name: ClassVar[str] = "leaks"
    calibration: CalibrationSet
    pairs: JudgedFaces
    model_sha256: str
    """Of the network that made the embeddings."""
    embeddings: tuple[Embeddings, Embeddings] | None
    """FP32, of the calibration faces and of the others' distinct images."""

    def inputs(self) -> dict[str, object]:
        return {
            "calibration": self.calibration.sha256,
            "pairs": _digest(self.pairs),
            "model": None if self.embeddings is None else self.model_sha256,
            "versions": versions(("numpy", "opencv-python-headless")),
        }

    def build(self, folder: Path, context: StageContext) -> None:  # noqa: ARG002 - no native code that could die
        write_value(folder / _REPORT, find_leaks(self.calibration, self.pairs, self.embeddings))

    def read(self, folder: Path) -> LeakReport:
        return read_value(folder / _REPORT, LeakReport)


def _digest(pairs: JudgedFaces) -> str:
    """Of the images, who they show, and which are of two people."""
    parts = (*sorted(pairs.people), *pairs.labels(), *pairs.digests(), str(pairs.people_known))
    digest = hashlib.sha256("\n".join(parts).encode())
    digest.update(pairs.strangers().tobytes())
    return digest.hexdigest()
