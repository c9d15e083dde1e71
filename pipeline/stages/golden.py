"""A variant's own steps for the golden faces, so that an installation elsewhere can be held to them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.support.json_value import read_value, write_array, write_value
from ghostface_edge.pipeline.synthetic.sets import Population, picture
from ghostface_edge.targets.places.worker import RuntimeWorker
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.requirements import versions
from ghostface_edge.targets.runners.golden import Golden, GoldenLayer, record
from ghostface_edge.targets.table import load_target

_NAMES = "layers.json"
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
            "versions": versions([*load_target(self.artifact.runtime).packages, "numpy"]),
        }

    def build(self, folder: Path, context: StageContext) -> None:
        with (
            context.open(
                RuntimeWorker, self.artifact.runtime, label=self.label, limit=context.limits.embed
            ) as worker,
            context.progress.stage(f"{self.label}: golden faces"),
        ):
            golden = record(worker, self.artifact.path, self.faces, folder)
        write_array(folder / "inputs.npy", golden.inputs)
        write_array(folder / "embeddings.npy", golden.embeddings)
        for place, layer in enumerate(golden.layers):
            write_array(folder / f"layer-{place}.npy", layer.values)
        write_value(folder / _NAMES, [(layer.name, layer.file.name if layer.file else None) for layer in golden.layers])

    def read(self, folder: Path) -> Golden:
        named = read_value(folder / _NAMES, list[tuple[str, str | None]])
        layers = tuple(
            GoldenLayer(name, np.load(folder / f"layer-{place}.npy"), folder / file if file else None)
            for place, (name, file) in enumerate(named)
        )
        return Golden(np.load(folder / "inputs.npy"), layers, np.load(folder / "embeddings.npy"))
