"""The quality of calibration faces."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ghostface_edge.calibration.faces import CalibrationSet
from ghostface_edge.calibration.quality import assess
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.targets.requirements import versions

_FLAGS = "flags.json"


@dataclass(frozen=True, slots=True)
class CountPoorFaces:
    """The stage: how many faces have each flaw, the most frequent first."""

    name: ClassVar[str] = "quality"
    calibration: CalibrationSet

    def inputs(self) -> dict[str, object]:
        return {"calibration": self.calibration.sha256, "versions": versions(("numpy", "opencv-python-headless"))}

    def build(self, folder: Path, context: StageContext) -> None:  # noqa: ARG002 - no native code that could die
        flags = Counter(str(flag) for face in self.calibration.load() for flag in assess(face))
        write_value(folder / _FLAGS, dict(flags.most_common()))

    def read(self, folder: Path) -> dict[str, int]:
        return read_value(folder / _FLAGS, dict[str, int])
