"""A variant's own steps for the golden faces, so that an installation elsewhere can be held to them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.host import describe_kernels
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.pipeline.synthetic.sets import Population, picture
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.runners.golden import Golden
from ghostface_edge.targets.runners.recording import GoldenRecorder, Recorded, read_golden
from ghostface_edge.targets.table import load_target

_RECORDED = "recorded.json"
_PEOPLE, _VIEWS = 4, 2


def golden_faces() -> Faces:
    """Eight pictures of four rendered people, who belong to nobody: RGB uint8 (8, 112, 112, 3)."""
    people, views = range(_PEOPLE), range(_VIEWS)
    return np.stack([picture(Population.GOLDEN, 0, who, view) for who in people for view in views])


@dataclass(frozen=True, slots=True)
class RecordGolden:
    """The stage."""

    name: ClassVar[str] = "golden"
    artifact: Artifact
    faces: Faces
    label: str
    """For the user and the log."""

    def inputs(self) -> dict[str, object]:
        return {
            "artifact": self.artifact.sha256,
            "runtime": self.artifact.runtime,
            "faces": hashlib.sha256(self.faces.tobytes()).hexdigest(),
            "kernels": describe_kernels(),
            "versions": versions([*load_target(self.artifact.runtime).packages, "numpy"]),
        }

    def build(self, folder: Path, context: StageContext) -> None:
        runtime, limit = self.artifact.runtime, context.limits.embed
        with (
            context.open(GoldenRecorder, runtime, label=self.label, limit=limit) as recorder,
            context.progress.stage(f"{self.label}: golden faces"),
        ):
            write_value(folder / _RECORDED, recorder.record(self.artifact.path, self.faces, folder))

    def read(self, folder: Path) -> Golden:
        return read_golden(folder, read_value(folder / _RECORDED, Recorded))
